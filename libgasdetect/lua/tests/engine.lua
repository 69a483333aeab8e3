-- SPDX-License-Identifier: MIT OR Apache-2.0
-- The engine inside of the program.
local runner = require "runner"
local gasdetect = require "gasdetect"
local test, equal, throws, fails = runner.test, runner.equal, runner.throws, runner.fails
local S = 1000000000

-- A home that cooks, and then a hose that comes off: 9 m3/h in pulses of 1 L.
local function leak(engine, from_s)
  local edges = {}
  for n = 1, 60 do edges[n] = (from_s + n * 6) * S end
  for n = 1, 60 do edges[60 + n] = (from_s + 360) * S + n * 400000000 end
  return engine:push(edges)
end

test("a leak is found, with its numbers", function()
  local engine = assert(gasdetect.engine{ pulse_volume_ul = 1000000, profile = "published", meter = "kitchen" })
  assert(leak(engine, 1000))
  assert(engine:tick(1390 * S))
  local found = {}
  for verdict in engine:verdicts() do found[#found + 1] = verdict end
  local first = assert(found[1], "no verdict")
  equal(first.kind, "surge")
  equal(first.severity, "critical")
  equal(type(first.start_ns), runner.exact)
  equal(type(first.start_s), "number")
  assert(first.start_s >= 1350 and first.start_s < 1362, first.start_s)
  assert(first.decided_s > first.start_s)
  assert(first.text:find("Meter kitchen", 1, true), first.text)
  assert(#first.rule > 0)
  assert(math.abs(first.after_m3_per_h - 9) < 1, first.after_m3_per_h)
  equal(first.unit, "m3/h")
  assert(first.value > first.threshold)
  assert(first.released_m3 > 0)
  equal(tonumber(first.released_ul), math.floor(first.released_m3 * 1e9 + 0.5))
  equal(engine:next(), nil)
end)

test("what it has learned is kept and taken back", function()
  local engine = assert(gasdetect.engine{ pulse_volume_ul = 1000000 })
  assert(engine:set_civil_offset(1700000000 * S))
  for n = 1, 500 do assert(engine:push((1000 + n * 60) * S)) end
  local bytes = assert(engine:save())
  assert(#bytes > 0 and #bytes <= 8192)
  local other = assert(gasdetect.engine{ pulse_volume_ul = 1000000 })
  assert(other:restore(bytes, -5 * S))
  assert(#assert(other:save()) > 0)
  fails("invalid", other:restore("no engine's"))
  fails("invalid", other:restore(""))
  fails("invalid", assert(gasdetect.engine{ pulse_volume_ul = 10000000 }):restore(bytes))
end)

test("edges go through the filter, pulses do not", function()
  local engine = assert(gasdetect.engine{ pulse_volume_ul = 1000000 })
  assert(engine:push(1 * S, "closed"))
  assert(engine:push{ { 2 * S, "open" }, { 3 * S, "closed" }, 4 * S, { 5 * S, "unknown" } })
  assert(engine:push(6 * S))
  assert(engine:set_valve(true, 7 * S))
  assert(engine:tick(8 * S))
end)

test("what cannot be taken is refused, and nothing of it is taken", function()
  local engine = assert(gasdetect.engine{ pulse_volume_ul = 1000000 })
  fails("order", engine:push{ 2 * S, 1 * S })
  assert(engine:push(1 * S))
  fails("order", engine:push(1 * S))
  fails("order", engine:tick(S / 2))
  throws("edge 2", engine.push, engine, { 2 * S, "soon" })
  throws("edge 1", engine.push, engine, { { 2 * S, "ajar" } })
  throws("edge 1", engine.push, engine, { {} })
  throws("a level is", engine.push, engine, 2 * S, "ajar")
  throws("boolean expected", engine.set_valve, engine, 1, 2 * S)
  throws("string expected", engine.restore, engine, 7)
end)

test("an engine without a volume, or with a strange profile, is none", function()
  fails("invalid", gasdetect.engine{})
  fails("invalid", gasdetect.engine{ pulse_volume_ul = 1000000, profile = "mars" })
  throws("pulse_volume_ul", gasdetect.engine, { pulse_volume_ul = "10 L" })
  throws("no option is called", gasdetect.engine, { pulse_volume = 1 })
  throws("table expected", gasdetect.engine)
end)

test("engines are collected", function()
  -- More than there may be at a time.
  for n = 1, 5000 do
    assert(gasdetect.engine{ pulse_volume_ul = 1000000 })
    if n % 1000 == 0 then collectgarbage() end
  end
end)

runner.finish()
