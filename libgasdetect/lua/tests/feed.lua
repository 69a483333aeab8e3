-- SPDX-License-Identifier: MIT OR Apache-2.0
-- With a gasd: a program that owns the interrupt of the meter "garden".
local runner = require "runner"
local gasdetect = require "gasdetect"
local test, equal, fails, throws = runner.test, runner.equal, runner.fails, runner.throws
local client = runner.ready(gasdetect)

local function later(ns, by)
  return gasdetect.ns(0, 0) and (runner.integers and ns + by or ("%.0f"):format(ns + by))
end

test("pulses are taken, and counted once", function()
  local states = {}
  local feed = assert(client:feed("garden", { changed = function(e) states[#states + 1] = e end }))
  runner.wait(client, 20, function() return feed:status().state == "ready" end, "the feed")
  equal(states[#states].state, "ready")
  equal(states[#states].refused, 0)
  local now = gasdetect.now_ns()
  equal(feed:pulse(later(now, -5000000000)), 1)
  equal(feed:pulses{ later(now, -4000000000), { later(now, -3000000000) }, { later(now, -2000000000), "pulse" } }, 3)
  local ok, message, code, taken = feed:pulses{ later(now, -1000000000), later(now, -2000000000) }
  fails("order", ok, message, code)
  equal(taken, 1)
  fails("invalid", feed:reading(now, 5))
  throws("a level is", feed.pulse, feed, now, "ajar")
  throws("edge 1", feed.pulses, feed, { "x" })
  runner.wait(client, 20, function() return feed:status().taken == 5 end, "gasd")
  local status = feed:status()
  equal(status.waiting, 0)
  equal(status.refused, 0)
  equal(status.code, nil)
  local live = assert(client:live("garden"))
  runner.wait(client, 20, function() local m = live:read() return m and m.pulses == 5 end, "the total")
  equal(feed:free(), true)
end)

test("a meter that is not fed refuses, and says why", function()
  local told
  local feed = assert(client:feed("kitchen", { changed = function(e) told = e end }))
  equal(feed:status().state, "waiting")
  runner.wait(client, 20, function() return told end, "the refusal")
  equal(told.state, "refused")
  assert(#told.text > 20)
  equal(feed:status().state, "refused")
  assert(#feed:status().code > 0)
end)

test("a feed of readings takes readings only", function()
  local feed = assert(client:feed("cellar", { readings = true }))
  equal(feed:reading(1000, "5000000"), true)
  fails("order", feed:reading(1000, 5000000))
  fails("invalid", feed:pulse(2000))
end)

test("a feed that nobody holds ends", function()
  for _ = 1, 300 do
    assert(client:feed("garden", { changed = function() error("never") end }))
    collectgarbage()
  end
  client:dispatch()
end)

runner.finish()
