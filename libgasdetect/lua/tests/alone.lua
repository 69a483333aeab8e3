-- SPDX-License-Identifier: MIT OR Apache-2.0
-- What needs no gasd: options, numbers, misuse, use after free, garbage.
local runner = require "runner"
local gasdetect = require "gasdetect"
local test, equal, throws, fails = runner.test, runner.equal, runner.throws, runner.fails
local NOWHERE = { bus = "unix:path=/nonexistent/bus" }

test("no global variable is made", function()
  equal(rawget(_G, "gasdetect"), nil)
  equal(getmetatable(assert(gasdetect.client(NOWHERE))), "gasdetect.client")
end)

test("the version of the library", function()
  assert(gasdetect.version():match("^1%.%d+%.%d+$"))
end)

test("without a bus the state says so, and nothing is an error", function()
  local client = assert(gasdetect.client(NOWHERE))
  equal((client:state()), "no-bus")
  assert(client:dispatch())
  local name, text = client:state()
  equal(name, "no-bus")
  assert(text:find("/nonexistent/bus", 1, true), text)
  fails("not-connected", client:service_version())
  fails("not-connected", client:valve("main"))
  fails("not-connected", client:close("main", "a test"))
  fails("not-connected", client:close("main", "a test", function() error("never called") end))
  fails("not-connected", assert(client:live("kitchen")):read())
  assert(client:fd() >= 0)
  equal(client:free(), true)
end)

test("a wait that ends in time says so", function()
  local client = assert(gasdetect.client(NOWHERE))
  client:dispatch()
  fails("timed-out", client:wait(0.001))
end)

test("the state is told", function()
  local client = assert(gasdetect.client(NOWHERE))
  local told = {}
  client:subscribe{ state = function(e) told[#told + 1] = e end }
  client:dispatch()
  equal(told[1].type, "state")
  equal(told[#told].state, "no-bus")
  assert(told[#told].text:find("cannot be reached", 1, true))
end)

test("misuse is an error", function()
  local client = assert(gasdetect.client(NOWHERE))
  throws("no option is called \"buss\"", gasdetect.client, { buss = "system" })
  throws("bus: expected a string", gasdetect.client, { bus = 7 })
  throws("table expected", gasdetect.client, "system")
  throws("no option is called \"verdit\"", client.subscribe, client, { verdit = print })
  throws("verdict: expected a function", client.subscribe, client, { verdict = "print" })
  throws("min_severity", client.subscribe, client, { verdict = print, min_severity = "bad" })
  throws("meters", client.subscribe, client, { verdict = print, meters = "kitchen" })
  throws("meters", client.subscribe, client, { verdict = print, meters = { 7 } })
  throws("number 1 names no type", client.events, client, { "verdit" })
  throws("no option is called", client.events, client, { verdict = true })
  throws("nothing would ever be told", client.events, client, { "gap" })
  throws("string expected", client.close, client, "main")
  throws("function expected", client.close, client, "main", "a test", 7)
  throws("zero in the string", client.close, client, "ma\0in", "a test")
  throws("whole number", client.release, client, "main", -1)
  throws("whole number", client.release, client, "main", 1.5)
  throws("seconds", client.wait, client, -1)
  throws("seconds", client.wait, client, 0 / 0)
  throws("client", client.wait, gasdetect)
  throws("no option is called", client.feed, client, "garden", { reading = true })
end)

test("what can happen at run time is nil, message, code", function()
  fails("invalid", gasdetect.client{ app_id = "no spaces, please" })
  local client = assert(gasdetect.client(NOWHERE))
  fails("invalid", client:subscribe{})
  fails("invalid", client:close("main", ("x"):rep(513)))
  fails("not-connected", client:valve("main"))
  fails("invalid", client:valve("\255"))
end)

test("what was freed is found out", function()
  local client = assert(gasdetect.client(NOWHERE))
  local subscription = assert(client:subscribe{ state = print })
  local live, feed = assert(client:live("kitchen")), assert(client:feed("garden"))
  assert(client:free() and client:free())
  for _, method in ipairs{ "fd", "dispatch", "wait", "state", "service_version", "subscribe", "events", "live" } do
    throws("the client was freed", client[method], client, {})
  end
  throws("the client was freed", client.close, client, "main", "a test")
  assert(subscription:free() and subscription:free())
  fails("handle", live:read())
  assert(live:free() and live:free())
  throws("was freed", live.read, live)
  assert(feed:free() and feed:free())
  throws("was freed", feed.pulse, feed, 1)
  local engine = assert(gasdetect.engine{ pulse_volume_ul = 1000000 })
  assert(engine:free() and engine:free())
  throws("was freed", engine.tick, engine, 1)
end)

test("a loop over the events of a client that was freed ends", function()
  local client = assert(gasdetect.client(NOWHERE))
  local seen = 0
  for event in client:events{ "state" } do
    equal(event.type, "state")
    seen = seen + 1
    client:free()
  end
  assert(seen >= 1)
end)

test("times are exact beyond 2^53", function()
  local ns = gasdetect.ns(9007199, 254740993)
  equal(type(ns), runner.exact)
  equal(tostring(ns), "9007199254740993")
  local engine = assert(gasdetect.engine{ pulse_volume_ul = "1000000" })
  assert(engine:push("9007199254740993"))
  -- One ns later is later, and the same is not.
  assert(engine:push("9007199254740994"))
  fails("order", engine:push("9007199254740994"))
  assert(engine:push(gasdetect.ns(9007199, 254740995)))
  if jit then
    local ffi = require "ffi"
    fails("order", engine:push(ffi.cast("int64_t", 9007199) * 1000000000 + 254740995))
    assert(engine:push(ffi.cast("uint64_t", 9007199) * 1000000000 + 254740996))
  end
  throws("whole number", engine.push, engine, "12x")
  throws("whole number", engine.push, engine, "")
  throws("whole number", engine.push, engine, -1)
  throws("whole number", engine.push, engine, "-1")
  throws("whole number", engine.push, engine, "18446744073709551616")
  throws("whole number", engine.push, engine, 2 ^ 64)
  throws("whole number", engine.push, engine, 0 / 0)
  throws("whole number", engine.push, engine, nil)
  throws("less than a second", gasdetect.ns, 1, 1000000000)
  equal(type(gasdetect.now_ns()), runner.exact)
end)

test("clients, subscriptions and feeds are collected in any order", function()
  for round = 1, 40 do
    local kept = {}
    for _ = 1, 20 do
      local client = assert(gasdetect.client(NOWHERE))
      kept[#kept + 1] = client
      kept[#kept + 1] = client:subscribe{ state = function() return client end }
      kept[#kept + 1] = client:live("kitchen")
      kept[#kept + 1] = client:feed("garden", { changed = function() return client end })
      kept[#kept + 1] = client:events{ "state" }
      client:dispatch()
    end
    for at = #kept, 1, -1 do
      if (at * 7 + round) % 3 == 0 then table.remove(kept, at) end
    end
    collectgarbage(round % 2 == 0 and "collect" or "step")
  end
  collectgarbage()
  collectgarbage()
end)

test("a subscription that nobody holds goes on, and keeps what it needs", function()
  local client = assert(gasdetect.client(NOWHERE))
  local told = 0
  client:subscribe{ state = function() told = told + 1 end }
  collectgarbage()
  collectgarbage()
  client:dispatch()
  assert(told >= 1)
end)

test("a client that nobody holds is kept by what was made of it", function()
  local live = assert(assert(gasdetect.client(NOWHERE)):live("kitchen"))
  collectgarbage()
  collectgarbage()
  local _, message = live:read()
  assert(message:find("not connected yet", 1, true), message)
end)

test("a loop that ended is collected", function()
  local client = assert(gasdetect.client(NOWHERE))
  for _ = 1, 200 do
    for _ in client:events{ "state" } do break end
    collectgarbage()
  end
  assert(client:events{ "state" })
end)

test("at most 64 subscriptions", function()
  local client = assert(gasdetect.client(NOWHERE))
  local last
  for _ = 1, 64 do last = assert(client:subscribe{ state = print }) end
  fails("limit", client:subscribe{ state = print })
  last:free()
  assert(client:subscribe{ state = print })
end)

test("an error of a callback is thrown by dispatch, each once", function()
  local client = assert(gasdetect.client(NOWHERE))
  local thrown = {}
  client:subscribe{ state = function() error(thrown) end }
  client:subscribe{ state = function() error("the second", 0) end }
  local ok, why = pcall(client.dispatch, client)
  equal(ok, false)
  equal(why, thrown)
  local others = 0
  for _ = 1, 10 do
    ok, why = pcall(client.dispatch, client)
    if ok then break end
    others = others + (why == "the second" and 1 or 0)
  end
  assert(others >= 1)
  assert(client:dispatch())
end)

test("a callback may do everything but wait", function()
  local client = assert(gasdetect.client(NOWHERE))
  local inner, codes = 0, {}
  local subscription
  subscription = assert(client:subscribe{ state = function()
    codes[1] = select(3, client:dispatch())
    codes[2] = select(3, client:wait())
    codes[3] = select(3, client:close("main", "a test"))
    client:subscribe{ state = function() inner = inner + 1 end }
    assert(gasdetect.client(NOWHERE)):dispatch()
    collectgarbage()
    subscription:free()
  end })
  client:dispatch()
  client:dispatch()
  equal(codes[1], "busy")
  equal(codes[2], "busy")
  equal(codes[3], "busy")
  assert(inner >= 1)
end)

test("a callback may free its client", function()
  local client = assert(gasdetect.client(NOWHERE))
  local told = 0
  for _ = 1, 3 do
    client:subscribe{ state = function() told = told + 1; client:free(); collectgarbage() end }
  end
  assert(client:dispatch())
  equal(told, 1)
  throws("was freed", client.dispatch, client)
end)

test("a coroutine may dispatch, and its callbacks may not yield", function()
  local client = assert(gasdetect.client(NOWHERE))
  local who
  local turn = coroutine.create(function()
    client:subscribe{ state = function() who = coroutine.running() end }
    client:dispatch()
    client:subscribe{ state = function() coroutine.yield() end }
    return pcall(client.dispatch, client)
  end)
  local _, ok, why = assert(coroutine.resume(turn))
  equal(who, turn)
  equal(ok, false)
  assert(tostring(why):find("yield"), why)
  turn, who = nil, nil
  collectgarbage()
  -- Its callbacks go on in whoever dispatches next.
  pcall(client.dispatch, client)
end)

if runner.integers then
  test("a block frees what it declares", function()
    local run = assert(load([[
      local gasdetect, nowhere = ...
      local freed
      do
        local client <close> = assert(gasdetect.client(nowhere))
        freed = client
      end
      return pcall(freed.fd, freed)
    ]]))
    local ok, why = run(gasdetect, NOWHERE)
    equal(ok, false)
    assert(why:find("was freed"))
  end)
end

runner.finish()
