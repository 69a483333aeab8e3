# shellcheck shell=bash
# What the parts of the test share.

# The last answer of `gasctl --json status`.
snapshot=/run/status.json

ok() { echo "ok $*"; }
# Not to stdout, which is thrown away where twenty times the same "ok" would say nothing.
fail() { echo "not ok $*" >&2; exit 1; }
equal() { [[ $1 == "$2" ]] || fail "$3: got '$1', expected '$2'"; ok "$3"; }
has() { [[ $1 == *"$2"* ]] || fail "$3: '$2' is not in: $1"; ok "$3"; }
# at_least A B WHAT: a number that may not have gone down.
at_least() { (($1 >= $2)) || fail "$3: $1, after $2"; }

# Called at the end: what a person wants to see of a failure.
explain() {
    (($1 == 0)) && return
    echo "# --- status ---"
    timeout 10 gasctl status 2>&1 || true
    cat "$snapshot" 2>/dev/null || true
    echo "# --- units ---"
    systemctl --no-pager status gasd gasd-load run-gasd-bpf.mount 2>&1 || true
    echo "# --- journal ---"
    journalctl --no-pager -o short-monotonic -u gasd -u gasd-load -u run-gasd-bpf.mount -n 60 || true
}

# Takes a snapshot. The readers below know that there is one meter, and that gasctl prints one line.
look() { gasctl --json status >"$snapshot"; }
# number NAME: the first number called so.
number() { grep -oE "\"$1\":[0-9]+" "$snapshot" | sed -n 1p | cut -d : -f 2; }
rejected() {
    local all
    all=$(grep -oE '"rejected":\{[^}]*\}' "$snapshot" | grep -oE ':[0-9]+' | tr -d '\n')
    echo $((${all//:/+}))
}
# verdicts: the numbers of the verdicts that wait; critical_verdict: the newest critical one's.
verdicts() { grep -oE '"verdicts":.*' "$snapshot" | grep -oE '"id":[0-9]+' | cut -d : -f 2; }
critical_verdict() {
    gasctl status | sed -n 's/^ *\([0-9][0-9]*\) *critical *surge *kitchen .*/\1/p' | tail -n 1
}
property() { busctl get-property io.gasd1 "/io/gasd1/$1" "io.gasd1.$2" "$3"; }
position() { property "valves/$1" Valve Position | cut -d '"' -f 2; }
pulses() { property meters/kitchen Meter Pulses | cut -d ' ' -f 2; }
# What gasd tells systemd, without the bus: "2 meters, 17 pulses, …".
pulses_without_bus() { systemctl show -P StatusText gasd | sed -n 's/.* \([0-9]*\) pulses.*/\1/p'; }

# Whether every edge has been judged.
balanced() {
    look && (($(number edges) + $(number recovered) == $(number accepted) + $(rejected)))
}
# The play is over: nothing has moved for two seconds of it, which is two minutes of the household.
settled() {
    local before
    look && before=$(number edges)
    sleep 2
    balanced && [[ $(number edges) == "$before" ]]
}
# Nothing was lost on the way, by any of the service's own counts.
nothing_lost() {
    local name
    look
    for name in ring_overrun queue_full fall_through events_missed; do
        [[ $(number "$name") == 0 ]] || fail "$1: $name is $(number "$name")"
    done
    ok "$1: nothing lost (ring_overrun, queue_full, fall_through, events_missed are 0)"
}

# until_true SECONDS WHAT COMMAND...: waits for a command to succeed.
until_true() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "waited too long for $what"
        sleep 0.1
    done
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

as() { timeout 60 runuser -u "$1" -- "${@:2}"; }
# Nothing here takes a minute; what ought to be refused must not go on for ever.
# As gasd-load.service does it.
as_loader() {
    timeout 60 setpriv --reuid gasd --regid gasd --init-groups \
        --inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon -- "$@"
}

main_pid() { systemctl show -P MainPID gasd; }
is_up() { [[ $(systemctl show -P ActiveState gasd) == active && $(main_pid) != "${1:-0}" ]]; }
on_bus() { busctl --timeout=2 get-property io.gasd1 /io/gasd1 io.gasd1.Manager Mode; }
# up [PID]: waits until gasd (not process PID) is up and on the bus.
up() {
    until_true 15 "gasd to be up" is_up "${1:-0}"
    until_true 15 "gasd to be on the bus" on_bus
}
# How long the last start took from exec to READY, ms.
ready_ms() {
    local from to
    from=$(systemctl show -P ExecMainStartTimestampMonotonic gasd)
    to=$(systemctl show -P ActiveEnterTimestampMonotonic gasd)
    echo $(((to - from) / 1000))
}

# news: what gasd and its units have written to the journal since the last call.
news() {
    journalctl --sync
    journalctl --cursor-file=/run/gasd-test-cursor -o cat --no-pager -u gasd -u gasd-load
}

# Conditions for until_true.
tells_systemd() { [[ -n $(pulses_without_bus) ]]; }
surge_waits() { [[ -n $(critical_verdict) ]]; }
is_position() { [[ $(position "$1") == "$2" ]]; }
more_pulses_than() { (($(pulses) > $1)); }
status_has() { [[ $(gasctl status) == *"$1"* ]]; }

# A train of edges from outside of gasd: `board` makes its meter the only one, `depart [GAP_MS]` starts it and
# `arrive` ends it, compares, and says WHAT: each pulse is in the total once.
board() {
    cp /test/train.toml /etc/gasd/gasd.toml
    cp /test/silence.conf /etc/systemd/system/gasd.service.d/play.conf
    systemctl daemon-reload
    systemctl restart gasd
    up 0
}
train_pulses() { property meters/train Meter Pulses | cut -d ' ' -f 2; }
depart() {
    boarded=$(train_pulses)
    /test/edgetrain "/run/gasd/bpf/v$(layout)" train "${1-20}" >/run/train &
    train=$!
    until_true 10 "the train's first pulse" train_moves
}
train_moves() { (($(train_pulses) > boarded)); }
arrive() {
    kill "$train"
    wait "$train" || fail "$1: the train was derailed: $(</run/train)"
    until_true 5 "$1: the last of $(</run/train) pulses; before $boarded, now $(train_pulses)" all_there
    sleep 1
    equal "$(train_pulses)" $((boarded + $(</run/train))) "$1: every pulse is in the total, once ($(</run/train) of them)"
}
all_there() { (($(train_pulses) >= boarded + $(</run/train))); }
# The layout that counts.
layout() { find /run/gasd/bpf -maxdepth 1 -name 'v*' -printf '%f\n' | tr -d v | sort -n | tail -n 1; }

# Offline: what the packages depend on is there.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >/run/apt.log 2>&1 || fail "apt-get $*: $(</run/apt.log)"; }
installed() { dpkg-query -W -f '${Version}' "$1"; }
# Every file there is but those that others change all the time: logs, caches, dpkg's and passwd's
# copies of the state before.
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /test \
        -o -path /var/log -o -path /var/cache -o -path /home -o -path /root -o -path /var/lib/apt/lists -o -path /var/lib/systemd/random-seed \) -prune \
        -o ! -path '/etc/*-' ! -path '/var/lib/dpkg/*-old' ! -path /etc/.pwd.lock -print | sort
}
