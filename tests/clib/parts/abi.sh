# shellcheck shell=bash disable=SC2001,SC2034,SC2154,SC2015
# The ABI of the first release, as libgasdetect/abi has it. What DWARF says of Rust's types is not what C knows of
# them, so a library is made of the header alone, and its types are compared; that the header is what the library
# exports is for libgasdetect/tests/header.rs and the part `symbols`.
abi=$tree/libgasdetect/abi
release=1.0

dump() {
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --exported-interfaces-only "$1/libgasdetect.so.1"
}
# changed HEADER: compares a header with the release; 0 when nothing that it had has changed.
changed() {
    stub "$1" "$work/all.map" "$work/changed"
    abidiff --no-added-syms "$abi/gasdetect-$release.abi" "$work/changed/libgasdetect.so.1"
}

if ! command -v abidw >/dev/null; then
    skipped "the ABI: no abidw (apt install abigail-tools)"
else
    stub include/gasdetect.h "$tree/libgasdetect/gasdetect.map" "$work/now"
    if [[ -n ${BLESS:-} ]]; then
        mkdir -p "$abi"
        cp include/gasdetect.h "$abi/gasdetect-$release.h"
        exports_of_map libgasdetect/gasdetect.map | sed -n "s/@@GASDETECT_$release$//p" >"$abi/GASDETECT_$release.symbols"
        dump "$work/now" >"$abi/gasdetect-$release.abi"
    fi
    # Functions may be missing from a header that is compared: the map names what is there.
    echo 'GASDETECT_1.0 { global: gasd_*; local: *; };' >"$work/all.map"
    if difference=$(changed include/gasdetect.h); then
        ok "no function, struct or number of $release has changed"
    else
        fail "the ABI has changed:"
        sed 's/^/#   /' <<<"$difference" >&2
    fi
    # The comparison sees what a program would stumble over.
    while IFS='|' read -r what edit; do
        sed -E "$edit" include/gasdetect.h >"$work/edited.h"
        cmp -s include/gasdetect.h "$work/edited.h" && fail "self-test: the edit for $what does nothing"
        changed "$work/edited.h" >/dev/null && fail "self-test: $what is not seen" || ok "self-test: $what is seen"
    done <<'END'
a field of another type|s/^    uint64_t pulses;/    uint32_t pulses;/
a field that is gone|/^    uint64_t last_pulse_ns;/d
two fields that changed places|s/^    uint64_t taken;/    uint64_t was_taken;/; s/^    uint64_t waiting;/    uint64_t taken;/; s/was_taken/waiting/
a handler with other arguments|s/\(\*pulse\)\(void \*data, /(*pulse)(/
an argument of another type|s/uint64_t cookie,/uint32_t cookie,/
a result of another number|s/GASD_HELD = 13/GASD_HELD = 33/
a function that is gone|/^uint32_t gasd_version_number/d
another return type|s/^uint32_t gasd_version_number/uint64_t gasd_version_number/
END
fi

same "$(grep -vxFf <(exports_of "$C/libgasdetect.so.1" | sed -n "s/@@GASDETECT_$release$//p") "$abi/GASDETECT_$release.symbols")" "" \
    "every symbol of $release is there by its version"
# A program of the first release: its header, its library to link with; the library of now to run with.
{
    echo "GASDETECT_$release { global:"
    sed 's/$/;/' "$abi/GASDETECT_$release.symbols"
    echo 'local: *; };'
} >"$work/first.map"
stub "$abi/gasdetect-$release.h" "$work/first.map" "$work/first"
if ${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -I"$work/first" -o "$work/program" tests/clib/misuse.c -L"$work/first" -lgasdetect -lpthread; then
    old_program() {
        if LD_LIBRARY_PATH=$C timeout 100 "$work/program" "$bus" >"$work/program.out"; then
            ok "a program linked with the library of $release runs with this one: $(grep -c ^ok "$work/program.out") behaviours"
        else
            fail "a program linked with the library of $release"
        fi
    }
    with_house 60 old_program
else
    fail "a program of $release does not compile"
fi
