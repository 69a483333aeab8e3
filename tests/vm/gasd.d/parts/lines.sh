# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT OR Apache-2.0
# Names and lines are exchanged over a restart, over which systemd keeps the requests: whoever has a line now drives it,
# and no hold is passed.

extra=/etc/gasd/conf.d/70-lines.toml
# on_lines FRONT BACK METER ACTIVE: a configuration of two valves on these lines, and of a meter by this name.
on_lines() {
    cat >"$extra" <<TOML
[[valve]]
id = "front"
actuator = { gpio = { chip = "valves", line = $1 }, closed = "high" }
[[valve]]
id = "back"
actuator = { gpio = { chip = "valves", line = $2 }, closed = "high" }
[[meter]]
id = "$3"
gpio = { chip = "meters", line = 0, active = "$4" }
pulse_volume = "10 L"
TOML
    systemctl restart gasd
    look
}
levels() { echo "$(gpiosim_value valves 4) $(gpiosim_value valves 5)"; }

on_lines 4 5 attic high
gasctl valve open front
gasctl valve open back
equal "$(levels)" "0 0" "two more valves are open"

on_lines 5 4 loft low
equal "$(levels)" "0 0" "with their lines exchanged they still are"
equal "$(get valves front health) $(get valves back health)" "ok ok" "and each has its new line"
wait_for ok 20 meters loft health
ok "a meter with another name and level has its line"
gasctl valve close front --reason "the lines test"
equal "$(levels)" "0 1" "the first one closes by its new line"

on_lines 4 5 loft low
equal "$(levels)" "1 1" "exchanged back, the line that was held is closed, and so is the valve of that name"
gasctl valve open back
gasctl valve open front
equal "$(levels)" "0 0" "a person opens both"
rm "$extra"
systemctl restart gasd
look
loft_is_gone() { ! grep -q "gasd:loft" /proc/interrupts; }
until_true 20 "the line to be given back" loft_is_gone
ok "and what is taken out of the configuration is given back"
