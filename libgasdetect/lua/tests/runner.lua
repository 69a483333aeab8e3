-- SPDX-License-Identifier: MIT OR Apache-2.0
-- A tiny runner: runner.test(name, body) runs a test, runner.finish() says how many passed.
local runner = { passed = 0, failed = 0 }

-- Lua 5.4 has integers of 64 bits; elsewhere what may be larger than 2^53 is a string of digits.
runner.integers = math.type ~= nil
runner.exact = runner.integers and "number" or "string"

function runner.test(name, body)
  local ok, why = xpcall(body, debug.traceback)
  runner[ok and "passed" or "failed"] = runner[ok and "passed" or "failed"] + 1
  print((ok and "  ok      " or "  FAILED  ") .. name .. (ok and "" or "\n" .. tostring(why)))
end

function runner.equal(found, expected, what)
  if found ~= expected then
    error((what or "it") .. " is " .. tostring(found) .. ", expected " .. tostring(expected), 2)
  end
end

-- What an error says when a function is called wrongly.
function runner.throws(pattern, body, ...)
  local ok, why = pcall(body, ...)
  if ok then error("no error, expected " .. pattern, 2) end
  if not tostring(why):find(pattern) then error("the error is " .. tostring(why) .. ", expected " .. pattern, 2) end
end

-- Checks nil, message, code.
function runner.fails(code, ok, message, found)
  if ok ~= nil then error("it did not fail, expected " .. code, 2) end
  if type(message) ~= "string" or message == "" then error("no message, expected one of " .. code, 2) end
  runner.equal(found, code, "code of \"" .. message .. "\"")
end

-- Waits until done() is true, at most so long.
function runner.wait(client, seconds, done, what)
  local until_s = os.time() + seconds + 1
  while not done() do
    if os.time() > until_s then error("waited in vain for " .. (what or "it"), 2) end
    local ok, message, code = client:wait(0.5)
    if not ok and code ~= "timed-out" then error(message, 2) end
  end
end

-- A client that is ready.
function runner.ready(gasdetect, options)
  local client = assert(gasdetect.client(options))
  runner.wait(client, 20, function() return client:state() == "ready" end, "gasd")
  return client
end

function runner.finish()
  print(("  %d passed, %d failed"):format(runner.passed, runner.failed))
  os.exit(runner.failed == 0 and 0 or 1, true)
end

return runner
