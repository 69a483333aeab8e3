# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The profiles are in force, everything so far went on inside of them, and they do refuse.

equal "$(grep -c '^gasd-\(load\|run\) (enforce)$' /sys/kernel/security/apparmor/profiles)" 2 "both profiles are in force"
equal "$(systemctl show -P AppArmorProfile gasd-load)" "-gasd-load" "the loader's unit names one"
# The event stream: a socket that is made, handed over the bus, and written to until nobody reads it.
has "$(busctl call io.gasd1 /io/gasd1 io.gasd1.Manager Subscribe 'a{sv}' 0)" "h " "the event stream is handed out in the profile"
equal "$(denials)" "" "all of the test went on without a refusal"

# As root, whom the file's mode lets in.
refused 2 "" "without a profile root reads any file as a configuration" gasd check-config --config /etc/shadow
refused 2 "may not be read" "in the daemon's profile /etc/shadow cannot be read" aa-exec -p gasd-run -- gasd check-config --config /etc/shadow
refused 2 "may not be read" "nor in the loader's" aa-exec -p gasd-load -- gasd check-config --config /etc/shadow
has "$(denials)" 'profile="gasd-run" name="/etc/shadow"' "the kernel's log says so"
