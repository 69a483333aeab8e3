# shellcheck shell=bash
# What no program should do.
compile misuse
same "$("$work/misuse" --list | sort)" "$(functions_of include/gasdetect.h)" "the table has every function of the header"
misuse() { runs 100 "$work/misuse" "$bus"; }
with_house 60 misuse
