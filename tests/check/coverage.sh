#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh OUT [fuzz]: lines and branches that were run, a line a file and a sum a folder, from the programs in OUT
# (make coverage builds them, PROFILE=cover): every unit test, every fuzz target over its corpus (and over what
# `make fuzz` found, if it did), and every recording in fixtures/, replayed in process. kms-bridge/ is told for
# information: its processes end in a sandbox in which no profile can be written. `fuzz`: by the fuzz targets alone,
# and below it the functions that none of them reaches.
#
# Exit: 1 if fewer than 95 % of the lines of chain/ or of governance/ were run, or a test of theirs failed.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
out=$1
only=${2-}
least=95
dir=$out/profiles
found=$(dirname "$out")/fuzz/found
rm -rf "$dir" && mkdir -p "$dir" || exit 1
status=0

# profiled PROGRAM ARGUMENT...: what it ran is added up by program.
profiled() {
	LLVM_PROFILE_FILE=$dir/%m.profraw "$@" >"$dir/log" 2>&1 </dev/null
}

if [ "$only" != fuzz ]; then
	for test in "$out"/unit/*/test_*; do
		[ -x "$test" ] && [ ! -d "$test" ] || continue
		profiled "$test" && continue
		case $test in
		*/unit/chain/* | */unit/governance/*) echo "failed: $test" && tail -n 5 "$dir/log" && status=1 ;;
		*) echo "# not whole: ${test#"$out"/}" ;;
		esac
	done
	mkdir -p "$dir/recordings" && cp fixtures/*.ev "$dir/recordings" &&
		profiled "$out/fuzz/fuzz_recording" -once "$dir/recordings" || { echo 'failed: the recordings' && status=1; }
fi
for target in "$out"/fuzz/fuzz_*; do
	[ -x "$target" ] && [ ! -d "$target" ] || continue
	name=$(basename "$target")
	profiled "$target" -rounds=20 "tests/fuzz/corpus/$name" || { echo "failed: $name" && tail -n 5 "$dir/log" && status=1; }
	[ -d "$found/${name#fuzz_}" ] && profiled "$target" -once "$found/${name#fuzz_}"
done

objects=
for program in "$out"/unit/*/test_* "$out"/fuzz/fuzz_*; do
	[ -x "$program" ] && [ ! -d "$program" ] || continue
	[ "$only" = fuzz ] && [ "${program#"$out"/unit/}" != "$program" ] && continue
	objects="$objects ${objects:+-object }$program"
done
llvm-profdata-14 merge -o "$dir/all.profdata" "$dir"/*.profraw || exit 1

# A function that the linker left out of every program is not in the mapping; it would be nobody's.
# shellcheck disable=SC2086 # $objects is a list of words
llvm-cov-14 report -instr-profile="$dir/all.profdata" $objects -ignore-filename-regex='tests/' 2>"$dir/log" |
	awk -v "least=$least" -v "told=$only" '
	function percent(missed, all) { return all == 0 ? "    -" : sprintf("%5.1f", 100 * (all - missed) / all) }
	function row(name, lines, missed, branches, unmet) {
		printf "%-32s %6d lines %s %%   %6d branches %s %%\n", name, lines, percent(missed, lines), branches,
			percent(unmet, branches)
	}
	$1 ~ /^(chain|governance|kms-bridge|watcher)\/.*\.[ch]$/ && $8 + 0 > 0 {
		row($1, $8, $9, $11, $12)
		top = $1; sub(/\/.*/, "", top)
		l[top] += $8; m[top] += $9; b[top] += $11; u[top] += $12
	}
	END {
		print ""
		n = split("chain governance kms-bridge watcher", folders, " ")
		for (i = 1; i <= n; i++) if (folders[i] in l)
			row(folders[i] "/", l[folders[i]], m[folders[i]], b[folders[i]], u[folders[i]])
		if (told == "fuzz") exit 0
		for (i = 1; i <= 2; i++) if (100 * (l[folders[i]] - m[folders[i]]) < least * l[folders[i]]) {
			print folders[i] "/: fewer than " least " % of the lines were run"; bad = 1
		}
		exit bad
	}' || status=1

if [ "$only" = fuzz ]; then
	echo
	echo "functions of chain/ and governance/ that no fuzz target reaches:"
	# A function counts once for each program that has it; one of them is enough.
	# shellcheck disable=SC2086
	llvm-cov-14 export -format=lcov -instr-profile="$dir/all.profdata" $objects \
		-ignore-filename-regex='tests/|kms-bridge/|watcher/' 2>/dev/null |
		awk -F '[:,]' '
			/^SF:/ { file = $2; sub(/^\.\//, "", file) }
			/^FNDA:/ { name = "  " file " " $NF; if ($2 > most[name] + 0) most[name] = $2; else most[name] += 0 }
			END { for (name in most) if (most[name] == 0) print name }' | sort
fi
exit $status
