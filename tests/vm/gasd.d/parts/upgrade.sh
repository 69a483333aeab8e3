# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT OR Apache-2.0
# A next version is installed under edges of a real line.

line=$(gpiosim_line meters 3)
look
before=$(get meters kitchen accepted)
irq=$(irq_of kitchen)
pid=$(main_pid)
gasctl valve close main --reason "the upgrade"
drive "$line"
dpkg -i /test/next/*.deb >/run/dpkg.log 2>&1 || fail "dpkg -i: $(</run/dpkg.log)"
stop_driving
[[ $(main_pid) != "$pid" ]] || fail "the daemon was not restarted"
exact kitchen $((before + driven)) "an upgrade under edges"
equal "$(irq_of kitchen)" "$irq" "the line was kept: its interrupt is still number $irq"
equal "$(gpiosim_value valves 0) $(get valves main holds 0 reason)" "1 the upgrade" "the valve and its hold, too"
confined "$(main_pid)"
gasctl valve open main
