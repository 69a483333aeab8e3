# shellcheck shell=bash
# Refusals at the service's level: words in the journal, an exit status, and no half start.

config=/etc/gasd/gasd.toml
cp "$config" /run/gasd.toml

# rejected STATUS WORDS WHAT: gasd does not start, ends with STATUS, and the journal has WORDS. The
# status is the journal's: systemd tries again by itself, and meanwhile the unit has none.
rejected() {
    local line
    news >/dev/null
    systemctl restart gasd 2>/dev/null && fail "$3: systemctl restart gasd succeeded"
    news >/run/said
    grep -q "Main process exited, code=exited, status=$1/" /run/said || fail "$3: no exit status $1: $(</run/said)"
    line=$(grep -F -- "$2" /run/said | sed -n 1p) || fail "$3: '$2' is not in the journal: $(</run/said)"
    ok "$3: exit status $1; $line"
}
# mended: the configuration of before, and gasd is up by itself.
mended() {
    cp /run/gasd.toml "$config"
    up
}

{ cat /run/gasd.toml; printf '[kernal]\npins = "/run/gasd/bpf"\n'; } >"$config"
rejected 2 "$config:$(($(wc -l </run/gasd.toml) + 1)):2: unknown key \`kernal\`; did you mean \`kernel\`?" \
    "a section that is not known"
sed 's/^max_flow/max_flwo/' /run/gasd.toml >"$config"
rejected 2 "$config:$(grep -n '^max_flow' /run/gasd.toml | cut -d : -f 1):1: meter \"kitchen\": unknown key \`max_flwo\`; did you mean \`max_flow\`?" \
    "a key that is not known"
before=$(systemctl show -P NRestarts gasd)
begun=$SECONDS
tries() { echo $(($(systemctl show -P NRestarts gasd) - before)); }
tried_twice() { (($(tries) >= 2)); }
until_true 60 "two more starts" tried_twice
# A second at least lies between two, however slow the machine is.
(($(tries) <= SECONDS - begun + 1)) || fail "a start that fails is tried again and again: $(tries) times in $((SECONDS - begun)) s"
ok "a start that fails is tried again, but at leisure: $(tries) times in $((SECONDS - begun)) s"
begun=$(date +%s%N)
mended
ok "gasd comes up by itself when the file is mended ($((($(date +%s%N) - begun) / 1000000)) ms)"
chmod 0600 "$config"
rejected 2 "chgrp gasd $config" "a configuration that gasd may not read"
chmod 0644 "$config"
mended

store_at() { { printf '[store]\npath = "%s"\n' "$1"; sed '/^\[store\]/d' /run/gasd.toml; } >"$config"; }
install -d -o gasd -g gasd /srv/gasd
store_at /srv/gasd/gasd.redb
systemctl restart gasd
up
until_true 10 "a word on the directory" status_has "ReadWritePaths=/srv/gasd"
ok "a store directory that the unit does not let it write: gasd runs, and says what to do"
store_at /srv/none/gasd.redb
rejected 3 "/srv/none does not exist" "a store directory that is not there"
printf '[Service]\nReadWritePaths=/srv/gasd\n' >/etc/systemd/system/gasd.service.d/store.conf
systemctl daemon-reload
# Else it comes up by itself, between the mount and the filling.
systemctl stop gasd
mount -t tmpfs -o size=8M,mode=0750,uid="$(id -u gasd)",gid="$(id -g gasd)" disk /srv/gasd
store_at /srv/gasd/gasd.redb
fill() { dd if=/dev/zero of=/srv/gasd/fill bs=4096 >/dev/null 2>&1 || true; }
fill
systemctl restart gasd
up
until_true 10 "a word on the disk" status_has "no space is left for the store in /srv/gasd"
ok "a disk that is full does not stop the first start"
equal "$(find /srv/gasd -mindepth 1)" /srv/gasd/fill "nothing half made stays on it"
rm /srv/gasd/fill
until_true 60 "a store" test -e /srv/gasd/gasd.redb
ok "with space on the disk gasd makes its store by itself"
as keeper gasctl valve close main --reason 'before the disk was full' >/dev/null
fill
pid=$(main_pid)
kill -9 "$pid"
up "$pid"
has "$(property valves/main Valve Holds)" "before the disk was full" "a full disk hides no hold from a start"
# What a start has to write may fit into the room that the file still has, so there is written on.
told_of_disk() {
    as keeper gasctl valve close garden --reason 'while the disk is full' >/dev/null
    status_has "no space is left for the store in /srv/gasd"
}
until_true 60 "a word on the disk" told_of_disk
ok "and gasctl status tells of the disk"
rm /srv/gasd/fill /etc/systemd/system/gasd.service.d/store.conf
systemctl daemon-reload
cp /run/gasd.toml "$config"
systemctl restart gasd
up "$pid"
umount /srv/gasd
rmdir /srv/gasd

pid=$(main_pid)
before=$(pulses)
refused 5 "in use by another gasd" "a second gasd finds the store locked" as gasd gasd run --play household
refused 5 "another gasd works off the events" "with a store of its own it finds the pins in use" \
    as gasd gasd run --play household --userspace --store /tmp/other.redb
[[ ! -e /tmp/other.redb ]] || fail "a daemon that could not start has made a store"
refused 5 "another gasd owns io.gasd1: process $pid" "without pins it finds the name taken" \
    as gasd gasd run --play household --pins /run/gasd --store /tmp/other.redb
equal "$(main_pid)" "$pid" "the first one has not noticed"
at_least "$(pulses)" "$before" "the total went down beside a second gasd"
refused 4 "gasd" "a stranger may not use the pins" as stranger gasd run --play household --bus none --store /tmp/stranger.redb
rm -f /tmp/other.redb
