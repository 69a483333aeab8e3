# shellcheck shell=bash
# Stop and start. With the valve closed the play adds nothing, so totals can be compared exactly.

until_true 20 "a first pulse" more_pulses_than 0
as keeper gasctl valve close main --reason 'for the test' >/dev/null
until_true 10 "the last pulse to be decided" settled
look
volume=$(number volume_ul)
refused 5 "in use by another gasd" "the record is the running daemon's" as gasd gasd audit
systemctl stop gasd
as gasd gasd audit -n 1000 >/run/audit
grep -q "uid $(id -u keeper) .*close.*garden.*hose in winter" /run/audit || fail "the record has no line of the operator: $(</run/audit)"
ok "the record says who closed which valve and why"
equal "$(systemctl is-active gasd) $(systemctl show -P Result gasd)" "inactive success" "gasd stops in order"
equal "$(findmnt -no FSTYPE /run/gasd/bpf)" bpf "the pins stay mounted"
refused 3 "systemctl start gasd" "gasctl says that gasd is not there" gasctl status
systemctl start gasd
up
look
equal "$(number volume_ul)" "$volume" "the total after stop and start, to the microlitre ($volume)"

# Without the kernel's counters there is only what SIGTERM made durable.
systemctl stop gasd
refused 2 "--discard-counts" "gasd unload wants to be sure" as_loader gasd unload
as_loader gasd unload --discard-counts >/dev/null
# The kernel itself puts *.debug there.
equal "$(find /run/gasd/bpf -mindepth 1 ! -name '*.debug')" "" "gasd unload removes every pin"
systemctl restart gasd-load
systemctl start gasd
up
look
equal "$(number volume_ul)" "$volume" "the same total without the kernel's counters: the base was written at the stop"
has "$(property valves/main Valve Holds)" "for the test" "and the operator's hold is there"
