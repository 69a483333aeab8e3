# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# A daemon that hangs is as good as dead; the unit's 30 s are too long for a test.

printf '[Service]\nWatchdogSec=2\n' >/etc/systemd/system/gasd.service.d/watchdog.conf
board
depart
pid=$(main_pid)
kill -STOP "$pid"
until_true 20 "the watchdog to bite" is_up "$pid"
up "$pid"
equal "$(systemctl show -P Restart gasd)" always "a gasd that hangs is replaced by systemd's watchdog"
has "$(news)" "Watchdog timeout" "which is in the journal"
arrive "a gasd that hung"
rm /etc/systemd/system/gasd.service.d/watchdog.conf
systemctl daemon-reload
