# shellcheck shell=bash
# What the parts of the test share. Sourced after gpio-sim.sh.

# The last answer of `gasctl --json status`.
snapshot=/run/status.json
pulldriver=/usr/lib/gasd-test/pulldriver

# nap SECONDS: a short sleep without a process of its own.
exec {never}<> <(:)
nap() { read -r -t "$1" -u "$never" _ || true; }

ok() { echo "ok $*"; }
fail() { echo "not ok $*"; exit 1; }
skip() { echo "skipped $*"; }
equal() { [[ $1 == "$2" ]] || fail "$3: got '$1', expected '$2'"; ok "$3"; }
has() { [[ $1 == *"$2"* ]] || fail "$3: '$2' is not in: $1"; ok "$3"; }

# Called at the end: what a person wants to see of a failure.
explain() {
    (($1 == 0)) && return
    echo "# --- status ---"
    timeout 10 gasctl status 2>&1 || true
    cat "$snapshot" 2>/dev/null || true
    grep gasd: /proc/interrupts || true
    echo "# --- journal ---"
    journalctl --no-pager -o short-monotonic -u gasd -u gasd-load -n 60 || true
    denials || true
    dmesg --level=err,warn | tail -n 20 || true
}

# What AppArmor has refused since the boot.
denials() { dmesg | grep 'apparmor="DENIED"'; }

# Takes a snapshot; `get` reads it: get meters kitchen accepted.
look() { gasctl --json status >"$snapshot"; }
get() { jget "$@" <"$snapshot"; }

# until_true SECONDS WHAT COMMAND...: waits for a command to succeed.
until_true() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" 2>/dev/null; do
        ((SECONDS < deadline)) || fail "waited too long for $what"
        sleep 0.1
    done
}

look_equals() { look && [[ $(get "${@:2}") == "$1" ]]; }
# wait_for VALUE SECONDS PATH...: until the status has VALUE at PATH.
wait_for() { until_true "$2" "${*:3} to be '$1'" look_equals "$1" "${@:3}"; }

look_has() { look && [[ $(get "${@:2}") == *"$1"* ]]; }
# wait_for_words WORDS SECONDS PATH...: until the value at PATH contains WORDS.
wait_for_words() { until_true "$2" "${*:3} to say '$1'" look_has "$1" "${@:3}"; }

# numbers METER: sets accepted, edges, and judged, which is what of the edges a reason is known for:
# accepted + rejected, less the pulses that had no edge.
numbers() {
    look
    local recovered rejected
    read -r accepted edges recovered rejected < <(get meters "$1" accepted , meters "$1" edges , \
        meters "$1" recovered , meters "$1" rejected +)
    judged=$((accepted + rejected - recovered))
}

# exact METER PULSES WHAT [EARLIER]: accepted pulses, edges against /proc/interrupts (and EARLIER
# interrupts, of a request that is gone), and that each edge has been judged. Waits until it is so,
# for a while: the status follows edges that are no pulses once a second.
exact() {
    local id=$1 pulses=$2 what=$3 irqs accepted edges judged deadline=$((SECONDS + 15))
    irqs=$(($(gpiosim_irqs "gasd:$id") + ${4:-0}))
    numbers "$id"
    until [[ "$accepted $edges $judged" == "$pulses $irqs $irqs" ]] || ((SECONDS >= deadline)); do
        sleep 0.2
        numbers "$id"
    done
    equal "$accepted" "$pulses" "$what: the pulses meant, exactly"
    equal "$edges" "$irqs" "$what: the edges of /proc/interrupts, exactly ($irqs)"
    equal "$judged" "$edges" "$what: each edge is a pulse or rejected for a reason"
    equal "$(get service fall_through)" 0 "$what: no interrupt fell through"
}

irq_of() { awk -v label="gasd:$1" '$NF == label { print $1 + 0 }' /proc/interrupts; }

# Rows for pulldriver. A pause comes before its pull and may grow on a slow machine, never shrink;
# pulls without a pause are one glitch as long as this machine does not stop between them.
row() { echo "$1 $2 $3"; }
burst() { # LINE COUNT FIRST SECOND: FIRST and SECOND in turn, without a pause
    local i
    for ((i = 0; i < $2; i++)); do
        row "$1" 0 "$3"
        row "$1" 0 "$4"
    done
}

# noisy_pulses LINE COUNT: pulses of 0.9 s every 1.8 s. In each, spikes while the contact is open,
# bounce as it closes, a dip while it is closed, bounce as it opens: 16 edges.
noisy_pulses() {
    local line=$1 i
    for ((i = 0; i < $2; i++)); do
        row "$line" 450000 up
        row "$line" 0 down
        burst "$line" 2 up down
        row "$line" 450000 up
        burst "$line" 2 down up
        row "$line" 450000 down
        row "$line" 0 up
        row "$line" 450000 down
        burst "$line" 1 up down
    done
}

# clean_pulses LINE COUNT CLOSED_US OPEN_US [CLOSED OPEN]: pulses without glitches.
clean_pulses() {
    local i
    for ((i = 0; i < $2; i++)); do
        row "$1" "$4" "${5:-up}"
        row "$1" "$3" "${6:-down}"
    done
}

# Plays rows from standard input. On the processor of the chip's interrupt threads, so that the
# chip's own event queue, which the filter in user space reads, merges nothing.
# Before everything else there but those threads, so that nothing stretches a glitch.
play() { taskset -c 0 chrt -f 10 "$pulldriver" -; }

# drive LINE: noisy pulses one after the other until `stop_driving`, which sets `driven` to their
# number. For what takes as long as it takes.
drive() {
    noisy_pulses "$1" 1 >/run/drive
    echo 0 >/run/driven
    touch /run/driving
    while [[ -e /run/driving ]]; do
        play </run/drive >>/run/drive.log || exit
        echo $(($(</run/driven) + 1)) >/run/driven
    done &
    driver=$!
}
stop_driving() {
    rm /run/driving
    wait "$driver" || fail "the edges stopped by themselves"
    driven=$(</run/driven)
    ((driven > 0)) || fail "not a single pulse was driven"
    echo "# $driven pulses; $(awk '$(NF - 2) > worst { worst = $(NF - 2) } END { print "at worst " worst " ms late" }' /run/drive.log)"
    rm /run/drive.log
}

# As the service's user without a capability, and with those of gasd-load.service.
as_gasd() {
    timeout 60 setpriv --reuid gasd --regid gasd --init-groups --bounding-set -all --no-new-privs -- "$@"
}
as_loader() {
    timeout 60 setpriv --reuid gasd --regid gasd --init-groups \
        --inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon -- "$@"
}

# refused CODE WORDS WHAT COMMAND...: the command ends with CODE and says WORDS.
refused() {
    local want=$1 words=$2 what=$3 got=0
    shift 3
    "$@" >/run/refused 2>&1 || got=$?
    [[ $got == "$want" ]] || fail "$what: exit code $got, expected $want: $(</run/refused)"
    grep -qF -- "$words" /run/refused || fail "$what: '$words' is not in: $(</run/refused)"
    ok "$what: exit code $want, $(tail -n 1 /run/refused)"
}

# What AppArmor keeps process PID to.
confined() { equal "$(tr -d '\0' <"/proc/$1/attr/apparmor/current")" "gasd-run (enforce)" "AppArmor confines the daemon"; }

main_pid() { systemctl show -P MainPID gasd; }
is_up() { [[ $(systemctl show -P ActiveState gasd) == active && $(main_pid) != "${1:-0}" ]]; }
# kill_gasd: as the kernel's memory killer would, and until systemd has brought it back.
kill_gasd() {
    local pid
    pid=$(main_pid)
    kill -9 "$pid"
    until_true 30 "gasd to come back after kill -9" is_up "$pid"
}
