# shellcheck shell=bash
# kill -9, ten times: first behind a closed valve, then while gas flows.

slowest=0
# crash: kills gasd, waits until it is back, and looks: the total has not gone down.
crash() {
    local before pid begun ms
    before=$(pulses)
    pid=$(main_pid)
    begun=$(date +%s%N)
    kill -9 "$pid"
    up "$pid"
    ms=$((($(date +%s%N) - begun) / 1000000))
    ((ms <= slowest)) || slowest=$ms
    at_least "$(pulses)" "$before" "the total went down with kill $1"
    has "$(property valves/garden Valve Holds)" "hose in winter" "kill $1: the operator's hold survives" >/dev/null
}

verdict=$(critical_verdict)
waiting=$(look && verdicts)
total=$(pulses)
for n in 1 2 3 4; do
    crash "$n"
    equal "$(look && verdicts)" "$waiting" "kill $n: every verdict is an object again" >/dev/null
    has "$(gasctl status)" "(verdict $verdict): Meter kitchen: gas flow rose" "kill $n: gasd's own hold survives" >/dev/null
    equal "$(position main)" closed "kill $n: the valve stays closed" >/dev/null
    refused 1 "\`gasctl ack $verdict\`" "kill $n: opening stays refused" as keeper gasctl valve open main >/dev/null
done
equal "$(pulses)" "$total" "four kills behind a closed valve: total, verdicts, holds and position stay"

has "$(as keeper gasctl ack "$verdict")" acknowledged "the operator acknowledges"
equal "$(position main)" closed "which opens nothing"
has "$(gasctl status)" "main: held by gasd" "and releases no hold"
has "$(as keeper gasctl valve open main)" "valve main: open" "then the valve opens"
equal "$(property valves/main Valve Holds | cut -d ' ' -f 2)" 0 "and its holds are gone"
busctl introspect io.gasd1 "/io/gasd1/verdicts/$verdict" io.gasd1.Verdict >/dev/null 2>&1 &&
    fail "an acknowledged verdict is still on the bus"
ok "the acknowledged verdict has left the bus"

# The play that began with the fourth kill is at its first flame still.
total=$(pulses)
for n in 5 6 7 8 9 10; do
    # Half a second is half a minute of cooking, two litres at least.
    sleep 0.7
    crash "$n"
    equal "$(position main)" open "kill $n: the valve stays open" >/dev/null
done
(($(pulses) > total)) || fail "no gas flowed between the kills"
ok "six kills while gas flows: the total only grew, from $total to $(pulses)"
equal "$(systemctl show -P NRestarts gasd)" 10 "systemd counts ten restarts"
ok "the slowest of ten was on the bus again $slowest ms after its kill"
nothing_lost "after ten kills"
