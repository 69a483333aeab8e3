# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The installer's tools on the installed service: simulate, doctor, setup, and top on a terminal.

# An operator has looked at everything, and opens the valve.
look_and_open() {
    local verdict
    for verdict in $(gasctl status | sed -n 's/^ *\([0-9][0-9]*\) *critical .*/\1/p'); do
        as keeper gasctl ack "$verdict" >/dev/null || fail "verdict $verdict cannot be acknowledged"
    done
    as keeper gasctl valve open main >/dev/null || fail "the valve does not open: $(gasctl status)"
}

# Nothing else moves meanwhile.
cp /test/silence.conf /etc/systemd/system/gasd.service.d/play.conf
systemctl daemon-reload
systemctl restart gasd
up
# Of the surge before: looked at, and opened.
look_and_open
look
before=$(number accepted)
refused 4 "only root" "simulating is root's" as keeper gasctl simulate kitchen
busctl --json=short monitor io.gasd1 >/run/monitor 2>&1 &
monitor=$!
sleep 1
gasctl simulate kitchen >/run/simulate 2>&1 || fail "gasctl simulate kitchen: $(</run/simulate)"
kill "$monitor"
wait "$monitor" || true
# Whoever leaves a pipe early fails it (pipefail), so both read to the end.
grep PropertiesChanged /run/monitor | grep /io/gasd1/simulation >/dev/null || fail "busctl monitor saw no change of the simulation: $(tail -n 3 /run/monitor)"
ok "busctl monitor io.gasd1 shows what changes ($(grep -c '"type":"signal"' /run/monitor) signals)"
has "$(</run/simulate)" "the hose was detected" "gasctl simulate: $(tail -n 1 /run/simulate)"
has "$(</run/simulate)" "valve not moved" "without --valve the valve stays"
look
equal "$(number accepted)" "$before" "the meter's total is untouched"
has "$(</run/simulate)" "SIMULATION, no gas flowed" "what came of it is marked as simulated"
gasctl simulate kitchen --valve >/run/simulate 2>&1 || fail "gasctl simulate kitchen --valve: $(</run/simulate)"
is_position main closed || fail "the valve is $(position main), not closed: $(</run/simulate)"
ok "with --valve the real valve closes: $(tail -n 1 /run/simulate)"
look_and_open
is_position main open || fail "the valve is $(position main), not open"
ok "acknowledged and opened by an operator it is open again"
printf 't_ns,line,level\n0,4,0\n2000000000,4,1\n2100000000,4,0\nnonsense\n' >/run/bad.csv
refused 1 ":5:" "a recording with a bad row is refused with its place" gasctl simulate kitchen --trace /run/bad.csv
printf 't_ns,line,level\n0,4,0\n2000000000,4,1\n2100000000,4,0\n' >/run/quiet.csv
gasctl simulate kitchen --trace /run/quiet.csv --speed 10 --expect silence >/run/simulate 2>&1 || fail "a quiet recording: $(</run/simulate)"
ok "a recording in which nothing happens passes as silence"

# The doctor looks at an ordinary installation: no player, and no hold of a valve that is not there.
as keeper gasctl valve open garden >/dev/null || fail "the valve garden does not open: $(gasctl status)"
rm /etc/systemd/system/gasd.service.d/play.conf
: >/etc/gasd/gasd.toml
systemctl daemon-reload
systemctl restart gasd
up
gasctl doctor >/run/doctor 2>&1 || fail "gasctl doctor: $(</run/doctor)"
ok "gasctl doctor finds nothing failed: $(tail -n 1 /run/doctor)"
has "$(</run/doctor)" "pinned and attached" "it has found the programs"
as reader gasctl doctor >/run/doctor 2>&1 || fail "gasctl doctor of a reader: $(</run/doctor)"
ok "nor is anything wrong for a member of gasd-read: $(tail -n 1 /run/doctor)"
systemctl stop gasd
refused 1 "systemctl" "of a service that is stopped it says so, and what to do" gasctl doctor
systemctl start gasd
up
echo 'id = [' >/etc/gasd/gasd.toml
! systemctl reload gasd 2>/run/reload || fail "systemctl reload took a file that is wrong"
has "$(systemctl status gasd --no-pager -n 20 2>&1 || true)" "gasd.toml:1:" "systemctl reload fails for a file that is wrong, and the journal has its place"

: >/etc/gasd/gasd.toml
chmod 0600 /etc/gasd/gasd.toml
refused 2 "let the service's group in" "root is told of a file that only root can read" gasd check-config
chmod 0644 /etc/gasd/gasd.toml
gasctl setup --id attic --chip meters --line 7 --pulse-volume "10 L" --offline --yes >/run/setup 2>&1 || fail "gasctl setup: $(</run/setup)"
has "$(</etc/gasd/conf.d/50-attic.toml)" 'id = "attic"' "gasctl setup --offline writes a meter for another machine"
gasd check-config >/dev/null || fail "gasd does not take the file that setup has written"
rm /etc/gasd/conf.d/50-attic.toml
cp /test/gasd.toml /etc/gasd/gasd.toml
cp /test/play.conf /etc/systemd/system/gasd.service.d/play.conf
systemctl daemon-reload
systemctl restart gasd
up

# A terminal of its own; it must leave it as it was, also when it is stopped or killed by a key.
top() { # KEYS
    (sleep 2; printf '%b' "$1") | TERM=xterm-256color timeout 20 script -qec "stty rows 40 cols 100; gasctl top" /dev/null
}
screen=$(top q) || fail "gasctl top ends with $?"
has "$screen" "kitchen" "gasctl top shows the meter"
has "$screen" $'\e[?1049l' "and leaves the terminal's first screen behind it"
screen=$(top '\x03') || true
has "$screen" $'\e[?1049l' "also at Ctrl-C"
refused 2 "terminal" "without a terminal it says so" gasctl top
