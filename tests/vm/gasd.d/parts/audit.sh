# shellcheck shell=bash disable=SC2154
# The record of what was done. Last, because it is read from the store, which the daemon holds.

refused 5 "in use by another gasd" "the record while the daemon runs" as_gasd gasd audit
systemctl stop gasd
equal "$(systemctl show -P Result gasd)" success "gasd stops in order"
as_gasd gasd audit -n 1000 --json >/run/audit.json
# entry WHAT ACTION OBJECT OUTCOME: one such entry is there.
entry() {
    grep -F "\"action\":\"$2\"" /run/audit.json | grep -F "\"object\":\"$3\"" | grep -F "\"outcome\":\"$4" >/dev/null \
        || fail "the audit record has no $2 $3 $4: $(</run/audit.json)"
    ok "the audit record has $1"
}
if [[ -n ${verdict:-} ]]; then
    entry "the verdict" verdict boiler "closing main"
    entry "the drive that followed" drive main "done"
    entry "the opening that was refused" open main refused
    entry "the acknowledgement" acknowledge "$verdict" "done"
    entry "the opening that was asked for" open main asked
else
    skip "the audit record of a surge: part surge did not run"
fi
systemctl start gasd
look
equal "$(get service mode)" kernel "it starts again"
