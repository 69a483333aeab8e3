# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT OR Apache-2.0
# Another configuration under edges, by systemctl.

line=$(gpiosim_line meters 3)
look
before=$(get meters kitchen accepted)
pid=$(main_pid)
drive "$line"
cp /etc/gasd/gasd.toml /run/gasd.toml.before
sed -i 's/^max_flow = "10 m3/max_flow = "9 m3/' /etc/gasd/gasd.toml
systemctl reload gasd
reload_says() { journalctl --sync && journalctl -u gasd -o cat --no-pager -n 30 | grep "$1" >/dev/null; }
until_true 20 "the reload to be in the journal" reload_says 'boiler.*max_flow\|max_flow.*boiler'
ok "systemctl reload gasd takes another configuration"
echo '[[meter]' >>/etc/gasd/gasd.toml
! systemctl reload gasd 2>/dev/null || fail "systemctl says that a file that is wrong was taken"
ok "systemctl reload fails for a file that is wrong"
until_true 20 "the refusal to be in the journal" reload_says '/etc/gasd/gasd.toml:[0-9]*:'
ok "a file that is wrong is told with its place"
cp /run/gasd.toml.before /etc/gasd/gasd.toml
systemctl reload gasd
stop_driving
exact kitchen $((before + driven)) "reloads under edges"
equal "$(main_pid) $(systemctl is-active gasd)" "$pid active" "it is the same process"
