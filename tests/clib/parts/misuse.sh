# shellcheck shell=bash disable=SC2034,SC2154,SC2015
# What no program should do.
compile misuse
compile threads
same "$("$work/misuse" --list | sort)" "$(functions_of include/gasdetect.h)" "the table has every function of the header"
misuse() { runs 100 "$work/misuse" "$bus" && runs 100 "$work/threads" "$bus"; }
with_house 60 misuse
