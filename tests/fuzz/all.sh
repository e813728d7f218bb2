#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# all.sh BUILD RUNS [NAME...]: every target (or these), one after the other, until each was executed RUNS times. A line
# a piece of at most a million goes to BUILD/fuzz/report.tsv, so that what is stopped goes on where it was:
#
#   target · binary's hash · executions · seconds · executions a second · edges · features · findings
#
# Executions count for the binary that made them: a target that was built anew begins anew, unless ANY=1. A target with
# a finding is left. Exit: 0 all of them reached RUNS without one, 1 otherwise.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1 runs=$2
shift 2
# shellcheck disable=SC2046 # names are words
[ $# -gt 0 ] || set -- $(for file in tests/fuzz/fuzz_*.c; do basename "$file" .c | sed 's/^fuzz_//'; done)
report=$build/fuzz/report.tsv
mkdir -p "$build/fuzz"
touch "$report"

# had NAME HASH COLUMN: the sum of a column over this target's lines.
had() {
	awk -F '\t' -v "name=$1" -v "hash=$2" -v "any=${ANY-}" -v "column=$3" \
		'$1 == name && ($2 == hash || any != "") { sum += $column } END { printf "%d\n", sum }' "$report"
}

failed=
for name; do
	hash=$(sha256sum "$build/fuzz/fuzz/fuzz_$name" | cut -c 1-16)
	while [ "$(had "$name" "$hash" 8)" = 0 ] && left=$((runs - $(had "$name" "$hash" 3))) && [ "$left" -gt 0 ]; do
		[ "$left" -le 1000000 ] || left=1000000
		log=$build/fuzz/$name.log
		start=$(date +%s) status=0
		tests/fuzz/run.sh "$build" "$name" -runs="$left" >"$log" 2>&1 || status=$?
		awk -v "name=$name" -v "hash=$hash" -v "seconds=$(($(date +%s) - start))" -v "status=$status" '
			/cov: [0-9]+ ft: [0-9]+/ {
				for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) }
			}
			/^stat::number_of_executed_units:/ { num = $2 }
			END {
				printf "%s\t%s\t%d\t%d\t%.0f\t%d\t%d\t%d\n", name, hash, num, seconds,
					num / (seconds > 0 ? seconds : 1), edges, features, status != 0
			}' "$log" >>"$report"
		[ $status = 0 ] || { grep -aE 'ERROR|runtime error|bug:|Test unit written' "$log" | head -5; }
	done
	num=$(had "$name" "$hash" 3)
	echo "$name: $num executions, $(had "$name" "$hash" 8) findings"
	[ "$(had "$name" "$hash" 8)" = 0 ] && [ "$num" -ge "$runs" ] || failed="$failed $name"
done
[ -z "$failed" ] || { echo "short of $runs, or with a finding:$failed" >&2 && exit 1; }
