# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# The same programs, watched.
if ! has_sanitizers; then
    skipped "sanitizers: no libasan"
else
    for program in misuse threads loops; do
        compile "$program" "${sanitizers[@]}"
        watches "$program"
    done
    ok "the sanitizers' runtime is linked"
    watched() {
        runs 200 "$work/misuse" "$bus" > >(sed 's/^ok /ok under the sanitizers: /')
        runs 100 "$work/threads" "$bus" > >(sed 's/^ok /ok under the sanitizers: /')
        runs 30 "$work/loops" poll "$bus" > >(sed 's/^ok /ok under the sanitizers: /')
    }
    with_house 30 watched
fi
if ! command -v valgrind >/dev/null; then
    skipped "valgrind: there is none"
else
    compile misuse
    compile threads
    below() {
        for program in misuse threads; do
            runs 300 "${valgrind[@]}" "$work/$program" "$bus" > >(sed 's/^ok /ok under valgrind: /')
        done
    }
    with_house 10 below
fi
