# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Meters on a serial line, as installed: the unit lets gasd at the device and at nothing else, keys of files, the scan, the
# valve in a meter, and the network behind a drop-in.

# Simulated meters behind a port that the service's group may open, as udev gives adapters to dialout.
lab() { # NAME ARGS...
    /test/gasd-lab serial --link "/dev/gasd-$1" "${@:2}" >"/run/lab-$1" 2>&1 &
    labs+=($!)
    until_true 10 "the line $1" test -e "/dev/gasd-$1"
    chgrp dialout "$(readlink -f "/dev/gasd-$1")"
    chmod 0660 "$(readlink -f "/dev/gasd-$1")"
}
labs=()
lab a --protocol cjt188 --count 1 --baud 9600 --echo
lab b --protocol mbus --count 1 --baud 9600

cat >/run/wrong.toml <<'EOF'
[[port]]
id = "rs485"
serial = { device = "/dev/x", baud = 9600 }
[[meter]]
id = "m"
port = "rs48"
device = { protocol = "mbus", address = 1 }
readings = { every = "1 s", resolution = "1 L" }
EOF
refused 2 "no port is called so; did you mean" "a port that is not there is refused with its place" \
    gasd check-config --config /run/wrong.toml

systemctl stop gasd
gasctl scan /dev/gasd-a --protocol cjt188 --baud 9600 >/run/scan 2>&1 || fail "gasctl scan: $(</run/scan)"
has "$(</run/scan)" "33780000000001" "gasctl scan finds the meters on a line that nobody has"
has "$(</run/scan)" "[[meter]]" "and writes how they are configured"

cat >/etc/gasd/conf.d/60-ports.toml <<'EOF'
[[port]]
id = "a"
serial = { device = "/dev/gasd-a", baud = 9600 }

[[port]]
id = "b"
serial = { device = "/dev/gasd-b", baud = 9600 }

[[port]]
id = "lora"
lorawan = { listen = "127.0.0.1:1700" }

[[meter]]
id = "upstairs"
port = "a"
device = { protocol = "cjt188", address = "33780000000001" }
readings = { every = "1 s", resolution = "10 L" }
valve = "upstairs"

[[valve]]
id = "upstairs"
actuator = { meter = "upstairs" }

[[meter]]
id = "workshop"
port = "b"
device = { protocol = "mbus", address = 1, quantity = "volume" }
readings = { every = "1 s", resolution = "10 L" }

[[meter]]
id = "garden-shed"
port = "lora"
device = { protocol = "lorawan", address = "01020304", payload = "ugm", key_file = "/etc/gasd/keys/far" }
readings = { every = "15 min", resolution = "10 L" }
EOF
[[ $(stat -c '%U:%G %a' /etc/gasd/keys) == "root:gasd 750" ]] || fail "/etc/gasd/keys is $(stat -c '%U:%G %a' /etc/gasd/keys)"
install -m 0640 -g gasd /dev/null /etc/gasd/keys/far
printf 'nwk_s_key = 000102030405060708090A0B0C0D0E0F\napp_s_key = 0F0E0D0C0B0A09080706050403020100\n' >/etc/gasd/keys/far
systemctl start gasd
up
meter_has() { [[ $(property "meters/$1" Meter "$2") == *"$3"* ]]; }
until_true 30 "the meter upstairs" meter_has upstairs Fields volume
until_true 30 "the meter in the workshop" meter_has workshop Fields volume
ok "both meters are read by the service, which has no capability: $(property meters/upstairs Meter Fields)"
until_true 10 "what is wrong with the network port" meter_has garden_2dshed Health "not there"
has "$(property ports/lora Port Health)" "network.conf" "without the drop-in the service has no network, and says how to give it one"
has "$(as reader gasctl status)" "cjt188" "gasctl status shows ports and meters on them"

as keeper gasctl valve close upstairs --reason "a test" >/run/close 2>&1 || fail "gasctl valve close upstairs: $(</run/close)"
equal "$(position upstairs)" closed "the valve in the meter is closed by its own command"
equal "$(grep -c ' closed' /run/lab-a)" 1 "the meter has executed one command"
as keeper gasctl valve open upstairs >/run/open 2>&1 || fail "gasctl valve open upstairs: $(</run/open)"
equal "$(position upstairs)" open "and opened by an operator"

refused 5 "gasd searches on port" "the service itself searches on a device that it has" gasctl scan /dev/gasd-b --protocol mbus --timeout 1

install -D -m 0644 /usr/share/doc/gasd/examples/network.conf /etc/systemd/system/gasd.service.d/network.conf
systemctl daemon-reload
systemctl restart gasd
up
port_is() { [[ $(property "ports/$1" Port Health) == "s \"$2\"" ]]; }
until_true 15 "the network port" port_is lora ok
ok "with the drop-in the packet forwarder's port is open"
! journalctl -u gasd -o cat | grep -q 000102030405 || fail "a key is in the journal"
ok "no key is in the journal"

kill "${labs[@]}"
rm -f /etc/gasd/conf.d/60-ports.toml /etc/systemd/system/gasd.service.d/network.conf /etc/gasd/keys/far /dev/gasd-a /dev/gasd-b
systemctl daemon-reload
systemctl restart gasd
up
