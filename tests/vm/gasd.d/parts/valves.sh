# shellcheck shell=bash disable=SC2154
# Other kinds of wiring: an active-low contact with a pull-up, a latching valve with two coils and
# feedback.

garage=$(gpiosim_line meters 5)
equal "$(gpiosim_value meters 5)" 1 "a line with bias pull-up reads high when nothing pulls it"
clean_pulses "$garage" 4 400000 400000 down up | play
exact garage 4 "an active-low contact"

close=$(gpiosim_line valves 1)/value
open=$(gpiosim_line valves 2)/value
feedback=$(gpiosim_line valves 3)/pull

# The valve: turns when a coil gets current, and its switch follows. It notes each turn, and both
# coils at once, which would burn a driver.
echo 1 >/run/turning
valve() {
    local o c was=
    while [[ -e /run/turning ]]; do
        read -r o <"$open" || true
        read -r c <"$close" || true
        if [[ $o$c == 11 ]]; then echo both >>/run/turns; fi
        if [[ $o$c == 10 && $was != open ]]; then was=open; echo open >>/run/turns; echo pull-up >"$feedback"; fi
        if [[ $o$c == 01 && $was != closed ]]; then was=closed; echo closed >>/run/turns; echo pull-down >"$feedback"; fi
        nap 0.01
    done
}
: >/run/turns
valve &
turner=$!
gasctl valve open street
equal "$(</run/turns)" open "a pulse on the opening coil opens a latching valve"
equal "$(<"$open")$(<"$close")" 00 "afterwards both coils rest"
look
equal "$(get valves street position)" open "its feedback says open"
gasctl valve close street --reason "the wiring test"
equal "$(xargs </run/turns)" "open closed" "a pulse on the closing coil closes it"
equal "$(<"$open")$(<"$close")" 00 "afterwards both coils rest again"
gasctl valve open street
equal "$(xargs </run/turns)" "open closed open" "and it opens again"
rm /run/turning
wait "$turner"

# Stuck: the coil gets its pulse, the switch does not follow.
refused 1 "feedback line reads open" "a valve that does not turn is no success" gasctl valve close street --reason stuck
look
equal "$(get valves street position)" unknown "where a stuck valve is, is not known"
has "$(get valves street health)" "feedback" "its health says why"
echo pull-down >"$feedback"
wait_for closed 20 valves street position
ok "once it has turned after all, its position says so"
