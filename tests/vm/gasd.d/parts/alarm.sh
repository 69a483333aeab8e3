# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT OR Apache-2.0
# A gas detector's contact (R9): only what lasts closes the valve, and the line comes and goes with a reload.

# Whatever an earlier part has left: looked at, and opened.
for verdict in $(gasctl status | sed -n 's/^ *\([0-9][0-9]*\) *critical .*/\1/p'); do
    gasctl ack "$verdict" >/dev/null || fail "verdict $verdict cannot be acknowledged"
done
gasctl valve open main >/dev/null || fail "the valve does not open: $(gasctl status)"

pid=$(main_pid)
cat >/etc/gasd/conf.d/60-cellar.toml <<'TOML'
[[meter]]
id = "cellar"
gpio = { chip = "meters", line = 0 }
pulse_volume = "10 L"
valve = "main"
alarm = { chip = "meters", line = 1 }
rules = { alarm_link = "3 s" }
TOML
systemctl reload gasd
wait_for ok 20 meters cellar health
equal "$(main_pid)" "$pid" "a meter with an alarm line comes by reload"

gpiosim_pull meters 1 up
sleep 1
gpiosim_pull meters 1 down
sleep 5
look
equal "$(get valves main position)" open "an alarm of a second, of three that are asked, closes nothing"

gpiosim_pull meters 1 up
wait_for closed 15 valves main position
equal "$(gpiosim_value valves 0)" 1 "an alarm that lasts closes the valve: its line reads closed"
alarm_waits() { [[ $(gasctl status) == *" gas-alarm "* ]]; }
until_true 10 "the verdict" alarm_waits
verdict=$(gasctl status | sed -n 's/^ *\([0-9][0-9]*\) *critical *gas-alarm *cellar .*/\1/p')
[[ $verdict =~ ^[0-9]+$ ]] || fail "no critical gas-alarm of cellar: $(gasctl status)"
ok "as a critical verdict on the detector's meter"
has "$(gasctl explain "$verdict")" "gas detector" "gasctl explain says what gave alarm"
refused 1 "verdict $verdict" "opening is refused while the verdict waits" gasctl valve open main
gpiosim_pull meters 1 down
sleep 2
equal "$(gpiosim_value valves 0)" 1 "that the alarm ends opens nothing"
gasctl ack "$verdict"
gasctl valve open main
equal "$(gpiosim_value valves 0)" 0 "a person who has looked opens it"

rm /etc/gasd/conf.d/60-cellar.toml
systemctl reload gasd
cellar_is_gone() { ! grep -q "gasd:cellar" /proc/interrupts; }
until_true 20 "the line to be given back" cellar_is_gone
ok "and both lines are given back by reload"
