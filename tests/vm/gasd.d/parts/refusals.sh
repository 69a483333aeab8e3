# shellcheck shell=bash disable=SC2154
# What gasd refuses, in which words and with which exit code, and that nothing is half done.

mkdir -p /run/refusals
chown gasd:gasd /run/refusals
cd /run/refusals || exit
# Not the running daemon's pins: where it works, one in user space is refused before it looks at a line.
chip=/dev/$(basename "$(gpiosim_line meters 0 | xargs dirname)")

# config LINE [CHIP]: a configuration with one meter, called kitchen as the running daemon's.
config() {
    printf '[[meter]]\nid = "kitchen"\ngpio = { chip = "%s", line = %s }\npulse_volume = "10 L"\n' "${2:-meters}" "$1" >config.toml
    printf 'filter = { min_width = "2 s", min_idle = "2 s" }\n' >>config.toml
}
store=/run/refusals/store
run_gasd() { as_gasd gasd run --config config.toml --bus none --store "$store" "$@"; }

config 1 nochip
refused 3 'there is no GPIO chip "nochip"; this machine has gpiochip' "a missing chip" run_gasd --userspace --pins /run
has "$(</run/refused)" "(meters)" "the chips that are there are listed"
config 8
refused 3 "chip meters has lines 0 to 7, not 8" "a line out of range" run_gasd --userspace --pins /run
config 3
refused 5 'in use by "gasd:kitchen"' "a line of another gasd" run_gasd --userspace --pins /run
mkfifo ready
edges hold "$chip" 0 "a radio" in 3>ready &
holder=$!
read -r _ <ready
config 0
refused 5 'in use by "a radio"; stop that program or free the line' "a line that another program holds" run_gasd --userspace --pins /run
kill "$holder"

config 1
as_nobody=(timeout 60 setpriv --reuid nobody --regid nogroup --clear-groups --bounding-set -all)
mkdir -m 777 nobody
refused 4 "group gasd" "device files that may not be opened" \
    "${as_nobody[@]}" gasd run --userspace --config config.toml --bus none --store nobody/store
config 1 "$chip"
refused 4 "$chip; add the user of gasd to group gasd" "a device file that may not be opened" \
    "${as_nobody[@]}" gasd run --userspace --config config.toml --bus none --store nobody/store
refused 4 "no permission to open /run/gasd/bpf" "pins that may not be opened" \
    "${as_nobody[@]}" gasd run --config config.toml --bus none --store nobody/store
refused 4 "CAP_BPF and CAP_PERFMON" "loading without the capabilities" as_gasd gasd load --force

mkdir plain
refused 3 "is no BPF file system; mount one there" "a plain directory for the pins" gasd load --pins plain
equal "$(ls plain)" "" "nothing was made in it"
mkdir foreign
mount -t bpf bpf foreign
refused 3 "nothing is loaded under" "a daemon without its programs" run_gasd --pins foreign
mkdir foreign/dispatch
bpfprobe foreign/dispatch/irq_lines
refused 6 "irq_lines is a foreign or older pin: expected array (key 4 B, value 4 B" "a foreign pin in place" gasd load --pins foreign
equal "$(cd foreign && find . | sort | xargs)" ". ./dispatch ./dispatch/irq_lines" "the foreign pin is untouched and alone"
umount foreign

# A second gasd on the same store and the same pins, with other settings for the same meter.
look
before=$(get meters kitchen accepted)
irq=$(irq_of kitchen)
config 7
store=/var/lib/gasd/gasd.redb
refused 5 "is in use by another gasd" "a second gasd with the same store" run_gasd
store=/run/refusals/store
refused 5 "another gasd works off the events under /run/gasd/bpf" "a second gasd with a store of its own" run_gasd
equal "$(irq_of kitchen)" "$irq" "the first one's interrupt is where it was"
noisy_pulses "$(gpiosim_line meters 3)" 3 | play
three_more() { look_equals $((before + 3)) meters kitchen accepted; }
until_true 10 "three more pulses" three_more
ok "the first one's line and filter are as they were"
cd /
