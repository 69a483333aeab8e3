#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT OR Apache-2.0
-- Prints how it stands with gasd, each verdict in words, and where events are missing. Connects again by itself.
--
--     lua5.4 subscriber.lua [SEVERITY] [METER...]        also with luajit
--
-- GASD_BUS_ADDRESS names another bus than the system's.
local gasdetect = require "gasdetect"

io.stdout:setvbuf "line"

local function say(format, ...)
  print(os.date "%H:%M:%S " .. format:format(...))
end

local function tell(verdict)
  say("verdict %s on meter %s: %s, %s%s%s: %s", verdict.id, verdict.meter, verdict.severity, verdict.kind,
    verdict.simulated and ", simulated" or "", verdict.recovered and ", from before" or "", verdict.text or "...")
end

local client = assert(gasdetect.client{ app_id = "subscriber.lua" })

assert(client:subscribe{
  min_severity = arg[1] or "notice",
  meters = arg[2] and { select(2, (table.unpack or unpack)(arg)) } or nil,
  state = function(e) say("gasd: %s (%s)", e.text, e.state) end,
  verdict = tell,
  -- The words of a verdict that was told before they were known.
  explained = tell,
  acknowledged = function(e) say("verdict %s is acknowledged", e.id) end,
  gap = function(e) say("%s events are missing: %.1f s, %s", e.lost or "some", e.until_s - e.since_s, e.reason) end,
  refused = function(e) say("gasd refuses: %s", e.text) end,
})

-- For an event loop of one's own there are client:fd() and client:dispatch().
while true do
  local ok, message, code = client:wait(60)
  if not ok and code ~= "timed-out" then error(message) end
end
