# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# Programs that pass for gasd, or for the bus. Each is in the thread of the client that it is to break.
hostile=(hostile packets notabus)
# Whoever wants to may answer what he was not asked: a bus as it is configured mostly would keep that from the client.
bus_rules='<allow send_type="method_return" send_requested_reply="false"/><allow send_type="error" send_requested_reply="false"/><allow receive_type="method_return" receive_requested_reply="false"/><allow receive_type="error" receive_requested_reply="false"/>'
# among_them HOW SECONDS [COMMAND...]: runs all of them, below COMMAND.
among_them() {
    local how=$1 most=$2 program
    shift 2
    for program in "${hostile[@]}"; do
        runs "$most" "$@" "$work/$program" "$bus" > >(sed "s/^ok /ok $how/")
    done
}
for program in "${hostile[@]}"; do compile "$program" -lsystemd; done
with_bus among_them "" 120
if has_sanitizers; then
    for program in "${hostile[@]}"; do
        compile "$program" "${sanitizers[@]}" -lsystemd
        watches "$program"
    done
    with_bus among_them "under the sanitizers: " 240
else
    skipped "programs that pass for gasd, under the sanitizers: no libasan"
fi
if command -v valgrind >/dev/null; then
    for program in "${hostile[@]}"; do compile "$program" -lsystemd; done
    with_bus among_them "under valgrind: " 500 "${valgrind[@]}"
else
    skipped "programs that pass for gasd, under valgrind: there is none"
fi
bus_rules=
