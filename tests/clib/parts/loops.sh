# shellcheck shell=bash
# Event loops.
compile loops
loops() { for how in poll epoll select; do runs 20 "$work/loops" "$how" "$bus"; done; }
with_house 30 loops
