# shellcheck shell=bash
# The bus goes and comes; metering does not care.

systemctl restart gasd
up
until_true 20 "a pulse" more_pulses_than "$(pulses)"
pid=$(main_pid)
before=$(pulses)
systemctl restart dbus
until_true 20 "gasd to be on the new bus" on_bus
equal "$(main_pid)" "$pid" "after a restart of dbus gasd is back on the bus by itself, the same process"
at_least "$(pulses)" "$before" "the total went down with the bus"

# Without a bus for a while. The socket would start it again at the first knock.
systemctl mask --runtime --quiet dbus.service
systemctl stop dbus.service 2>/dev/null
before=$(pulses_without_bus)
sleep 3
after=$(pulses_without_bus)
((after > before)) || fail "without the bus nothing was counted: $before, then $after"
ok "without the bus metering goes on ($before to $after pulses)"
refused 3 "" "gasctl says that the bus is not there" gasctl status
systemctl restart gasd
equal "$(systemctl is-active gasd)" active "gasd starts without the bus (READY after $(ready_ms) ms)"
until_true 20 "gasd to tell systemd how it stands" tells_systemd
at_least "$(pulses_without_bus)" "$after" "the total went down"
systemctl unmask --runtime --quiet dbus.service
# Not restart: this test itself needs the socket.
systemctl reset-failed dbus.socket dbus.service 2>/dev/null || true
systemctl start dbus.socket dbus.service
until_true 40 "gasd to find the bus" on_bus
at_least "$(pulses)" "$after" "the total went down"
ok "and finds the bus when it comes"
