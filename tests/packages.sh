# shellcheck shell=bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The packages under test, for the container and the virtual machine. Source it.
#
# GASD_DEB_DIR   where the packages are, default target/debian (`make deb` puts them there)

# packages_die WORDS: wrong use.
packages_die() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# stage_packages TREE TO [NAME...]: copies the packages NAME, default gasd and gasctl, to the folder TO; there must
# be one of each.
stage_packages() {
    local from=${GASD_DEB_DIR:-$1/target/debian} to=$2 name found
    mkdir -p "$to"
    [[ $# -gt 2 ]] || set -- "$@" gasd gasctl
    for name in "${@:3}"; do
        found=("$from/${name}"_*.deb)
        [[ -f ${found[0]} ]] || packages_die "no package of $name in $from: build it first (make deb) or set GASD_DEB_DIR"
        ((${#found[@]} == 1)) || packages_die "several packages of $name in $from: ${found[*]##*/}"
        install -m 0644 -t "$to" "${found[0]}"
    done
}

# repack FROM TO SUFFIX [PROGRAM]: the packages of the folder FROM with SUFFIX behind their version, in
# the folder TO; with PROGRAM as /usr/bin/gasd, if given.
repack() {
    local from=$1 to=$2 suffix=$3 program=${4:-} deb inside
    mkdir -p "$to"
    for deb in "$from"/*.deb; do
        inside=$(mktemp -d "${TMPDIR:-/tmp}/gasd-repack.XXXXXX")
        dpkg-deb --raw-extract "$deb" "$inside"
        sed -i "s/^Version: .*/&$suffix/" "$inside/DEBIAN/control"
        if [[ -n $program && -f $inside/usr/bin/gasd ]]; then
            strip -o "$inside/usr/bin/gasd" "$program"
            (cd "$inside" && find usr lib -type f -exec md5sum {} + >DEBIAN/md5sums)
        fi
        # Quickly: these live for a minute.
        dpkg-deb --root-owner-group -Zgzip -z1 --build "$inside" "$to" >/dev/null
        rm -rf "$inside"
    done
}
