# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# Event loops.
compile loops
loops() { for how in poll epoll select; do runs 20 "$work/loops" "$how" "$bus"; done; }
with_house 30 loops
