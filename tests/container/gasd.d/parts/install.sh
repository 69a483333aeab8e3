# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# From nothing to a daemon that runs, by apt.

files >/run/files-before
begun=$(date +%s%N)
apt_get install /test/packages/gasd_*.deb /test/packages/gasctl_*.deb
grep -qi -e warning -e error /run/apt.log && fail "the install complains: $(</run/apt.log)"
installed_at=$(date +%s%N)
equal "$(systemctl is-active run-gasd-bpf.mount gasd-load.service gasd.service | sort -u)" active \
    "after apt-get install the mount, the loader and the daemon are active"
until_true 20 "gasd to be on the bus" on_bus
ms=$((($(date +%s%N) - installed_at) / 1000000))
((ms <= 5000)) || fail "on the bus $ms ms after the install"
ok "it serves D-Bus $ms ms after apt-get has ended, which took $(((installed_at - begun) / 1000000)) ms"
equal "$(systemctl is-enabled gasd-load gasd | sort -u)" enabled "both services are enabled"
equal "$(id -nG gasd)" "gasd dialout gasd-read" "the user gasd may open serial devices and give pins to gasd-read"
getent group gasd-control >/dev/null || fail "there is no group gasd-control"
equal "$(stat -c '%U:%G %a' /var/lib/gasd)" "gasd:gasd 750" "the store's directory is gasd's"
[[ -f /etc/gasd/conf.d/README ]] || fail "/etc/gasd/conf.d is missing"
for program in gasd gasctl; do
    for completion in "/usr/share/bash-completion/completions/$program" "/usr/share/zsh/vendor-completions/_$program" \
        "/usr/share/fish/vendor_completions.d/$program.fish"; do
        grep -qs "$program" "$completion" || fail "$completion does not complete $program"
    done
done
ok "completions for bash, zsh and fish are there"
version=$(installed gasd)
equal "$(gasd --version)" "gasd ${version%-*}" "gasd says the package's version"
has "$(journalctl --list-catalog)" "gasd: Gas flow rose suddenly" "journalctl -x can explain gasd's entries"

# The policy names groups that the install has just made.
[[ $(journalctl -u gasd -o cat --no-pager) != *"refuses the name"* ]] || fail "the bus did not know its policy at the first start"
ok "the first start finds the bus ready"
