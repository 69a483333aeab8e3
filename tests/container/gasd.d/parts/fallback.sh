# shellcheck shell=bash
# Machines that cannot: the same filter in user space, said once in the journal and always in the status.

# in_user_space WORDS WHAT: gasd starts, counts in user space, and says WORDS.
in_user_space() {
    local said
    news >/dev/null
    systemctl start gasd || fail "$2: gasd did not start"
    up
    has "$(on_bus)" userspace "$2: the filter runs in user space"
    said=$(news | grep -c "the filter runs in user space, nothing is counted while gasd is down: .*$1") || true
    equal "$said" 1 "$2: the journal says so in one line"
    has "$(gasctl status)" "counting in user space" "$2: gasctl status says so"
    has "$(gasctl status)" "$1" "$2: and why"
}

systemctl stop gasd gasd-load run-gasd-bpf.mount
mkdir -p /etc/systemd/system/run-gasd-bpf.mount.d
# As on a kernel without BPF, where the unit's own condition is the one that fails.
printf '[Unit]\nConditionPathExists=/sys/fs/bpf-is-not-there\n' >/etc/systemd/system/run-gasd-bpf.mount.d/without.conf
systemctl daemon-reload
rmdir /run/gasd/bpf
in_user_space "/run/gasd/bpf is no BPF file system" "without a BPF file system"
as keeper gasctl valve open main >/dev/null
pid=$(main_pid)
systemctl restart gasd
up "$pid"
before=$(pulses)
until_true 10 "pulses in user space" more_pulses_than $((before + 5))
ok "it counts"

systemctl stop gasd
rm -r /etc/systemd/system/run-gasd-bpf.mount.d
systemctl daemon-reload
mount -t tmpfs nothing /sys/kernel/btf
in_user_space "has no BTF" "without BTF"
equal "$(systemctl show -P ExecMainStatus gasd-load)" 3 "and gasd-load.service has failed with status 3"
at_least "$(pulses)" "$before" "the total went down between the two"

systemctl stop gasd
umount /sys/kernel/btf
systemctl restart gasd-load
systemctl start gasd
up
has "$(on_bus)" kernel "what the machine can do again is used again"
at_least "$(pulses)" "$before" "the total went down on the way back"
