# shellcheck shell=bash
# Shared by tests/container and tests/fresh: errors a person can act on, and a
# cgroup for each container. Source it; it defines functions and runs nothing.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$*"
    exit 2
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root for mounts and containers; try: sudo $0 $*"
}

# need_commands command=package...: names every missing package at once, so
# that one apt-get call repairs them all.
need_commands() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] || die "missing on this machine; run: apt-get install ${missing[*]}"
}

# Prints the cgroup folders of this process that systemd-nspawn would use: the
# unified hierarchy, and on hybrid hosts systemd's named one beside it.
own_cgroups() {
    local line path base
    while IFS= read -r line; do
        path=${line#*:*:}
        case $line in
        0::*)
            base=/sys/fs/cgroup
            [ -e "$base/cgroup.procs" ] || base=/sys/fs/cgroup/unified
            ;;
        *:name=systemd:*) base=/sys/fs/cgroup/systemd ;;
        *) continue ;;
        esac
        [ -e "$base$path/cgroup.procs" ] && printf '%s\n' "$base${path%/}"
    done </proc/self/cgroup
    return 0
}

# enter_cgroup NAME: moves the calling shell into children NAME of its cgroups.
# systemd-nspawn --keep-unit puts a container into "payload" below the cgroup it
# runs in; two containers sharing one would be managed, and killed, by each
# other's systemd.
enter_cgroup() {
    local group
    while IFS= read -r group; do
        mkdir "$group/$1" || die "cannot create the cgroup $group/$1; is /sys/fs/cgroup mounted writable?"
        echo "$BASHPID" >"$group/$1/cgroup.procs"
    done < <(own_cgroups)
}

# remove_cgroup NAME: undoes enter_cgroup from outside. A killed container's
# processes may take a moment to go, and a cgroup with processes stays.
remove_cgroup() {
    local group try
    while IFS= read -r group; do
        for try in 1 2 3 4 5 6 7 8 9 10; do
            [ -d "$group/$1" ] || break
            # Deepest first: cgroupfs refuses to remove a folder with children.
            find "$group/$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
            [ ! -d "$group/$1" ] || sleep 0.1
        done
        [ ! -d "$group/$1" ] || say "left behind (try $try): $group/$1; processes in it: $(tr '\n' ' ' <"$group/$1/cgroup.procs")"
    done < <(own_cgroups)
}
