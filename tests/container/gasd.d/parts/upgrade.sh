# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Upgrades and a downgrade while edges come.

board
as keeper gasctl valve close garden --reason "the upgrade" >/dev/null
version=$(installed gasd)
# step PACKAGES WHAT: installs them under a train of edges.
step() {
    local pid
    depart 20
    pid=$(main_pid)
    news >/dev/null
    apt_get install --allow-downgrades "/test/$1"/gasd_*.deb "/test/$1"/gasctl_*.deb
    up "$pid"
    said=$(news)
    arrive "$2"
    has "$(property valves/garden Valve Holds)" "the upgrade" "$2: the operator's hold is there"
    nothing_lost "$2"
}
step next "upgrade to a next version"
equal "$(installed gasd)" "$version+next" "it is installed"
has "$said" "already in place" "gasd-load has looked at the programs"
[[ $(grep -n "already in place" <<<"$said" | cut -d : -f 1) -lt $(grep -n "serving io.gasd1" <<<"$said" | cut -d : -f 1) ]] ||
    fail "the daemon restarted before the programs were looked at: $said"
ok "before the daemon restarted"
equal "$(cat /etc/gasd/gasd.toml)" "$(cat /test/train.toml)" "the administrator's configuration is kept"
if [[ -d /test/layout ]]; then
    before=$(layout)
    step layout "upgrade to a next layout"
    has "$said" "lines over from the layout before" "the new programs have taken the lines over"
    equal "$(layout)" $((before + 1)) "layout $(layout) counts"
else
    echo "SKIPPED: an upgrade to another layout: GASD_NEXT_LAYOUT is not set" >&2
fi
step packages "downgrade to the version of before"
equal "$(installed gasd)" "$version" "it is installed"
