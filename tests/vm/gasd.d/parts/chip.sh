# shellcheck shell=bash disable=SC2154
# A chip goes away and comes back: an unplugged USB expander, a driver that is loaded anew.

look
before=$(get meters kitchen accepted)
irqs=$(gpiosim_irqs gasd:kitchen)
gpiosim_destroy meters
wait_for_words "there is no GPIO chip \"meters\"; this machine has gpiochip1 (valves)" 20 meters kitchen health
ok "a chip that is gone is said in words: $(get meters kitchen health)"
equal "$(systemctl show -P ActiveState gasd)" active "the daemon goes on"
chip=$(gpiosim_create meters 8)
udevadm settle
for id in kitchen boiler garage hall; do
    wait_for ok 20 meters "$id" health
done
ok "the chip is back as $chip: every line was found again"
line=$(gpiosim_line meters 3)
noisy_pulses "$line" 3 | play
exact kitchen $((before + 3)) "counting goes on" "$irqs"
drive "$line"
kill_gasd
stop_driving
exact kitchen $((before + 3 + driven)) "a line that came back is kept over a kill" "$irqs"

gasctl valve close main --reason "the chip test"
gpiosim_destroy valves
wait_for_words 'there is no GPIO chip "valves"; this machine has' 20 valves main health
ok "a valve without its chip says so: $(get valves main health)"
gpiosim_create valves 8 >/dev/null
udevadm settle
wait_for closed 20 valves main position
equal "$(gpiosim_value valves 0)" 1 "a held valve whose chip came back is driven closed"
kill_gasd
equal "$(gpiosim_value valves 0)" 1 "and its level is kept over a kill"
equal "$(systemctl show -P NFileDescriptorStore gasd)" 5 "systemd keeps no descriptor of a chip that is gone"
gasctl valve open main
