# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# gasd is killed again and again, the bus now and then, and one client lives through it.
cycles=${CYCLES:-100}

# heard PATTERN: how many lines of the client are so.
heard() { grep -cE "$1" "$work/client.out"; }
# hears PATTERN MORE-THAN WHAT: waits for one line more.
hears() {
    local until=$((SECONDS + 15))
    until (($(heard "$1") > $2)); do
        ((SECONDS < until)) || {
            fail "cycle $cycle: the client did not hear: $3"
            return 1
        }
        sleep 0.02
    done
}
# weigh: what the client weighs now: "rss N fds N live ...".
weigh() {
    local before
    before=$(heard '^rss')
    echo >&7
    hears '^rss' "$before" "its own weight"
    grep '^rss' "$work/client.out" | tail -n 1
}

# told and taken_back: the numbers of verdicts.
told() { sed -n 's/^made \([0-9]*\) .*/\1/p' "$work/client.out" | sort -u; }
taken_back() { sed -n 's/^acknowledged //p' "$work/client.out" | sort -u; }

restarts() {
    local cycle=0 seen ready gaps first='' last duplicates missing waiting lost=0 shorter
    compile restart
    mkfifo "$work/ask"
    "$work/restart" "$bus" <"$work/ask" >"$work/client.out" 2>"$work/client.err" &
    client_pid=$!
    exec 7>"$work/ask"
    hears '^state 3' 0 "that gasd is there" || return
    while ((++cycle <= cycles)); do
        # Verdicts are made while gasd is killed.
        sleep "0.$((RANDOM % 5 + 1))"
        # A person has looked at them.
        if ((cycle % 3 == 0)); then
            mapfile -t seen < <(comm -23 <(told) <(taken_back))
            "$gasctl" --bus "$bus" ack "${seen[@]}" >/dev/null 2>&1
        fi
        ready=$(heard '^state 3') gaps=$(heard '^gap 1')
        stop_gasd
        if ((cycle % (cycles / 5) == 0)); then
            lost=$((lost + 1))
            stop_bus
            hears '^state 0' $((lost - 1)) "that the bus is away" || break
            start_bus
        fi
        start_gasd 1000
        hears '^state 3' "$ready" "that gasd is there again" && hears '^gap 1' "$gaps" "of the gap" || break
        ((cycle == cycles / 10)) && first=$(weigh)
    done
    last=$(weigh)
    # The play ends, so that nothing more is made.
    sleep 4
    echo "# $(heard '^made') verdicts, $(heard '^explained') of them explained later, $(heard '^acknowledged') waited no more"
    kill -0 "$client_pid" 2>/dev/null && ok "the client lives through $cycles deaths of gasd and $lost of the bus" || fail "the client has ended: $(cat "$work/client.err")"
    (($(heard '^state 1') + $(heard '^state 0') >= cycles && $(heard '^state 3') > cycles)) && ok "it is told each time that gasd is away, and that it is there" ||
        fail "it was told $(heard '^state 1') times that gasd is away, and $(heard '^state 3') that it is there"
    (($(heard '^gap 1') == cycles)) && ok "it is told one gap for each" || fail "$(heard '^gap 1') gaps for $cycles restarts"
    duplicates=$(sed -n 's/^made \([0-9]*\) .*/\1/p' "$work/client.out" | sort | uniq -d)
    same "$duplicates" "" "no verdict is told twice"
    duplicates=$(grep -E '^(explained|acknowledged) ' "$work/client.out" | sort | uniq -d)
    same "$duplicates" "" "none is explained or acknowledged twice"
    waiting=$("$gasctl" --bus "$bus" --json status | grep -oE '"verdicts":.*' | grep -oE '"id":[0-9]+' | cut -d : -f 2 | sort)
    [[ -n $waiting ]] || fail "no verdict waits: nothing was tested"
    missing=$(comm -23 <(echo "$waiting") <(told))
    same "$missing" "" "every verdict that gasd has was told"
    # What was told and not taken back is what waits.
    same "$(comm -23 <(told) <(taken_back))" "$waiting" "what was told and waits no more was told to"
    echo "# after $((cycles / 10)) restarts: $first; after $cycles: $last"
    local rss0 rss1 fds0 fds1
    read -r _ rss0 _ fds0 _ <<<"$first"
    read -r _ rss1 _ fds1 _ <<<"$last"
    ((rss1 <= rss0 + 1024)) && ok "its memory stays" || fail "its memory grew from $rss0 to $rss1 KiB"
    ((fds1 == fds0)) && ok "its descriptors stay" || fail "$fds1 descriptors, $fds0 before"
    [[ $last == *"live GASD_OK" ]] && ok "its live handle is good in the end" || fail "$last"
    exec 7>&-
    wait "$client_pid" || fail "the client ended with $?"
    client_pid=
}
# A hose for half a minute, every two minutes.
trace=$work/hoses.csv
awk 'BEGIN {
    print "t_ns,line,level"
    for (hose = 0; hose < 20; hose++)
        for (i = 0; i < 75; i++) {
            ms = 5000 + hose * 120000 + i * 400
            printf "%d000000,4,1\n%d000000,4,0\n", ms, ms + 160
        }
}' >"$trace"
with_house 1000 restarts
trace=
