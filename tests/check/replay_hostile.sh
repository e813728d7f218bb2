#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# replay_hostile.sh: recordings that are not what they were: one bit flipped in each kind of frame, in its payload,
# its head and its checksum; cut; with a frame left out; of another chain; held against another anchor. derot replay
# says what is wrong and exits 1 or 3, never 0 or 5 (good, without or with findings). DEROT names the binary
# (build/derot). Prints TAP.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
derot=${DEROT:-build/derot}
good=fixtures/hostile.ev
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
bad=0

byte() { od -An -tu1 -j"$1" -N1 "$good" | tr -d ' '; }

flip() { # offset: $tmp/x.ev is the good one with the lowest bit there turned
	cp "$good" "$tmp/x.ev"
	# shellcheck disable=SC2059 # the octal escape is the format
	printf "\\$(printf %03o $(($(byte "$1") ^ 1)))" | dd of="$tmp/x.ev" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

mend() { # offset length: a checksum that fits what is there now, as any forger would put
	sum=$(tail -c +$(($1 + 1)) "$tmp/x.ev" | head -c $(($2 + 8)) | sha256sum | cut -c 1-16)
	printf "$(echo "$sum" | awk '{
		for (i = 1; i < 17; i += 2)
			printf "\\%03o", (index(hex, substr($0, i, 1)) - 1) * 16 + index(hex, substr($0, i + 1, 1)) - 1
	}' hex=0123456789abcdef)" | dd of="$tmp/x.ev" bs=1 seek=$(($1 + 8 + $2)) conv=notrunc 2>/dev/null
}

refused() { # name [file [anchor]]: a replay of it is not good
	n=$((n + 1))
	"$derot" replay "${2:-$tmp/x.ev}" --anchor "${3:-$good.anchor.yaml}" --format json >"$tmp/out" 2>"$tmp/err"
	code=$?
	if [ $code -ne 1 ] && [ $code -ne 3 ]; then
		echo "not ok $n - $1: exit $code" && bad=1
	elif [ ! -s "$tmp/err" ]; then
		echo "not ok $n - $1: nothing said" && bad=1
	else
		echo "ok $n - $1: $(head -n 1 "$tmp/err" | tr -d '#')"
	fi
}

# The frames: offset, type in hexadecimal, length of the payload. Walked once, the second of each type is kept
# (the first of them may be there to be told apart from what follows), or the only one.
frames=$(od -An -v -tu1 -w1 "$good" | awk '
	{ b[NR - 1] = $1 }
	END {
		for (at = 64; at + 16 <= NR; at += 16 + len) {
			len = ((b[at] * 256 + b[at + 1]) * 256 + b[at + 2]) * 256 + b[at + 3]
			type = sprintf("%02x%02x", b[at + 4], b[at + 5])
			if (seen[type]++ < 2) line[type] = at " " type " " len
		}
		for (type in line) print line[type]
		print at, "end", 0
	}' | sort)
end=$(echo "$frames" | awk '$2 == "end" { print $1 }')

"$derot" replay "$good" --anchor "$good.anchor.yaml" --format json >"$tmp/out" 2>"$tmp/err"
code=$?
n=1
if [ $code -eq 5 ] && [ "$end" = "$(wc -c <"$good")" ]; then
	echo "ok 1 - the good one is good, with findings"
else
	echo "not ok 1 - the good one: exit $code, frames end at $end"
	bad=1
fi
flip 4 && refused "a bit of the magic"
flip 20 && refused "a bit of the chain id"
flip 60 && refused "a bit of the head's checksum"
while read -r at type len; do
	[ "$type" = end ] && continue
	flip $((at + 8 + len / 2)) && refused "a bit in the payload of a frame $type"
	# The core's stamps are the recorder's word, and a quorum's claims (0001) the endpoints': no proof breaks there.
	case $type in
	000[234]) flip $((at + 8 + len / 2)) && mend "$at" "$len" && refused "the same in a frame $type, its checksum mended" ;;
	esac
	flip $((at + 5)) && refused "a bit in the type of a frame $type"
	flip $((at + 3)) && refused "a bit in the length of a frame $type"
	flip $((at + 8 + len)) && refused "a bit in the checksum of a frame $type"
done <<EOF
$frames
EOF
head -c $(($(wc -c <"$good") - 5)) "$good" >"$tmp/x.ev" && refused "cut within its last frame"
head -c 70 "$good" >"$tmp/x.ev" && refused "cut within its first frame"
head -c 40 "$good" >"$tmp/x.ev" && refused "cut within its head"
: >"$tmp/x.ev" && refused "empty"
refused "no recording at all" Makefile
sed 's/^  id: .*/  id: 1/' "$good.anchor.yaml" | sed "s#\.\./#$PWD/#" >"$tmp/a.yaml"
refused "of another chain id than the anchor's" "$good" "$tmp/a.yaml"
sed 's/^  genesis: 0x../  genesis: 0x00/' "$good.anchor.yaml" | sed "s#\.\./#$PWD/#" >"$tmp/a.yaml"
refused "of another genesis than the anchor's" "$good" "$tmp/a.yaml"
sed 's/^  hash: 0x../  hash: 0x00/' "$good.anchor.yaml" | sed "s#\.\./#$PWD/#" >"$tmp/a.yaml"
refused "of another start than the anchor's" "$good" "$tmp/a.yaml"
echo "1..$n"
exit $bad
