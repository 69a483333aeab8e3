# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# Valves of a gasd that runs, for a program that may read and for one that may not.
compile valves
valves() { runs 100 "$work/valves" "$bus" "$@"; }
with_house 60 valves
# As the shipped policy has it for who is in no group.
bus_rules='<deny send_destination="io.gasd1" send_interface="org.freedesktop.DBus.ObjectManager" send_member="GetManagedObjects"/>'
with_house 60 valves denied
bus_rules=
