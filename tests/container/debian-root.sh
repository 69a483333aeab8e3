# shellcheck shell=bash
# Debian roots for tests: built once from the host's own mirrors, cached outside
# the tree in ${GASD_CACHE:-${XDG_CACHE_HOME:-~/.cache}/gasd}. Source after lib.sh.

GASD_SUITE=bookworm

cache_home() {
    printf '%s\n' "${GASD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gasd}"
}

package_list() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"; }

# The host's own Debian entries as one-line sources, whichever format it keeps
# them in; empty when the host is no Debian of this suite. Mirrors therefore
# come from the machine, never from this tree, and repositories of others
# (vendors, other releases) do not leak into a root that stands for Debian.
debian_sources() {
    # shellcheck disable=SC2016  # apt's own $(FIELD) syntax
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk -v suite="$GASD_SUITE" '
            $2 ~ "^" suite "(-updates|-security)?$" &&
            $3 ~ /^(main|contrib|non-free|non-free-firmware)$/ { print "deb", $1, $2, $3 }' | sort -u
}

# How the host's apt reaches its mirrors (proxies, time-outs, checks), without
# its hooks and scripts, which would name files that a fresh root has not got.
host_apt_options() {
    apt-config dump |
        grep -E '^Acquire::(http|https|Retries|ForceIPv[46]|Check-Valid-Until|Check-Date|Max-ValidTime)' |
        grep -viE 'auto-?detect' | grep -v ' "";$' || true
}

REBUILD=no

# cached_root NAME PACKAGE...: prints the path of a Debian root with these
# packages, built on first use, or anew with REBUILD=yes. The key is a hash of
# this script and the packages; the mirror is transport and no part of it.
cached_root() {
    local name=$1 key dir attempt
    shift
    key=$(printf '%s\n' "$@" | cat - "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
    dir="$(cache_home)/$name/$key"
    if [ ! -d "$dir/rootfs" ] || [ "$REBUILD" = yes ]; then
        mkdir -p "$dir"
        # The lock file is never removed: removing it would let a waiter and a
        # newcomer hold "the" lock at once. Running containers share it.
        exec 8>"$dir/lock"
        flock 8
        [ "$REBUILD" != yes ] || rm -rf --one-file-system "$dir/rootfs"
        if [ ! -d "$dir/rootfs" ]; then
            for attempt in 1 2 3; do
                if bootstrap "$dir" "$@"; then break; fi
                [ "$attempt" -lt 3 ] || die "mmdebstrap failed three times; its log: $dir/log"
                say "mmdebstrap failed (attempt $attempt of 3, log: $dir/log), trying again"
                sleep $((attempt * 5))
            done
        fi
        exec 8>&-
    fi
    printf '%s\n' "$dir/rootfs"
}

# Builds into a private folder and renames at the end, so that a root is either
# absent or whole, whatever interrupts the build.
bootstrap() {
    local dir=$1 part mirrors
    shift
    rm -rf --one-file-system "$dir"/part.*
    part=$(mktemp -d "$dir/part.XXXXXX")
    chmod 0755 "$part"
    host_apt_options >"$part/apt.conf"
    # Empty on a host that is no Debian: mmdebstrap's built-in default mirror.
    mapfile -t mirrors < <(debian_sources)
    say "building a Debian $GASD_SUITE root in $dir (about a minute)"
    # mmdebstrap lets dash write to a descriptor of its own, and dash knows only
    # one digit: what callers left open (locks, make's job server) is closed.
    # The host's settings served the download; the root itself stays neutral.
    # shellcheck disable=SC2016  # $1 is mmdebstrap's, not ours
    if ! mmdebstrap --mode=root --variant=minbase --aptopt="$part/apt.conf" \
        --include="$(IFS=,; printf '%s' "$*")" \
        --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf "$1"/etc/hostname' \
        "$GASD_SUITE" "$part/rootfs" "${mirrors[@]}" \
        >"$dir/log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; then
        tail -n 5 "$dir/log" >&2
        rm -rf --one-file-system "$part"
        return 1
    fi
    mv -T "$part/rootfs" "$dir/rootfs"
    rm -rf --one-file-system "$part"
}
