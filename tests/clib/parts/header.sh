# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# The header compiles alone in each language, without a word, and fits the library.
for language in c99:cc c17:cc c++17:c++; do
    std=${language%:*} compiler=${language#*:}
    if ! command -v "$compiler" >/dev/null; then
        skipped "the header in $std: no $compiler"
        continue
    fi
    [[ $compiler == c++ ]] && as=c++ || as=c
    if "$compiler" -x "$as" "-std=$std" -Wall -Wextra -Wpedantic -Werror -I"$C/include" -o "$work/header" \
        tests/clib/header.c -L"$C" -lgasdetect -Wl,-rpath,"$C" && "$work/header"; then
        ok "the header in $std: no warning, every type, and the library's versions are its own"
    else
        fail "the header in $std ($?)"
    fi
done
cmp -s include/gasdetect.h "$C/include/gasdetect.h" && ok "the header beside the library is the committed one" ||
    fail "the header beside the library is another one than include/gasdetect.h"
