# shellcheck shell=bash disable=SC2154
# Programs replaced under edges.

line=$(gpiosim_line meters 3)
look
before=$(get meters kitchen accepted)
pid=$(main_pid)
drive "$line"
swaps=5
for ((i = 1; i <= swaps; i++)); do
    has "$(as_loader gasd load --force)" "programs replaced, no edge lost" "swap $i"
    sleep 0.3
done
stop_driving
exact kitchen $((before + driven)) "$swaps swaps under edges"
equal "$(as_loader gasd load --json | jget swapped)" false "loading the same programs again changes nothing"
equal "$(main_pid)" "$pid" "the daemon went on all the while"
