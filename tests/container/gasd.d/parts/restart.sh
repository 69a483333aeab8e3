# shellcheck shell=bash
# Orderly restarts and new programs, while gas flows.

# The valve stays open for 40 s now, which is enough for a slow machine, too.
sed -i 's/--speed 60/--speed 30/' /etc/systemd/system/gasd.service.d/play.conf
systemctl daemon-reload
pid=$(main_pid)
before=$(pulses)
systemctl restart gasd
up "$pid"
at_least "$(pulses)" "$before" "the total went down with systemctl restart gasd"
ok "systemctl restart gasd keeps the total; READY after $(ready_ms) ms"

news >/dev/null
before=$(pulses)
systemctl restart gasd-load
up
at_least "$(pulses)" "$before" "the total went down with systemctl restart gasd-load"
has "$(news)" "already in place" "systemctl restart gasd-load changes nothing and keeps the counts"

for n in 1 2 3; do
    before=$(pulses)
    has "$(as_loader gasd load --force)" "programs replaced, no edge lost" "load --force while gas flows, $n" >/dev/null
    until_true 20 "pulses after load --force" more_pulses_than "$before"
done
ok "three times gasd load --force while gas flows: counting goes on"
refused 4 "CAP_BPF" "gasd load without capabilities says what it needs" as gasd gasd load --force

# What a person would type.
has "$(gasd load --force)" "programs replaced" "root may load, too"
systemctl restart gasd-load
systemctl restart gasd
up
ok "and gasd-load and gasd go on with what root has loaded"
