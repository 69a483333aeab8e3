# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# What the ELF file says of itself.

# check_exports LIBRARY: says what is wrong, and nothing if nothing is.
check_exports() {
    local shown nodes
    shown=$(exports_of "$1")
    diff <(exports_of_map libgasdetect/gasdetect.map) <(echo "$shown") | sed -n 's/^</missing:/p; s/^>/stray:/p'
    grep -vE '@@GASDETECT_[0-9]+\.[0-9]+$' <<<"$shown" | sed 's/^/unversioned: /'
    nodes=$(nm -D --defined-only "$1" | awk '$2 == "A" { print $3 }' | sort)
    diff <(sed -nE 's/^(GASDETECT_[0-9.]+) .*/\1/p' libgasdetect/gasdetect.map | sort) <(echo "$nodes") |
        sed -n 's/^</node missing:/p; s/^>/stray node:/p'
}

library=$C/libgasdetect.so.1
dynamic=$(readelf -dW "$library")
same "$(sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p' <<<"$dynamic")" libgasdetect.so.1 "the soname is libgasdetect.so.1"
same "$(check_exports "$library")" "" "it shows what libgasdetect/gasdetect.map names, by its node, and nothing else"
same "$(functions_of include/gasdetect.h)" "$(exports_of_map libgasdetect/gasdetect.map | sed 's/@@.*//')" \
    "map and header name the same functions"
same "$(exports_of "$library" | sed 's/@@GASDETECT_1\.0$//')" "$(functions_of include/gasdetect.h)" \
    "every function of the header is there as GASDETECT_1.0"
# The loader itself is for thread-local data; its name is the machine's.
same "$(sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' <<<"$dynamic" | grep -v '^ld-' | sort | tr '\n' ' ')" \
    "libc.so.6 libgcc_s.so.1 libm.so.6 libsystemd.so.0 " "it needs libsystemd and the C library, and no other"
flags=$(readelf -lW "$library" | awk '$1 == "GNU_STACK" { print $7 }')
same "$flags" RW "no executable stack"
readelf -lW "$library" | grep -q GNU_RELRO && grep -q 'BIND_NOW' <<<"$dynamic" && ok "RELRO and BIND_NOW" || fail "RELRO or BIND_NOW is missing"
! grep -qE 'STATIC_TLS|TEXTREL|RPATH|RUNPATH' <<<"$dynamic" && ok "no static TLS, text relocations or path of its own" ||
    fail "static TLS, text relocations or a path: $(grep -E 'STATIC_TLS|TEXTREL|RPATH|RUNPATH' <<<"$dynamic")"

# The check can fail.
stub include/gasdetect.h "$tree/libgasdetect/gasdetect.map" "$work/good"
same "$(check_exports "$work/good/libgasdetect.so.1")" "" "self-test: a library that is right passes"
${CC:-cc} -w -shared -fPIC -o "$work/nomap.so" "$work/good/stub.c" -Wl,-soname,libgasdetect.so.1
[[ $(check_exports "$work/nomap.so") == *"unversioned: gasd_pulse"* ]] && ok "self-test: a library without the map is found out" ||
    fail "self-test: a library without the map passes"
sed 's/^local:/    gasd_stray;\n&/' libgasdetect/gasdetect.map >"$work/stray.map"
{ cat "$work/good/stub.c"; echo 'int gasd_stray(void) { return 1; }'; } >"$work/good/stray.c"
${CC:-cc} -w -shared -fPIC -o "$work/stray.so" "$work/good/stray.c" -Wl,-soname,libgasdetect.so.1 -Wl,--version-script,"$work/stray.map"
same "$(check_exports "$work/stray.so")" "stray: gasd_stray@@GASDETECT_1.0" "self-test: a stray export is found out"
