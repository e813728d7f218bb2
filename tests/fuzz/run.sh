#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD NAME [option...]: libFuzzer on one target, with its dictionary and the longest input that is worth its
# while. What it finds new is kept in BUILD/fuzz/found/NAME and read again next time; a finding lies beside that folder
# as NAME-crash-…, NAME-leak-…, NAME-timeout-….
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1 name=$2
shift 2

dict=tests/fuzz/dict/$name.dict
max_len=1024
case $name in
json_evm) dict=tests/fuzz/dict/json.dict max_len=2048 ;;
rpc) dict=tests/fuzz/dict/json.dict ;;
json_beacon) max_len=5120 ;;
verify) dict=tests/fuzz/dict/json.dict max_len=8192 ;;
recording) max_len=8192 ;;
follow) max_len=6144 ;;
profile) max_len=4096 ;;
abi | frames) max_len=1536 ;;
lightclient) max_len=3072 ;;
merkle) max_len=48 ;;
plan) max_len=24 ;;
stream) max_len=48 ;;
bls | signed | text) max_len=128 ;;
fold) max_len=48 ;;
key_file | route) max_len=256 ;;
answer | checkpoint | derivation | evidence | proto | rlp) max_len=512 ;;
file) max_len=700 ;;
esac
[ -e "$dict" ] && set -- -dict="$dict" "$@"
mkdir -p "$build/fuzz/found/$name"
# Stacks of allocations cost more than they tell; a finding is looked at again by hand.
ASAN_OPTIONS="malloc_context_size=1:quarantine_size_mb=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}" exec "$build/fuzz/fuzz/fuzz_$name" \
	-max_len="$max_len" -print_final_stats=1 -artifact_prefix="$build/fuzz/found/$name-" "$@" \
	"$build/fuzz/found/$name" "tests/fuzz/corpus/fuzz_$name"
