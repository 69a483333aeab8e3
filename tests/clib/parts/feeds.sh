# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# Meters whose pulses a program hands in.
more_meters=$(printf '[[meter]]\nid = "%s"\nsource = "stack"\npulse_volume = "100 mL"\n' pulses contact misused)

# end_gasd: as the service manager ends it. In user space what was answered last is lost with a crash (docs/feeds.md).
end_gasd() {
    kill "$gasd_pid" && wait "$gasd_pid" || fail "gasd ended with $?"
    gasd_pid=
}
# pulses_of METER: as gasd says it.
pulses_of() { "$gasctl" --bus "$bus" --json status | grep -oE '"id":"'"$1"'"[^}]*' | grep -oE '"pulses":[0-9]+' | cut -d : -f 2; }
# says_pulses METER COUNT: waits until gasd says so.
says_pulses() {
    local until=$((SECONDS + 20))
    until [[ $(pulses_of "$1" 2>/dev/null) == "$2" ]]; do
        ((SECONDS < until)) || break
        sleep 0.1
    done
    same "$(pulses_of "$1")" "$2" "gasd has counted $2 pulses of the meter $1"
}

feeds() {
    local restarts=4 n counted contact
    compile feeds
    : >"$work/feeds.out"
    timeout 200 "$work/feeds" "$bus" "$restarts" >"$work/feeds.out" &
    client_pid=$!
    for ((n = 0; n < restarts; n++)); do
        until grep -q "^ready $n" "$work/feeds.out" || ! kill -0 "$client_pid" 2>/dev/null; do sleep 0.05; done
        sleep "0.$((RANDOM % 9 + 1))"
        end_gasd
        # The bus goes once, too.
        ((n == 1)) && { stop_bus; start_bus; }
        start_gasd 60
    done
    wait "$client_pid" || fail "feeds ended with $?"
    client_pid=
    read -r _ counted contact <<<"$(grep '^counted' "$work/feeds.out")"
    grep '^ok' "$work/feeds.out"
    says_pulses pulses "$counted"
    says_pulses contact "$contact"
    end_gasd
    start_gasd 60
    says_pulses pulses "$counted"
    says_pulses contact "$contact"
}
with_house 60 feeds
more_meters=
