# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# A fault inside of the library.
panics=$C+test-panic
if [[ -e $panics/libgasdetect.so.1 ]]; then
    compile panic
    same "$("$work/panic" --list | sort)" "$(functions_of include/gasdetect.h)" "the table has every function of the header"
    LD_LIBRARY_PATH=$panics
    export LD_LIBRARY_PATH
    ${CC:-cc} -std=gnu11 -g -I"$C/include" -o "$work/panic" tests/clib/panic.c -L"$panics" -lgasdetect
    runs 30 "$work/panic" 2>"$work/panic.err"
    grep '^not ok' "$work/panic.err" >&2
    unset LD_LIBRARY_PATH
else
    skipped "panics: no library in $panics (scripts/clib test-panic)"
fi
