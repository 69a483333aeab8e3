# shellcheck shell=bash disable=SC2154
# The daemon dies while pulses come and a valve is held closed.

line=$(gpiosim_line meters 3)
gasctl valve close main --reason "the crash test"
look
before=$(get meters kitchen accepted)
pulses_before=$(get meters kitchen pulses)
irq=$(irq_of kitchen)
echo 1 >/run/spying

# Reads the valve's line all the time; some 100 times a second.
spy() {
    local path level bad=0 looks=0
    path=$(gpiosim_line valves 0)/value
    while [[ -e /run/spying ]]; do
        read -r level <"$path" || true
        looks=$((looks + 1))
        [[ $level == 1 ]] || bad=$((bad + 1))
        # The machine has two processors and a test to run.
        nap 0.005
    done
    echo "$bad $looks" >/run/spied
}
spy &
spy=$!

# While nobody reads the level back, pulses are judged by their edges alone.
kills=5
drive "$line"
last=$pulses_before
for ((i = 1; i <= kills; i++)); do
    sleep 2
    kill_gasd
    until_true 10 "gasctl after a kill" look
    now=$(get meters kitchen pulses)
    ((now >= last)) || fail "the total went back from $last to $now after kill $i"
    last=$now
    equal "$(irq_of kitchen)" "$irq" "kill $i: the line's interrupt is still number $irq"
    equal "$(get valves main position) $(get valves main holds "#")" "closed 1" "kill $i: the hold is there and the valve closed"
done
ok "the total never went back"
sleep 1
systemctl restart gasd
equal "$(irq_of kitchen)" "$irq" "restart: the line's interrupt is still number $irq"
stop_driving
exact kitchen $((before + driven)) "$kills kills and a restart under edges"
equal "$(get meters kitchen pulses)" $((pulses_before + driven)) "the total has each pulse once"
equal "$(systemctl show -P NFileDescriptorStore gasd)" 5 "systemd still keeps one descriptor a line"
rm /run/spying
wait "$spy"
read -r bad looks </run/spied
equal "$bad" 0 "the valve's line read closed all the time ($looks looks)"
equal "$(get valves main holds 0 reason)" "the crash test" "the hold outlived all of it"
gasctl valve open main
