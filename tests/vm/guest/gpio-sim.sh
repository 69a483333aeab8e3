# shellcheck shell=bash
# Simulated GPIO chips, for tests in the guest: source this file.
#
#   gpiosim_create NAME NLINES          make a chip, print its device (/dev/gpiochipN)
#   gpiosim_destroy NAME                remove it; a held line is taken from its holder
#   gpiosim_pull CHIP LINE up|down      pull an input line: an edge if that changes it
#   gpiosim_value CHIP LINE             print the line's level, 0 or 1, input or output
#   gpiosim_line CHIP LINE              print the line's sysfs folder (for pulldriver)
#   gpiosim_irqs LABEL                  print how often lines held as LABEL interrupted
#   gpiosim_pin LABEL                   let no edge of LABEL's lines be merged; see below
#
# CHIP is the NAME given to gpiosim_create, or its /dev/gpiochipN.
# A new line is pulled down. Each pull that changes the level of a line requested
# with that edge is exactly one interrupt. The chip's event queue may show fewer:
# the thread that fills it merges edges that come before it has run. That thread is
# real-time, so on the processor that pulls it always runs before the next pull:
# after `gpiosim_pin LABEL`, pull with `taskset -c 0 pulldriver …` and none is merged.

_gpiosim_configfs=/sys/kernel/config/gpio-sim

_gpiosim_fail() {
    echo "gpio-sim: $*" >&2
    return 1
}

_gpiosim_setup() {
    [[ -d $_gpiosim_configfs ]] && return
    modprobe gpio-sim || _gpiosim_fail "cannot load gpio-sim.ko" || return
    [[ -d $_gpiosim_configfs ]] || mount -t configfs configfs /sys/kernel/config \
        || _gpiosim_fail "cannot mount configfs" || return
    [[ -d $_gpiosim_configfs ]] || _gpiosim_fail "$_gpiosim_configfs did not appear"
}

gpiosim_create() {
    local name=$1 lines=$2 dir=$_gpiosim_configfs/$1 chip
    _gpiosim_setup || return
    mkdir "$dir" "$dir/bank0" || _gpiosim_fail "cannot make chip $name; does it exist?" || return
    echo "$lines" >"$dir/bank0/num_lines" || return
    echo "$name" >"$dir/bank0/label" || return
    echo 1 >"$dir/live" || _gpiosim_fail "chip $name with $lines lines did not go live" || return
    chip=$(<"$dir/bank0/chip_name")
    [[ -c /dev/$chip ]] || _gpiosim_fail "/dev/$chip did not appear" || return
    echo "/dev/$chip"
}

gpiosim_destroy() {
    local dir=$_gpiosim_configfs/$1
    [[ -d $dir ]] || _gpiosim_fail "no chip $1" || return
    echo 0 >"$dir/live" || return
    rmdir "$dir/bank0" "$dir"
}

# Prints the configfs folder of CHIP.
_gpiosim_dir() {
    local dir chip
    if [[ $1 != /dev/* ]]; then
        [[ -d $_gpiosim_configfs/$1 ]] || _gpiosim_fail "no chip $1" || return
        echo "$_gpiosim_configfs/$1"
        return
    fi
    for dir in "$_gpiosim_configfs"/*/; do
        # `read` fails on a file without a final newline but still fills the name.
        read -r chip <"$dir/bank0/chip_name" || true
        [[ /dev/$chip != "$1" ]] || { echo "${dir%/}"; return; }
    done
    _gpiosim_fail "no simulated chip is $1"
}

gpiosim_line() {
    local dir chip device
    dir=$(_gpiosim_dir "$1") || return
    read -r chip <"$dir/bank0/chip_name" || true
    read -r device <"$dir/dev_name" || true
    local path=/sys/devices/platform/$device/$chip/sim_gpio$2
    [[ -d $path ]] || _gpiosim_fail "chip $1 has no line $2" || return
    echo "$path"
}

gpiosim_pull() {
    local path
    [[ $3 == up || $3 == down ]] || _gpiosim_fail "pull '$3': want up or down" || return
    path=$(gpiosim_line "$1" "$2") || return
    echo "pull-$3" >"$path/pull"
}

gpiosim_value() {
    local path value
    path=$(gpiosim_line "$1" "$2") || return
    read -r value <"$path/value" || true
    echo "$value"
}

# Prints number and count of each interrupt labelled LABEL. Columns of
# /proc/interrupts: number, one count for each processor, chip, line, LABEL.
_gpiosim_rows() {
    awk -v label="$1" '
        NR == 1 { cpus = NF; next }
        # LABEL may hold spaces.
        substr($0, length($0) - length(label)) == " " label {
            sum = 0
            for (i = 2; i <= cpus + 1; i++) sum += $i
            print $1 + 0, sum
            found = 1
        }
        END { exit !found }
    ' /proc/interrupts || _gpiosim_fail "no interrupt is labelled '$1'"
}

gpiosim_irqs() {
    local rows
    rows=$(_gpiosim_rows "$1") || return
    awk '{ sum += $2 } END { print sum }' <<<"$rows"
}

gpiosim_pin() {
    local rows number thread
    rows=$(_gpiosim_rows "$1") || return
    while read -r number _; do
        # Named irq/NUMBER-LABEL, cut to 15 characters.
        thread=$(pgrep "^irq/$number-") || _gpiosim_fail "interrupt $number has no thread" || return
        taskset -p -c 0 "$thread" >/dev/null || return
    done <<<"$rows"
}
