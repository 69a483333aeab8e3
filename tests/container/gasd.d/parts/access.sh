# shellcheck shell=bash
# Who may see and do what over D-Bus.

tree=$(busctl tree --list io.gasd1)
for object in meters/kitchen valves/main valves/garden; do
    has "$tree" "/io/gasd1/$object" "busctl tree shows $object"
done

# members OBJECT INTERFACE: what the interface's file promises and introspection does not show.
members() {
    local shown name
    shown=$(busctl introspect io.gasd1 "$1" "io.gasd1.$2" | awk '{ print $1 }')
    sed -nE 's/.*<(method|property|signal) name="([^"]*)".*/\2/p' "/usr/share/dbus-1/interfaces/io.gasd1.$2.xml" |
        while read -r name; do
            grep -qx "\.$name" <<<"$shown" || echo "$name"
        done
}
equal "$(members /io/gasd1 Manager)$(members /io/gasd1/meters/kitchen Meter)$(members /io/gasd1/valves/main Valve)" "" \
    "introspection shows every member of dbus/*.xml"

has "$(gasctl status)" "counting in the kernel" "root sees the status"
has "$(as reader gasctl status)" "kitchen" "a member of gasd-read sees the status"
refused 4 "become a member of the group gasd-read" "a stranger may not look" as stranger gasctl status
refused 3 "cannot reach the system bus" "a uid without a name does not get onto the bus at all" setpriv --reuid 4242 --regid 4242 --clear-groups gasctl status
refused 4 '"error":"AccessDenied"' "which scripts read as AccessDenied" as stranger gasctl --json status
refused 1 "Access denied" "the bus itself keeps a stranger out" as stranger \
    busctl get-property io.gasd1 /io/gasd1/meters/kitchen io.gasd1.Meter Pulses
refused 4 "become a member of the group gasd-control" "a member of gasd-read may not close a valve" \
    as reader gasctl valve close main
refused 4 "gasd-control" "nor open one" as reader gasctl valve open main
refused 1 "there is: garden, main" "a valve that is not there is named with those that are" as keeper gasctl valve close mian

equal "$(position main)" closed "a valve that was never opened starts closed"
has "$(as keeper gasctl valve close garden --reason 'hose in winter')" "valve garden: closed" \
    "a member of gasd-control closes a valve"
has "$(as keeper gasctl valve open main)" "valve main: open" "and opens one"

# The counters without the daemon: the pins themselves.
pins=/run/gasd/bpf/v$(layout)
as reader /test/livereader "$pins" kitchen >/dev/null || fail "a member of gasd-read may not map the live pages"
ok "a member of gasd-read maps the live pages, and can write nothing"
refused 1 "Permission denied" "a stranger may not" as stranger /test/livereader "$pins" kitchen
for pin in maps/events maps/kept progs/twin ../dispatch/irq_lines; do
    equal "$(stat -c '%U %a' "$pins/$pin")" "gasd 600" "$pin is gasd's alone"
done
