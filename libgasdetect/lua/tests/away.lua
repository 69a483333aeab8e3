-- SPDX-License-Identifier: MIT OR Apache-2.0
-- gasd goes and comes again: GASD_STOP and GASD_START are commands for that.
local runner = require "runner"
local gasdetect = require "gasdetect"
local test, equal, fails = runner.test, runner.equal, runner.fails
local STOP, START = assert(os.getenv("GASD_STOP")), assert(os.getenv("GASD_START"))

test("a client lives through the end of gasd, and its gap is told", function()
  local client = runner.ready(gasdetect)
  local states, gap, valves = {}, nil, 0
  client:subscribe{
    state = function(e) states[#states + 1] = e.state end,
    gap = function(e) gap = e end,
    valve = function() valves = valves + 1 end,
  }
  runner.wait(client, 20, function() return valves > 0 end, "the valve")
  local live = assert(client:live("kitchen"))
  runner.wait(client, 20, function() return live:read() end, "the live handle")
  os.execute(STOP)
  runner.wait(client, 20, function() return client:state() == "no-service" end, "the end of gasd")
  fails("not-connected", client:close("main", "nobody there"))
  fails("not-connected", client:service_version())
  equal(live:read().service_away, true)
  os.execute(START)
  runner.wait(client, 20, function() return gap end, "the gap")
  equal(client:state(), "ready")
  equal(gap.reason, "away")
  equal(gap.lost, nil)
  assert(gap.until_s > gap.since_s)
  equal(states[1], "ready")
  equal(states[#states], "ready")
  equal(client:close("main", "back again"), true)
end)

test("a request that gasd took with it fails", function()
  local client = runner.ready(gasdetect)
  local code
  assert(client:close("main", "a test", function(_, _, c) code = code or c end))
  os.execute(STOP)
  runner.wait(client, 20, function() return client:state() == "no-service" end, "the end of gasd")
  client:dispatch()
  assert(code == nil or code == "cancelled" or code == "not-connected", code)
  os.execute(START)
end)

runner.finish()
