# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The C library from its packages: the examples are built against what is installed and follow the household's hose.

files >/run/files-before-library
apt_get install /test/library/*.deb
grep -qi -e warning -e error /run/apt.log && fail "the install complains: $(</run/apt.log)"
ok "libgasdetect1, libgasdetect-dev and lua-gasdetect are installed"
examples=/usr/share/doc/libgasdetect-dev/examples
built=/run/clib
install -d -m 0755 "$built"

# example NAME SOURCE [PACKAGE]: builds an example as its page says.
example() {
    local flags
    read -r -a flags <<<"$(pkg-config --cflags --libs gasdetect ${3:+"$3"})"
    gcc -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror -o "$built/$1" "$examples/$2" "${flags[@]}" >"$built/cc" 2>&1 ||
        fail "$2 does not compile: $(<"$built/cc")"
}
example valve c/valve.c
example feed c/feed.c
example readings c/readings.c
example libuv libuv/monitor.c libuv
example glib glib/monitor.c glib-2.0
has "$(ldd "$built/valve")" "libgasdetect.so.1 => /" "pkg-config finds the package, and the linker what it names"
said=$(pkg-config --static --cflags --libs gasdetect)
read -r -a flags <<<"${said/-lgasdetect/-Wl,-Bstatic -lgasdetect -Wl,-Bdynamic}"
gcc -std=c99 -O2 -o "$built/static" "$examples/c/valve.c" "${flags[@]}" >"$built/cc" 2>&1 ||
    fail "the static library does not link: $(<"$built/cc")"
[[ $(ldd "$built/static") != *gasdetect* ]] || fail "valve.c was not linked statically"
ok "the static library links, with what pkg-config says it needs"

# follow NAME USER COMMAND...: runs a client; what it says is in $built/NAME.out. The process is the client itself.
declare -A client
follow() {
    setpriv --reuid "$2" --regid "$2" --init-groups -- "${@:3}" >"$built/$1.out" 2>&1 </dev/null &
    client[$1]=$!
}
says() { grep -qF -- "$2" "$built/$1.out"; }
# hears SECONDS NAME WORDS WHAT
hears() {
    local deadline=$((SECONDS + $1))
    until says "$2" "$3"; do
        ((SECONDS < deadline)) || fail "$4: '$3' is not in: $(<"$built/$2.out")"
        sleep 0.1
    done
    ok "$4: $(grep -m 1 -F -- "$3" "$built/$2.out" | cut -c 1-150)"
}

# A meter of a program's own beside the household's.
cat >/etc/gasd/conf.d/50-stack.toml <<'END'
[[meter]]
id = "stack"
source = "stack"
pulse_volume = "10 mL"

[[meter]]
id = "flat"
source = "stack"
readings = { every = "1 s", resolution = "50 mL", rollover = "100000 m3" }
END
has "$(gasd check-config --replay 2>/dev/null)" "readings of 0.05 L every 1 s" "check-config says what readings like these show"
systemctl restart gasd || fail "a meter with source = \"stack\" is refused: $(news)"
up
# Gas may flow, and nothing waits. Twice, where a verdict comes in between.
let_flow() {
    local verdict
    look
    for verdict in $(verdicts); do
        as keeper gasctl ack "$verdict" || return
    done
    as keeper gasctl valve open main && as keeper gasctl valve open garden
}
until_true 10 "the valves to open" let_flow

follow valve keeper "$built/valve" garden
follow static keeper "$built/static" main
follow reader reader "$built/valve" main
follow stranger stranger "$built/valve" main
follow libuv reader "$built/libuv"
follow glib reader "$built/glib"
lua=()
subscriber=/usr/share/doc/lua-gasdetect/examples/subscriber.lua
if [[ -e $subscriber ]]; then
    lua=(lua5.4 luajit)
    follow lua5.4 reader lua5.4 "$subscriber" info
    follow luajit reader luajit "$subscriber" info
else
    echo "SKIPPED: the Lua subscriber: lua-gasdetect has none" >&2
fi
for name in valve static reader libuv glib "${lua[@]}"; do
    hears 30 "$name" "ready" "$name is connected" >/dev/null
done
hears 30 stranger "become a member of the group gasd-read" "who is in no group is told what is missing"

# The household begins anew while they are connected, and a program hands in forty pulses meanwhile.
pulses_of_stack() { property meters/stack Meter Pulses | cut -d ' ' -f 2; }
fed_at_least() { (($(pulses_of_stack) >= $1)); }
# The times are the edges' own: how soon the program gets to read them must not matter.
now_ns() { awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime; }
(from=$(now_ns) && for ((n = 0; n < 40; n++)); do
    echo "1 $((from + n * 150000000))"
    sleep 0.05
    echo "0 $((from + n * 150000000 + 50000000))"
    sleep 0.1
done) |
    as keeper "$built/feed" stack >"$built/feed.out" 2>&1 &
feeder=$!
(for ((n = 0; n < 40; n++)); do echo "$((n / 20 + 7)).$(printf %02d $((n % 20 * 5)))"; sleep 0.2; done) |
    as keeper "$built/readings" flat >"$built/readings.out" 2>&1 &
reader_of_register=$!
until_true 10 "the first pulses that are handed in" fed_at_least 5
systemctl restart gasd
up
hears 30 libuv "gap: gasd was away" "a restart of gasd is a gap to libuv's monitor"
hears 30 glib "gap: gasd was away" "and to GLib's"
hears 30 libuv "m3/h (simulated)" "libuv's monitor prints readings"
wait "$feeder" || fail "the feed ended with $?: $(<"$built/feed.out")"
hears 10 feed "80 edges taken, 0 refused, 0 not handed over" "edges are handed in while gasd restarts"
until_true 20 "the last pulse that was handed in" fed_at_least 40
equal "$(pulses_of_stack)" 40 "each of the forty pulses is counted once"
wait "$reader_of_register" || fail "the readings ended with $?: $(<"$built/readings.out")"
hears 10 readings "40 readings taken, 0 refused, 0 not handed over" "readings are on the disk, over the same restart"
equal "$(property meters/flat Meter VolumeMicrolitres)" "t 1950000" "the total is what the register has moved"

hears 45 valve "gas flow rose" "the controller hears of the hose"
until_true 20 "the controller's answer: $(<"$built/valve.out")" grep -qx closed "$built/valve.out"
ok "it has closed the valve, and was told so"
equal "$(position garden)" closed "the valve garden is closed"
has "$(property valves/garden Valve Holds)" "warning of gasd" "and held for the controller's reason"
until_true 20 "the static controller's answer: $(<"$built/static.out")" grep -qx closed "$built/static.out"
ok "the controller that is linked statically does the same"
for name in libuv glib; do
    hears 20 "$name" "gas flow rose" "$name's monitor prints the verdict"
done
for name in "${lua[@]}"; do
    hears 20 "$name" "gas flow rose" "the subscriber prints it with $name"
done
hears 20 reader "become a member of the group gasd-control" "who may only read is told what closing wants"
! says stranger "verdict" || fail "a stranger heard of a verdict: $(<"$built/stranger.out")"
ok "a stranger hears nothing of it"

refusal=$(as keeper timeout 20 "$built/feed" kitchen <<<"1" 2>&1) && fail "feed kitchen succeeded: $refusal"
has "$refusal" "REFUSED: " "a meter that has a line of its own takes no edges: $(grep -m 1 REFUSED <<<"$refusal")"
refusal=$(as reader timeout 20 "$built/feed" stack <<<"1" 2>&1) && fail "feed of a reader succeeded: $refusal"
has "$refusal" "gasd-control" "handing in wants the group gasd-control: $(grep -m 1 REFUSED <<<"$refusal")"

for name in libuv glib; do
    kill -INT "${client[$name]}"
    wait "${client[$name]}" || fail "$name's monitor ended with $?: $(tail -n 3 "$built/$name.out")"
done
ok "the monitors end in order"
for name in valve static reader stranger "${lua[@]}"; do
    kill "${client[$name]}"
    wait "${client[$name]}" || true
done

apt_get purge libgasdetect1 libgasdetect-dev lua-gasdetect
rm -r "$built" /etc/gasd/conf.d/50-stack.toml
files >/run/files-after-library
equal "$(diff /run/files-before-library /run/files-after-library)" "" "purged, the library leaves nothing behind"

# What comes next begins with a household whose gas flows: from its first flame on, not behind the open hose.
systemctl restart gasd
up
until_true 10 "the valves to open" let_flow
