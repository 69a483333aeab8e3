# shellcheck shell=bash disable=SC2034,SC2054,SC2154,SC2015
# SPDX-License-Identifier: MIT OR Apache-2.0
# What the parts share. $work is a folder of this run, $C the folder of the library, $tree the tree.

ok() { echo "ok $*"; }
fail() {
    echo "not ok $*" >&2
    failed=1
}
skipped() { echo "SKIPPED $*: NOT TESTED"; }

# same A B BEHAVIOUR: two texts are equal.
same() {
    if [[ $1 == "$2" ]]; then ok "$3"; else
        fail "$3:"
        diff <(echo "$1") <(echo "$2") | sed 's/^/#   /' >&2
    fi
}

# functions_of HEADER: the functions that it declares.
functions_of() { prototypes_of "$1" | grep -oE 'gasd_[a-z_]+ *\(' | tr -d ' (' | sort; }

# prototypes_of HEADER: each on a line of its own, without its semicolon.
prototypes_of() {
    ${CC:-cc} -E -P -x c "$1" | tr '\n' ' ' | sed 's/;/;\n/g' |
        sed -nE '/typedef/d; s/^ *(.*\bgasd_[a-z_]+\(.*\));$/\1/p'
}

# exports_of_map MAP: "function@@node" for each.
exports_of_map() {
    awk '/^[A-Z].*\{/ { node = $1 } /^ *gasd_/ { sub(/;/, "", $1); print $1 "@@" node }' "$1" | sort
}

# exports_of LIBRARY: the same of a library, with whatever else it shows.
exports_of() {
    nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { print $3 }' | sort
}

# stub HEADER MAP FOLDER: a libgasdetect.so.1 with the header's functions, of which none does anything; with debug
# information, so that it says of the types what the header says.
stub() {
    mkdir -p "$3"
    {
        echo '#include "gasdetect.h"'
        prototypes_of "$1" | sed 's/$/ { __builtin_trap(); }/'
    } >"$3/stub.c"
    cp "$1" "$3/gasdetect.h"
    (cd "$3" && ${CC:-cc} -g -w -shared -fPIC "-fdebug-prefix-map=$3=." -o libgasdetect.so.1 stub.c \
        -Wl,-soname,libgasdetect.so.1 -Wl,--version-script,"$2")
    ln -sf libgasdetect.so.1 "$3/libgasdetect.so"
}

# compile NAME [FLAG...]: a program of this folder, against the library.
compile() {
    local name=$1
    shift
    ${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -g -O1 -I"$C/include" -o "$work/$name" "$tree/tests/clib/$name.c" "$@" \
        -L"$C" -lgasdetect -Wl,-rpath,"$C" -lpthread -ldl
}

# How programs are watched: flags for `compile`, and a command to run them below.
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
valgrind=(valgrind -q --fair-sched=try --leak-check=full --show-leak-kinds=definite,indirect,possible
    --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 "--suppressions=$tree/tests/clib/valgrind.supp")
has_sanitizers() { [[ $(${CC:-cc} -print-file-name=libasan.so) != libasan.so ]]; }
# watches NAME: fails when the sanitizers' runtime is not in the program.
watches() {
    [[ $(nm -D "$work/$1") == *" __asan_init"* && $(ldd "$work/$1") == *libasan* ]] ||
        fail "$1 is not watched: the runtime is not linked"
}

# runs SECONDS COMMAND...: what it says goes on; that it fails is noted.
runs() {
    local seconds=$1
    shift
    timeout "$seconds" "$@" || {
        set -- "$?" "${1##*/}"
        fail "$2 ended with $1"
    }
}

# Nobody but the part has descriptor 7, by which restart asks its client.
start_bus() {
    cat >"$work/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=$work/bus</listen><policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>${bus_rules:-}</policy></busconfig>
END
    rm -f "$work/bus"
    dbus-daemon --config-file="$work/bus.conf" --nofork >"$work/bus.out" 2>&1 7>&- &
    bus_pid=$!
    bus=unix:path=$work/bus
    until [[ -S $work/bus ]]; do
        kill -0 "$bus_pid" 2>/dev/null || {
            echo "lib.sh: no bus: $(<"$work/bus.out")" >&2
            exit 2
        }
        sleep 0.05
    done
}
stop_bus() {
    kill -9 "$bus_pid" && wait "$bus_pid"
    bus_pid=
} 2>/dev/null

# start_gasd SPEED: one that plays $trace, or a household, on the meter kitchen. The valve main is not of that meter:
# behind a closed one nothing would flow.
start_gasd() {
    cat >"$work/gasd.toml" <<END
[store]
path = "$work/store.redb"
[[meter]]
id = "kitchen"
line = 4
pulse_volume = "1 L"
max_flow = "6 m3/h"
${more_meters:-}
[[valve]]
id = "main"
actuator = "simulated"
END
    "$gasd" run --userspace --bus "$bus" --config "$work/gasd.toml" --play "${trace:-household}" --speed "$1" >>"$work/gasd.out" 2>&1 7>&- &
    gasd_pid=$!
}
stop_gasd() {
    kill -9 "$gasd_pid" && wait "$gasd_pid"
    gasd_pid=
} 2>/dev/null

# with_bus COMMAND...: beside a bus without a gasd.
with_bus() {
    if ! command -v dbus-daemon >/dev/null; then
        skipped "$* (no dbus-daemon)"
        return
    fi
    start_bus
    "$@"
    stop_bus
}

# with_house SPEED COMMAND...: beside a bus and a gasd of its own.
with_house() {
    local speed=$1
    shift
    if [[ ! -x $gasd ]] || ! command -v dbus-daemon >/dev/null; then
        skipped "$* (no gasd at $gasd, or no dbus-daemon)"
        return
    fi
    rm -f "$work/store.redb"
    start_bus
    start_gasd "$speed"
    "$@"
    stop_gasd
    stop_bus
}
