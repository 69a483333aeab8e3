# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Remove keeps the totals, purge leaves nothing. The last part.

board
depart
sleep 1
arrive "before the removal"
total=$(train_pulses)
pid=$(main_pid)
apt_get remove gasd gasctl
[[ ! -e /proc/$pid && ! -e /usr/bin/gasd ]] || fail "the daemon or its program is still there"
equal "$(systemctl is-active gasd) $(findmnt -no FSTYPE /run/gasd/bpf)" "inactive bpf" "remove stops the daemon and leaves the pins"
[[ -e /run/gasd/bpf/dispatch/link && -s /var/lib/gasd/gasd.redb && -s /etc/gasd/gasd.toml ]] ||
    fail "remove has taken pins, store or configuration away"
ok "and the store and the configuration"
apt_get install /test/packages/gasd_*.deb /test/packages/gasctl_*.deb
up
equal "$(train_pulses)" "$total" "installed again the total is the same"
equal "$(cat /etc/gasd/gasd.toml)" "$(cat /test/train.toml)" "and so is the configuration"
depart
sleep 1
arrive "after the removal"

apt_get purge gasd gasctl
rm -r /etc/systemd/system/gasd.service.d
systemctl daemon-reload
files >/run/files-after
equal "$(diff /run/files-before /run/files-after)" "" "purge leaves no file"
equal "$(find / -xdev \( -user gasd -o -group gasd \) -print 2>/dev/null; find /run /tmp /var/tmp -user gasd 2>/dev/null)" "" \
    "nothing belongs to the user gasd"
[[ ! -e /run/gasd ]] || fail "/run/gasd is still there: $(find /run/gasd)"
ok "no pin is left, nor their file system"
units=(gasd.service gasd-load.service run-gasd-bpf.mount)
equal "$(systemctl list-unit-files --no-legend "${units[@]}"; systemctl list-units --all --no-legend "${units[@]}")" "" \
    "systemd knows no unit of it"
equal "$(dpkg-query -W -f '${db:Status-Status}' gasd gasctl 2>/dev/null)" "" "dpkg knows no package of it"
