-- SPDX-License-Identifier: MIT OR Apache-2.0
-- With a gasd: errors and garbage in callbacks while things happen.
local runner = require "runner"
local gasdetect = require "gasdetect"
local test, equal = runner.test, runner.equal

test("garbage is collected in each callback, and nothing is missed", function()
  local client = runner.ready(gasdetect)
  collectgarbage("setpause", 100)
  collectgarbage("setstepmul", 1000)
  local first, last, count = nil, nil, 0
  local subscription = assert(client:subscribe{
    pulse = function(e)
      first, last, count = first or e.pulses, e.pulses, count + 1
      -- What is made here is garbage at once.
      local other = client:subscribe{ reading = function() end, state = function() collectgarbage() end }
      local loop = client:events{ "pulse" }
      client:live("kitchen")
      other:free()
      loop = nil
      collectgarbage()
    end,
    reading = function() collectgarbage("step", 100) end,
    meters = { "kitchen" },
  })
  equal(client:open("main", "a test"), true)
  runner.wait(client, 30, function() return count >= 60 end, "60 pulses")
  subscription:free()
  equal(last - first + 1, count)
  for _ = 1, 20 do assert(client:dispatch()) end
end)

test("a loop sees every pulse while it closes valves", function()
  local client = runner.ready(gasdetect)
  equal(client:open("main", "a test"), true)
  local before, count
  for event in client:events{ "pulse", "valve" } do
    if event.type == "pulse" then
      if before then equal(event.pulses, before + 1) end
      before, count = event.pulses, (count or 0) + 1
      if count == 20 then equal(client:close("main", "enough"), true) end
    elseif count and count >= 20 and event.position == "closed" then
      break
    end
  end
end)

test("an error in a callback does not lose an answer", function()
  local client = runner.ready(gasdetect)
  client:subscribe{ valve = function(e) error("holds: " .. e.holds, 0) end }
  local thrown
  runner.wait({ wait = function(_, seconds)
    local ok, why = pcall(client.wait, client, seconds)
    thrown = thrown or not ok and why
    return true
  end }, 20, function() return thrown end, "the valve")
  -- The answers come in spite of the errors that the changes bring.
  local before = tonumber(thrown:match("holds: (%d+)"))
  local cookie = assert(client:hold("main", "a test of errors"))
  equal(client:release("main", cookie), true)
  local said = {}
  for _ = 1, 50 do
    local ok, why = pcall(client.wait, client, 0.02)
    if not ok then said[why] = true end
  end
  assert(said["holds: " .. before + 1] and said["holds: " .. before])
end)

test("an error in the function of an answer is thrown", function()
  local client = runner.ready(gasdetect)
  local thrown = setmetatable({}, { __tostring = function() return "an object" end })
  assert(client:close("main", "a test", function() error(thrown) end))
  local ok, why = true, nil
  for _ = 1, 100 do
    ok, why = pcall(client.wait, client, 0.1)
    if not ok then break end
  end
  equal(ok, false)
  equal(why, thrown)
end)

test("an error breaks a loop over events, and the next loop goes on", function()
  local client = runner.ready(gasdetect)
  client:subscribe{ state = function() error("once", 0) end }
  local ok, why = pcall(function()
    for _ in client:events{ "reading", meters = { "garden" } } do end
  end)
  equal(ok, false)
  equal(why, "once")
  for event in client:events{ "valve" } do
    equal(event.valve, "main")
    break
  end
end)

test("answers to a client that is gone are nobody's", function()
  for _ = 1, 20 do
    local client = runner.ready(gasdetect)
    for _ = 1, 5 do assert(client:close("main", "a test", function() error("never") end)) end
    if math.random() < 0.5 then client:free() end
    client = nil
    collectgarbage()
  end
end)

runner.finish()
