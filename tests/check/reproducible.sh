#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# reproducible.sh: builds the tree in two folders with different names; the programs must be the same, byte by byte.
set -eu
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for copy in "$scratch/a" "$scratch/another-folder/deeper"; do
	mkdir -p "$copy"
	tar -c Makefile chain governance kms-bridge watcher | tar -x -C "$copy"
	env -u MAKEFLAGS -u MAKELEVEL make -C "$copy" -j"$(nproc)" BUILD="$copy/build" PROFILE=release all >"$scratch/log" ||
		{ cat "$scratch/log" && exit 1; }
done
echo 1..3
num=0
bad=0
for program in derot derot-core derot-watch; do
	num=$((num + 1))
	if cmp "$scratch/a/build/$program" "$scratch/another-folder/deeper/build/$program"; then
		echo "ok $num - $program $(sha256sum <"$scratch/a/build/$program")"
	else
		echo "not ok $num - $program" && bad=1
	fi
done
exit $bad
