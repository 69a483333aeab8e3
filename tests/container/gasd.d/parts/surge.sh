# shellcheck shell=bash
# The household, whole: from the first flame to the hose that comes off.

look
before=$(number accepted)
as reader gasctl --json watch >/run/watch.json 2>/run/watch.err &
watcher=$!
systemctl restart gasd
up
at_least "$(position main | grep -c open)" 1 "the valve's last order outlives a restart"
until_true 45 "a critical verdict" surge_waits
verdict=$(critical_verdict)
until_true 20 "the valve to close" is_position main closed
ok "a critical surge closes the valve: $(gasctl status | grep "^ *$verdict " | tr -s ' ')"
has "$(gasctl status)" "main: held by gasd since" "a hold keeps it closed"
has "$(gasctl status)" "(verdict $verdict): Meter kitchen: gas flow rose" "and names the verdict"
has "$(property "verdicts/$verdict" Verdict Severity)" critical "the verdict is an object on the bus"
has "$(property "verdicts/$verdict" Verdict Evidence)" '\"rule\"' "with its evidence"

until_true 20 "the play to end" settled
look
equal "$(($(number edges) + $(number recovered)))" "$(($(number accepted) + $(rejected)))" \
    "edges + recovered == accepted + rejected ($(number edges) + $(number recovered) == $(number accepted) + $(rejected))"
# 547 L are burnt before the hose comes off; it lets 2.5 L pass a second until the valve is closed.
flowed=$(($(number accepted) - before))
((flowed >= 547 && flowed <= 600)) || fail "the household burns 547 L before the surge; counted were $flowed"
ok "the household's litres were counted: $flowed"
nothing_lost "the household's play"
look
equal "$(as reader /test/livereader "/run/gasd/bpf/v$(layout)" kitchen)" "$(number edges) $(number accepted)" \
    "a program of gasd-read reads the same numbers from the live page"

kill "$watcher"
wait "$watcher" || true
grep -q '"event":"verdict-added"' /run/watch.json || fail "gasctl watch saw no verdict: $(tail -n 5 /run/watch.json /run/watch.err)"
grep -q '"event":"back"' /run/watch.json || fail "gasctl watch did not see gasd come back: $(cut -c 1-200 /run/watch.json)"
ok "gasctl watch saw the restart and the verdict ($(grep -c '"event":"meter"' /run/watch.json) meter lines)"

refused 4 "gasd-control" "a member of gasd-read may not acknowledge" as reader gasctl ack "$verdict"
refused 1 "\`gasctl ack $verdict\`" "opening is refused until somebody has looked" as keeper gasctl valve open main
refused 1 '"error":"Unacknowledged"' "which scripts read as Unacknowledged" as keeper gasctl --json valve open main
