-- SPDX-License-Identifier: MIT OR Apache-2.0
-- With a gasd that plays a household, in which a hose comes off: verdicts, valves, holds.
local runner = require "runner"
local gasdetect = require "gasdetect"
local test, equal, fails = runner.test, runner.equal, runner.fails
local client = runner.ready(gasdetect, { app_id = "lua-test" })
local seen = {}
local verdict

local function on(event)
  equal(type(event.type), "string")
  seen[event.type] = (seen[event.type] or 0) + 1
  seen.last = seen.last or {}
  seen.last[event.type] = event
  collectgarbage("step")
end

test("gasd says its version", function()
  assert(client:service_version():match("^%d+%.%d+%.%d+$"))
end)

test("unknown valves are not found, and the sentence has those there are", function()
  local _, message = client:valve("roof")
  fails("not-found", client:valve("roof"))
  assert(message:find("main", 1, true), message)
  fails("not-found", client:close("roof", "a test"))
  fails("not-found", client:release("roof", 7))
  fails("not-found", client:acknowledge(4711))
  fails("not-found", assert(client:live("attic")):read())
  fails("not-found", client:release("main", "18446744073709551615"))
end)

test("a valve opens, and its event tells it", function()
  local subscription = assert(client:subscribe{
    state = on, pulse = on, reading = on, valve = on, gap = on, refused = on, explained = on, acknowledged = on,
    verdict = function(e) on(e) verdict = verdict or e end,
    meters = { "kitchen" },
  })
  subscription = nil
  collectgarbage()
  local told
  assert(client:open("main", "a test opens it", function(...) told = { n = select("#", ...), ... } end))
  runner.wait(client, 20, function() return told end, "the answer")
  equal(told[1], true, told[2] or "ok")
  equal(told[2], nil)
  equal(told[4], nil)
  runner.wait(client, 20, function() return seen.valve and seen.last.valve.position == "open" end, "the valve")
  equal(seen.last.valve.valve, "main")
  equal(seen.last.valve.fault, false)
  equal(seen.last.valve.holds, 0)
  runner.wait(client, 20, function() return client:valve("main").position == "open" end, "what is known of it")
  equal(client:valve("main").fault, false)
end)

test("pulses and readings have exact numbers, and some to reckon with", function()
  runner.wait(client, 20, function() return (seen.pulse or 0) > 3 and seen.last.reading.volume_m3 > 0 end, "pulses")
  local pulse, reading = seen.last.pulse, seen.last.reading
  equal(pulse.meter, "kitchen")
  equal(type(pulse.t_ns), runner.exact)
  equal(type(pulse.volume_ul), runner.exact)
  equal(type(pulse.t_s), "number")
  equal(type(pulse.pulses), "number")
  equal(pulse.volume_m3, pulse.pulses / 1000)
  equal(tostring(pulse.volume_ul), ("%.0f"):format(pulse.pulses * 1e6))
  assert(math.abs(pulse.interval_s - pulse.interval_ns / 1e9) < 1e-9)
  equal(type(pulse.simulated), "boolean")
  equal(reading.meter, "kitchen")
  equal(reading.volume_m3, reading.pulses / 1000)
  local live = assert(client:live("kitchen"))
  runner.wait(client, 10, function()
    local state = live:read()
    return state and state.pulses >= pulse.pulses
  end, "the live handle")
  local state = live()
  assert(state.source == "stream" or state.source == "page")
  equal(state.service_away, false)
  equal(state.total_incomplete, false)
end)

test("the verdict is told with names, and its words come", function()
  runner.wait(client, 60, function() return verdict and (verdict.text or seen.explained) end, "a verdict with words")
  equal(verdict.kind, "surge")
  equal(verdict.severity, "critical")
  equal(verdict.meter, "kitchen")
  equal(verdict.recovered, false)
  equal(type(verdict.id), runner.exact)
  equal(type(verdict.start_ns), runner.exact)
  assert(verdict.decided_s > verdict.start_s)
  local words = verdict.text and verdict or seen.last.explained
  equal(words.id, verdict.id)
  assert(words.text:find("kitchen", 1, true))
  assert(words.evidence:find("^{"), words.evidence)
end)

test("gasd closed the valve, and it stays closed until a person has looked", function()
  runner.wait(client, 20, function() return client:valve("main").position == "closed" end, "the valve")
  fails("unacknowledged", client:open("main", "too early"))
  local ok, message, code
  assert(client:open("main", "too early", function(...) ok, message, code = ... end))
  runner.wait(client, 20, function() return ok ~= nil end, "the refusal")
  equal(ok, false)
  equal(code, "unacknowledged")
  assert(#message > 20)
end)

test("a later client is told what waits, as recovered", function()
  local later = runner.ready(gasdetect)
  for event in later:events{ "verdict", min_severity = "critical" } do
    equal(event.id, verdict.id)
    equal(event.recovered, true)
    assert(event.text)
    break
  end
  later:free()
end)

test("holds have cookies", function()
  local cookie = assert(client:hold("main", "work on the pipes"))
  equal(type(cookie), runner.exact)
  equal(client:hold("main", "work on the pipes"), cookie)
  local id = verdict.id
  equal(client:acknowledge(id, "real-leak"), true)
  runner.wait(client, 20, function() return seen.acknowledged end, "the acknowledgement")
  equal(seen.last.acknowledged.id, id)
  fails("not-found", client:acknowledge(id))
  fails("invalid", client:acknowledge(id, "no idea"))
  fails("held", client:open("main", "still held"))
  fails("not-found", client:release("main", 12345))
  equal(client:release("main", cookie), true)
  local again
  assert(client:hold("main", "a callback has it, too", function(ok, _, _, c) again = ok and c end))
  runner.wait(client, 20, function() return again end, "the cookie")
  equal(client:release("main", again), true)
end)

test("nothing was refused, and no event was lost", function()
  equal(seen.refused, nil)
  equal(seen.gap, nil)
end)

test("a meter that is not there is refused", function()
  local refused
  client:subscribe{ pulse = function() end, refused = function(e) refused = e end, meters = { "attic" } }
  runner.wait(client, 20, function() return refused end, "the refusal")
  assert(#refused.code > 0 and #refused.text > 0)
end)

test("an event loop of one's own: dispatch alone", function()
  local done
  assert(client:close("main", "the end", function(ok) done = ok end))
  local until_s = os.time() + 20
  while done == nil and os.time() < until_s do assert(client:dispatch()) end
  equal(done, true)
end)

runner.finish()
