# shellcheck shell=bash
# The units bring gasd up; the daemon has no capability.

useradd --create-home --groups gasd-read reader
useradd --create-home --groups gasd-control keeper
useradd --create-home stranger

# The household's meter. The file is a conffile: to dpkg this is an administrator's change.
systemctl stop gasd gasd-load run-gasd-bpf.mount
cp /test/gasd.toml /etc/gasd/gasd.toml
install -D -m 0644 /test/play.conf /etc/systemd/system/gasd.service.d/play.conf
systemctl daemon-reload
systemctl start gasd
equal "$(systemctl is-active run-gasd-bpf.mount gasd-load.service gasd.service | sort -u)" active \
    "systemctl start gasd brings up the mount, the loader and the daemon"
# The kernel makes a BPF file system sticky, whatever mode= says.
equal "$(findmnt -no FSTYPE /run/gasd/bpf) $(stat -c '%U:%G %a' /run/gasd/bpf)" "bpf gasd:gasd-read 1750" \
    "the pins' file system belongs to gasd and is closed to others"
equal "$(systemctl show -P SubState gasd-load) $(systemctl show -P MainPID gasd-load)" "exited 0" "gasd load has ended"
equal "$(pgrep -c -x gasd)" 1 "one process of gasd is left"
pid=$(main_pid)
equal "$(ps -o user= -o group= -p "$pid" | tr -s ' ')" "gasd gasd" "the daemon runs as user gasd"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    equal "$(awk -v set="$set:" '$1 == set { print $2 }' "/proc/$pid/status")" 0000000000000000 \
        "the daemon's $set is empty"
done
equal "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$pid/status")" 1 "and nothing can give it one"
equal "$(sed -n 's/^Max core file size *\([^ ]*\) *\([^ ]*\).*/\1 \2/p' "/proc/$pid/limits")" "0 0" \
    "the daemon, which holds keys of meters, leaves no core dump"
equal "$(<"/proc/$pid/coredump_filter")" 00000010 "and a crash handler gets no page of its data"
for map in dispatch/irq_lines dispatch/link v1/maps/live v1/progs/pulse; do
    [[ -e /run/gasd/bpf/$map ]] || fail "the pin $map is missing: $(find /run/gasd/bpf)"
done
ok "dispatcher, link, counters and programs are pinned"

up
ms=$(ready_ms)
((ms <= 5000)) || fail "READY took $ms ms"
ok "READY came $ms ms after exec (aim: 200)"
# After a while: what a start needs once is not what it costs.
sleep 1
ok "VmRSS is $(awk '/^VmRSS/ { printf "%.1f MB", $2 / 1024 }' "/proc/$pid/status") (aim: 8), of it anonymous $(awk '/^RssAnon/ { printf "%.1f MB", $2 / 1024 }' "/proc/$pid/status")"
has "$(on_bus)" kernel \
    "the filter runs in the kernel"
has "$(news)" "serving io.gasd1 on D-Bus" "the journal has gasd's lines"

for unit in gasd gasd-load; do
    # 10 is an exposure of 1.0.
    score=$(systemd-analyze security --no-pager --offline=true --threshold=10 "/usr/lib/systemd/system/$unit.service") ||
        fail "$unit.service is exposed more than 1.0: $(grep -v '✓' <<<"$score")"
    ok "systemd-analyze: $(sed -n 's/.*Overall exposure level for //p' <<<"$score")"
done
