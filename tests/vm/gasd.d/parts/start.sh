# shellcheck shell=bash disable=SC2154  # sourced by run, after lib.sh
# The units as they are installed: who runs as what, with what rights, and where the filter is.

# Every refusal of AppArmor is to be seen at the end.
sysctl -qw kernel.printk_ratelimit=0
chip=$(gpiosim_create meters 8)
equal "$chip" /dev/gpiochip0 "the meters' chip is the first"
dpkg -i /test/packages/*.deb >/run/dpkg.log 2>&1 || fail "dpkg -i: $(</run/dpkg.log)"
equal "$(systemctl is-active gasd-load gasd | sort -u)" active "dpkg installs the packages, and the daemon runs, without a meter"
equal "$(stat -c %G:%a "$chip")" gasd:660 "a chip that was there before is open to the group gasd"
chip=$(gpiosim_create valves 8)
equal "$chip" /dev/gpiochip1 "the valves' chip is the second"
udevadm settle
equal "$(stat -c %G:%a "$chip")" gasd:660 "the udev rule opens chips to the group gasd"

cp /test/gasd.toml /etc/gasd/gasd.toml
systemctl restart gasd
equal "$(systemctl show -P SubState gasd-load) $(systemctl show -P MainPID gasd-load)" "exited 0" \
    "gasd-load.service has loaded and is gone"
equal "$(stat -f -c %T /run/gasd/bpf)" bpf_fs "the pins lie on a BPF file system of their own"
# bpffs is always sticky.
equal "$(stat -c %U:%G:%a /run/gasd/bpf)" gasd:gasd-read:1750 "the pins belong to gasd, and gasd-read may look"
equal "$(stat -c %U:%G:%a /run/gasd/bpf/v1/maps/live)" gasd:gasd-read:660 "and map the live pages"
pid=$(main_pid)
equal "$(systemctl show -P ActiveState gasd)" active "gasd.service is active"
equal "$(stat -c %U:%G "/proc/$pid")" gasd:gasd "it runs as user and group gasd"
equal "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { printf "%s", $2 }' "/proc/$pid/status" | tr -d 0)" "" \
    "it has no capability, in no set"
equal "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")" 1 "it can gain no privilege"
confined "$pid"
look
equal "$(get service mode)" kernel "the filter runs in the kernel"
has "$(gasctl status)" "counting in the kernel" "gasctl says so in words"
status_line() { [[ $(systemctl show -P StatusText gasd) == *"filter in kernel"* ]]; }
until_true 10 "the status line" status_line
ok "systemctl status says so, too"
for id in kitchen boiler garage hall; do
    equal "$(get meters "$id" health)" ok "meter $id is well"
done
equal "$(grep -c ' gasd:' /proc/interrupts)" 4 "each meter's line has its interrupt"
# Four lines of meters and the level of valve main. A coil's line is at rest: nothing to keep.
equal "$(systemctl show -P NFileDescriptorStore gasd)" 5 "systemd keeps the lines' descriptors"
equal "$(gpiosim_value valves 0)" 1 "a valve that was never told anything is closed at the first start"
equal "$(get valves main position)" closed "and its position says so"
equal "$(get valves street position)" closed "the other's position is its feedback's"

refused 4 gasd-read "who is in no group may not read the status" \
    setpriv --reuid nobody --regid nogroup --clear-groups gasctl status
setpriv --reuid nobody --regid nogroup --groups gasd-read gasctl status >/dev/null || fail "a member of gasd-read may not read"
ok "a member of gasd-read may read the status"
refused 4 gasd-control "a member of gasd-read may not open a valve" \
    setpriv --reuid nobody --regid nogroup --groups gasd-read gasctl valve open main
