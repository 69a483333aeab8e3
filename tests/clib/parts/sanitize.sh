# shellcheck shell=bash disable=SC2034,SC2054,SC2154,SC2015
# The same programs, watched.
asan=$(${CC:-cc} -print-file-name=libasan.so)
if [[ $asan == libasan.so ]]; then
    skipped "sanitizers: no libasan"
else
    for program in misuse threads loops; do
        compile "$program" -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
        [[ $(nm -D "$work/$program") == *" __asan_init"* && $(ldd "$work/$program") == *libasan* ]] ||
            fail "$program is not watched: the runtime is not linked"
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
    valgrind=(valgrind -q --fair-sched=try --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible
        --error-exitcode=99 --suppressions="$tree/tests/clib/valgrind.supp")
    below() {
        for program in misuse threads; do
            runs 300 "${valgrind[@]}" "$work/$program" "$bus" > >(sed 's/^ok /ok under valgrind: /')
        done
    }
    with_house 10 below
fi
