# shellcheck shell=bash disable=SC2154
# Exact counting among glitches, and a contact that closes and stays closed.

line=$(gpiosim_line meters 3)
hall=$(gpiosim_line meters 6)

# The slow contact on another meter meanwhile: closed for the whole of this part.
gasctl --json watch >/run/watch.json &
watcher=$!
until_true 10 "gasctl watch" grep -q '"event":"state"' /run/watch.json
sleep 1
closed_us=$(date +%s%6N)
row "$hall" 0 up | play >/dev/null
closed_at=$SECONDS
until_true 10 "the slow contact's pulse" grep -q '"accepted":1,.*"id":"hall"' /run/watch.json
seen_us=$(grep -m 1 '"accepted":1,.*"id":"hall"' /run/watch.json | jget time_unix_us)
kill "$watcher"
# It is still closed, so nothing but its width can have made it a pulse. How long that took is told and not judged: an
# emulated machine on a busy one has no second of its own.
ok "a contact that stays closed is counted while it is closed (shown after $(((seen_us - closed_us) / 1000)) ms)"

pulses=10
noisy_pulses "$line" "$pulses" >/run/schedule
echo "# $(play </run/schedule)"
exact kitchen "$pulses" "pulses among spikes, bounce and dips"
equal "$(get meters kitchen edges)" "$(wc -l </run/schedule)" "each pull was an edge"
equal "$(get meters kitchen rejected release)" "$pulses" "each pulse has one edge that ended it"
((pulses * 6 == $(get meters kitchen rejected width))) || echo "# $(grep -o '"rejected":{[^}]*}' "$snapshot")"
equal "$(get meters kitchen volume_ul)" "$((pulses * 100000))" "the volume is that of the pulses"

burst "$line" 100 up down | play
exact kitchen "$pulses" "a burst of 200 edges in a row is no pulse"

while ((SECONDS - closed_at < 21)); do sleep 1; done
look
equal "$(get meters hall accepted)" 1 "closed for more than 20 s, it is still one pulse"
row "$hall" 0 down | play >/dev/null
exact hall 1 "opening at last"
has "$(get service events_missed) $(get service ring_overrun) $(get service queue_full)" "0 0 0" "no event was late"
