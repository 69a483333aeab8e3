# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT OR Apache-2.0
# Commissioning as an installer does it: find the contact, write the meter, have it counted, test that it is
# noticed, take it away again.

attic=$(gpiosim_line meters 7)
has "$(gasctl setup --list)" "meters" "gasctl setup --list shows the chip"

# Which line answers when the magnet moves? Only those that nobody has are listened to.
gasctl setup --find --chip meters --seconds 8 >/run/find 2>&1 &
finder=$!
find_listens() { grep -q "listening on" /run/find; }
until_true 10 "gasctl setup to listen" find_listens
nap 0.5
clean_pulses "$attic" 3 200000 200000 | play
wait "$finder" || fail "gasctl setup --find: $(</run/find)"
has "$(</run/find)" "the meter is most likely on gpiochip0 line 7" "gasctl setup --find finds the contact's line among those that are free"
has "$(</run/find)" "gpiochip0 line 7: 6 edges" "and has heard every edge"
equal "$(get service mode)" kernel "gasd has not lost its lines by it"

look
pid=$(main_pid)
kept=$(systemctl show -P NFileDescriptorStore gasd)
gasctl setup --id attic --chip meters --line 7 --pulse-volume "1 L" --max-flow "6 m3/h" --valve main --yes >/run/setup 2>&1 ||
    fail "gasctl setup: $(</run/setup)"
has "$(</run/setup)" "/etc/gasd/conf.d/50-attic.toml: written" "gasctl setup writes the meter's file"
has "$(</run/setup)" "systemctl reload gasd" "and says what comes next"
refused 1 "--force" "a file that is there is not replaced" \
    gasctl setup --id attic --chip meters --line 7 --pulse-volume "1 L" --yes
refused 2 "line 3" "a line that another meter has is refused" \
    gasctl setup --id twice --chip meters --line 3 --pulse-volume "1 L" --yes
systemctl reload gasd
wait_for ok 20 meters attic health
ok "a reload takes the new meter's line without a restart"
equal "$(main_pid) $(systemctl show -P NFileDescriptorStore gasd)" "$pid $((kept + 1))" "and systemd keeps its descriptor"
noisy_pulses "$attic" 5 | play
# The interrupt has counted the six edges that `--find` heard, too.
exact attic 5 "a meter that was added by reload" -6

# Whatever an earlier part has left: looked at, and opened.
look_and_open() {
    local verdict
    for verdict in $(gasctl status | sed -n 's/^ *\([0-9][0-9]*\) *critical .*/\1/p'); do
        gasctl ack "$verdict" >/dev/null || fail "verdict $verdict cannot be acknowledged"
    done
    gasctl valve open main >/dev/null || fail "the valve does not open: $(gasctl status)"
}
look_and_open
look
position=$(get valves main position)
equal "$position" open "the valve is open before the test"

# The commissioning test, through the live programs, beside the meter: its own total stays.
look
before=$(get meters attic accepted)
gasctl simulate attic >/run/simulate 2>&1 || fail "gasctl simulate attic: $(</run/simulate)"
has "$(</run/simulate)" "the hose was detected" "gasctl simulate: a hose on the new meter is noticed"
look
equal "$(get meters attic accepted)" "$before" "the meter's total is untouched by it"
equal "$(get valves main position)" "$position" "and the valve is not moved"
gasctl simulate attic --valve >/run/simulate 2>&1 || fail "gasctl simulate attic --valve: $(</run/simulate)"
has "$(</run/simulate)" "valve closed" "with --valve the real valve closes: $(tail -n 1 /run/simulate)"
equal "$(gpiosim_value valves 0)" 1 "its line reads closed"
has "$(gasctl status)" "SIMULATION, no gas flowed" "the verdict is marked as simulated"
look_and_open
equal "$(gpiosim_value valves 0)" 0 "acknowledged and opened, the line reads open again"

gasctl doctor >/run/doctor 2>&1 || fail "gasctl doctor: $(</run/doctor)"
ok "gasctl doctor finds nothing failed: $(tail -n 1 /run/doctor)"
grep -qi "gpio" /run/doctor || fail "gasctl doctor says nothing of chips: $(</run/doctor)"

rm /etc/gasd/conf.d/50-attic.toml
systemctl reload gasd
attic_is_gone() { ! grep -q "gasd:attic" /proc/interrupts; }
until_true 20 "the line to be given back" attic_is_gone
ok "a meter that is taken out by reload gives its line back"
equal "$(main_pid) $(systemctl show -P NFileDescriptorStore gasd)" "$pid $kept" "and its descriptor"
