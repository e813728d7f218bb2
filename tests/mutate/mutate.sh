#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# mutate.sh check             TAP: every row of breakages.txt still fits the sources (cheap; part of make check)
# mutate.sh words             the list, to read
# mutate.sh run [ID...]       breaks the sources as each row says, one at a time, and sees its test fail
# mutate.sh random NUM SEED   NUM blind breakages, each against the unit tests of its layer and above
#
# Nothing is broken in the source tree: all of it happens in a copy, BUILD/mutate/tree, which is kept for the next
# run. ALL=1: what a row's own test lets pass is shown to every test of its layer and above, then to fuzz corpora,
# recordings and faults.
# PROFILE selects the flags as in the Makefile.
#
# A row is caught if the case that it names fails, or is the one that runs when the program dies or hangs. What does
# not build is caught by nobody. Exit: 0 all caught, 1 otherwise; random: 0, unless it could not be done at all.
set -u
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
source=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
here=$source/tests/mutate
list=$here/breakages.txt
PROFILE=${PROFILE-release}
HANG_S=300

cd "$source" || exit 1
find_row() { awk -v mode="$1" -v ids="${2-}" -f "$here/find.awk" "$list"; }

case ${1-} in
check | words) find_row "$1"; exit ;;
run | random) ;;
*) echo 'mutate.sh check | words | run [ID...] | random NUM SEED' >&2; exit 2 ;;
esac

mkdir -p "${BUILD-build}/mutate" || exit 1
work=$(cd "${BUILD-build}/mutate" && pwd)
tree=$work/tree
out=$work/build/$PROFILE
: "${DEROT_VECTORS:=$source/../shared/vectors}"
export DEROT_VECTORS

# The tree as it is, with times of now where something changed: make trusts them.
copy() {
	find Makefile chain governance kms-bridge watcher fixtures tests \
		\( -name node_modules -o -name artifacts -o -name cache \) -prune -o -type f -print | sort >"$work/files"
	mkdir -p "$tree" && (cd "$tree" && find . -type f | sed 's,^\./,,' | sort) >"$work/there"
	comm -13 "$work/files" "$work/there" | while read -r file; do rm -f "$tree/$file"; done
	while read -r file; do
		cmp -s "$file" "$tree/$file" && continue
		mkdir -p "$tree/$(dirname "$file")" && cp "$file" "$tree/$file" || exit 1
	done <"$work/files"
}

build() {
	(cd "$tree" && make -s -j"${JOBS-1}" BUILD="$work/build" PROFILE="$PROFILE" "$@") >"$work/build.log" 2>&1 \
		</dev/null
}

# What makes a program, or a part of a test of several: "folder/test_name" of tests/unit, "faults/test_faults:part".
targets() {
	case $1 in
	faults/*) echo "$out/derot-core $out/faults/test_faults $out/faults/shim.so" ;;
	fuzz/*) echo "$out/$1" ;;
	*) echo "$out/unit/$1" ;;
	esac
}

# Runs it; $work/run.tap is what it said, $work/failed the cases that failed. 0: none did.
run() {
	status=0
	part=${1#*:}
	case $1 in
	faults/*) set -- "$out/faults/test_faults" "$part" ;;
	fuzz/*) set -- "$out/$1" -rounds=200 "tests/fuzz/corpus/${1#fuzz/}" ;;
	*) set -- "$out/unit/$1" ;;
	esac
	# What the shell says of a program that dies is said inside.
	(cd "$tree" && CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 $HANG_S "$@"; exit $?) >"$work/run.tap" \
		2>"$work/run.err" </dev/null || status=$?
	sed -n '/# SKIP/d; s/ \[  FAILED  \].*//; s/^not ok [0-9]* - //p' "$work/run.tap" >"$work/failed"
	[ -s "$work/failed" ] && return 1
	[ $status = 0 ] && return 0
	# It died, or was ended: which case was on? TAP is told at the end of a group, the other form as it goes.
	(cd "$tree" && CMOCKA_MESSAGE_OUTPUT=STDOUT timeout -k 5 $HANG_S "$@" 2>&1 </dev/null; exit $?) 2>/dev/null |
		sed -n 's/^\[ RUN *\] //p' | tail -n 1 >"$work/failed"
	[ -s "$work/failed" ] || echo main >"$work/failed"
	return 1
}

restore() { cp "$source/$1" "$tree/$1"; }

# The tests that are to see a breakage of a file: that of its own name first, then its layer's, then those above; the
# slow ones last.
tests_for() {
	base=${1##*/} base=${base%.c}
	case $1 in
	chain/*) layers='chain governance kms-bridge' ;;
	governance/*) layers='governance kms-bridge' ;;
	kms-bridge/process/*) layers='process kms-bridge' ;;
	kms-bridge/tell/* | kms-bridge/serve/*) layers=serve ;;
	*) layers='kms-bridge serve' ;;
	esac
	for layer in $layers; do
		for test in tests/unit/"$layer"/test_*.c; do
			name=${test##*/test_} name=${name%.c} rank=1
			case $base in "$name"*) rank=0 ;; *) case $name in "$base"*) rank=0 ;; esac ;; esac
			case $name in search | secret_paths | http_wait) rank=2 ;; esac
			echo "$rank $layer/test_$name"
		done
	done | sort -s -n -k 1,1 | cut -d ' ' -f 2
}

# Who of them does; $by says it. 1: nobody.
seen_by() {
	for program in $(tests_for "$1"); do
		build "$out/unit/$program" || { cat "$work/build.log"; exit 1; }
		run "$program" && continue
		by="$program, $(head -n 1 "$work/failed")"
		return 0
	done
	return 1
}

# The other checks that need neither npm nor a network; $by says the first that fails. 1: none.
seen_by_others() {
	for part in check-fuzz check-link check-fixtures check-faults; do
		(cd "$tree" && make -s BUILD="$work/build" PROFILE="$PROFILE" JOBS="${JOBS-1}" $part) \
			>"$work/all.log" 2>&1 && continue
		by="$part, $(sed -n 's/^[a-z-]* \(.*\): [0-9]* FAILED.*/\1/p' "$work/all.log" | head -n 1)"
		return 0
	done
	return 1
}

do_rows() {
	find_row list "$*" >"$work/rows" || exit 1
	echo "# the tree as it is"
	cut -f 3 "$work/rows" | sort -u >"$work/programs"
	# shellcheck disable=SC2046 # a list of words
	build $(while read -r p; do targets "$p"; done <"$work/programs") || { cat "$work/build.log"; exit 1; }
	while read -r p; do
		run "$p" || { echo "$p fails on the tree as it is: $(cat "$work/failed")"; exit 1; }
	done <"$work/programs"
	num=0 survived=0
	echo "1..$(wc -l <"$work/rows")"
	while IFS='	' read -r id file program name; do
		num=$((num + 1))
		find_row apply "$id" >"$work/broken" && cp "$work/broken" "$tree/$file" || exit 1
		# shellcheck disable=SC2046
		if ! build $(targets "$program"); then
			verdict="DOES NOT BUILD: $(grep -m 1 'error:' "$work/build.log")"
			survived=$((survived + 1))
		elif run "$program"; then
			verdict=SURVIVED
			program0=$program
			[ -n "${ALL-}" ] && { seen_by "$file" || seen_by_others; } &&
				verdict="SURVIVED $program0, seen by $by"
			survived=$((survived + 1))
		elif grep -qxF "$name" "$work/failed"; then
			verdict="caught by $program, $name"
		else
			verdict="CAUGHT BY ANOTHER CASE of $program: $(tr '\n' ' ' <"$work/failed")"
			survived=$((survived + 1))
		fi
		restore "$file" || exit 1
		case $verdict in caught*) ok=ok ;; *) ok='not ok' ;; esac
		echo "$ok $num - $id: $verdict"
	done <"$work/rows"
	echo "# $num breakages, $((num - survived)) caught, $survived not as listed"
	[ $survived = 0 ]
}

do_random() {
	# shellcheck disable=SC2046
	awk -v want="$1" -v seed="$2" -f "$here/random.awk" \
		$(find chain governance kms-bridge -name '*.c' ! -name 'main_*' | sort) >"$work/picked" || exit 1
	num=0 caught=0 unbuilt=0
	while IFS='	' read -r file line column old new; do
		num=$((num + 1))
		awk -v n="$line" -v c="$column" -v old="$old" -v new="$new" 'FNR == n {
			$0 = substr($0, 1, c - 1) new substr($0, c + length(old)) } 1' "$file" >"$tree/$file"
		printf '%s:%s: %s\n' "$file" "$line" "$(sed -n "${line}s/^[ 	]*//p" "$tree/$file")"
		verdict='    SURVIVED'
		if ! build "$out/$(echo "${file%/*}" | tr / -).a"; then
			verdict='    does not build'
			unbuilt=$((unbuilt + 1))
		else
			seen_by "$file" && verdict="    caught by $by" && caught=$((caught + 1))
		fi
		restore "$file" || exit 1
		echo "$verdict"
	done <"$work/picked"
	echo "seed $2: $num breakages, $unbuilt do not build, $caught of $((num - unbuilt)) caught"
}

copy || exit 1
what=$1
shift
case $what in
run) do_rows "$@" ;;
random) do_random "$@" ;;
esac
