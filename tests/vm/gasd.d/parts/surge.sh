# shellcheck shell=bash disable=SC2154
# From pulses to a closed valve, and back to gas by a person's hand.

line=$(gpiosim_line meters 4)
gasctl valve open main
equal "$(gpiosim_value valves 0)" 0 "gasctl opens the valve: the line reads open"

# 9 m³/h; a slow machine makes it less, and it takes less than 5 to be none.
clean_pulses "$line" 25 200000 200000 | play
wait_for surge 10 verdicts 0 kind
equal "$(get verdicts 0 severity)" critical "pulses of a torn hose are a critical surge"
verdict=$(get verdicts 0 id)
wait_for closed 10 valves main position
equal "$(gpiosim_value valves 0)" 1 "the valve's line reads closed"
equal "$(get valves main holds 0 owner) $(get valves main holds 0 verdict)" "gasd $verdict" "the verdict holds it"
exact boiler 25 "the surge"

refused 1 "verdict $verdict (surge on meter \"boiler\") is critical and not acknowledged" \
    "opening is refused while the verdict waits" gasctl valve open main
equal "$(gpiosim_value valves 0)" 1 "a refused opening moves nothing"
gasctl ack "$verdict"
sleep 1
equal "$(gpiosim_value valves 0)" 1 "an acknowledgement alone opens nothing"
gasctl valve open main
equal "$(gpiosim_value valves 0)" 0 "after ack and open the line reads open"
look
equal "$(get valves main position)" open "and the position says so"
equal "$(get valves main holds "#")" 0 "the hold is gone"
