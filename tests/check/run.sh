#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh RESULTS GROUP ITEM...: runs each item, JOBS (default 1) at a time: one line for an item that passes, the
# whole output of one that fails. RUN is the command, the item its $1; by default the item itself.
# run.sh RESULTS --sum: "N passed, N failed, N skipped" over all groups since RESULTS was removed, with the names
# of what was skipped.
#
# An item that speaks TAP (cmocka, node --test, our own checks) counts each of its tests; any other is one test
# by its exit code. A plan that was not carried out, and an exit code that no failed test explains, are failures:
# a test that dies or ends the process early does not pass.
#
# RESULTS/GROUP/ holds of every item <item>.log and <item>.sum: passed, failed, skipped, then names of skipped.
# Exit: 0 all passed, 1 otherwise.
set -u
export LC_ALL=C
# What a test kills leaves no image of its memory in the tree.
ulimit -c 0

# shellcheck disable=SC2016 # awk's own dollars
sum_up='
	/^ *(not )?ok .*# SKIP/ {
		name = $0
		sub(/^ *(not )?ok [0-9]* *(- )?/, "", name); sub(/ *# SKIP */, " ", name); sub(/^ */, "", name)
		skipped[++skips] = name
	}
	/^(not )?ok / { seen++; if (/# SKIP/) tap_skip++; else if (/^ok/) tap_pass++; else tap_fail++ }
	/^1\.\.[0-9]+$/ { plan += substr($0, 4) }
	# Node.js counts nested tests only here.
	/^# (pass|fail|cancelled|skipped) [0-9]+$/ { node = 1; count[$2] = $3 }
	END {
		if (node) {
			pass = count["pass"]; fail = count["fail"] + count["cancelled"]; skip = count["skipped"]
		} else if (seen || plan) {
			pass = tap_pass; fail = tap_fail; skip = tap_skip
			if (plan > seen) fail += plan - seen
		} else {
			pass = status == 0; fail = status != 0
		}
		# cmocka counts what it skips in no exit code; it calls them "not ok" in TAP and still exits 0.
		if (status != 0 && !fail) fail = 1
		printf "%d %d %d\n", pass, fail, skip
		for (i = 1; i <= skips; i++) print skipped[i]
	}'

one() {
	name=$(echo "$2" | sed 's,^.*/\(unit\|fuzz\)/,,; s,^tests/,,; s,^[./]*,,; s,/,.,g')
	log=$results/$group/$name.log
	start=$(date +%s)
	status=0
	CMOCKA_MESSAGE_OUTPUT=TAP sh -c "${RUN-\"\$1\"}" run "$2" >"$log" 2>&1 </dev/null || status=$?
	awk -v status=$status "$sum_up" "$log" >"$results/$group/$name.sum"
	read -r pass fail skip <"$results/$group/$name.sum"
	took=$(($(date +%s) - start))
	if [ "$fail" = 0 ]; then
		line="$group $name: $pass passed"
		[ "$skip" = 0 ] || line="$line, $skip skipped"
		[ $took -lt 2 ] || line="$line (${took} s)"
		printf '%s\n' "$line"
	else
		printf '%s\n' "$group $name: $fail FAILED (exit code $status)" | tee "$results/$group/$name.failed"
	fi
}

results=$1
group=$2
if [ "$group" = --sum ]; then
	# A test that was skipped in several groups is named once.
	find "$results" -name '*.sum' | sort | while read -r file; do
		path=${file#"$results"/} && path=${path%.sum}
		sed "1d; s,^,${path#*/}: ,; s,\$, [${path%%/*}]," "$file"
	done | awk '
		{ group = $NF; gsub(/[][]/, "", group); sub(/ \[[^]]*\]$/, "") }
		!($0 in groups) { order[++n] = $0; groups[$0] = group; next }
		{ groups[$0] = groups[$0] " " group }
		END { for (i = 1; i <= n; i++) print "skipped: " order[i] " [" groups[order[i]] "]" }' | sort
	find "$results" -name '*.sum' -exec awk 'FNR == 1' {} + |
		awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }'
	exit $?
fi
if [ "${3-}" = --one ]; then
	one "$results" "$4"
	exit 0
fi
shift 2
rm -rf "${results:?}/$group" && mkdir -p "$results/$group" || exit 1
[ $# -gt 0 ] || exit 0
printf '%s\0' "$@" | xargs -0 -P "${JOBS:-1}" -n 1 "$0" "$results" "$group" --one

failed=$(find "$results/$group" -name '*.failed' | sort)
for file in $failed; do
	printf '\n---- %s\n' "$(cat "$file")"
	cat "${file%.failed}.log"
done
[ -z "$failed" ] && [ "$(find "$results/$group" -name '*.sum' | wc -l)" = $# ]
