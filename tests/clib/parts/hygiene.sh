# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# The process around the library.
compile hygiene
hygiene() { runs 60 "$work/hygiene" "$bus" "$C/libgasdetect.so.1"; }
with_house 60 hygiene
