#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# replay_hostile.sh: recordings that are not what they were, one at proof quorum and one at proof consensus: one bit
# flipped in each kind of frame, in its payload, its head and its checksum; cut; with a frame left out, or at another
# place; of another chain; held against another anchor. derot replay says what is wrong and exits 1, 2 or 3, never 0
# or 5 (good, without or with findings); where a change is harmless, the ledger is what it was. DEROT names the binary
# (build/derot). Prints TAP.
# shellcheck disable=SC2016 # the dollars are sed's
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
derot=${DEROT:-build/derot}
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

ends() { # block: in ABOUT, which comes first, the recorder says that it ends there; at 154 of an INIT's payload
	{ head -c 226 "$tmp/x.ev" && printf "\\0\\0\\0\\0\\0\\0\\0\\$(printf %03o "$1")" && tail -c +235 "$tmp/x.ev"; } >"$tmp/y.ev"
	mv "$tmp/y.ev" "$tmp/x.ev"
	mend 64 $((($(byte 66) * 256) + $(byte 67)))
}

mend() { # offset length: a checksum that fits what is there now, as any forger would put
	sum=$(tail -c +$(($1 + 1)) "$tmp/x.ev" | head -c $(($2 + 8)) | sha256sum | cut -c 1-16)
	printf "$(echo "$sum" | awk '{
		for (i = 1; i < 17; i += 2)
			printf "\\%03o", (index(hex, substr($0, i, 1)) - 1) * 16 + index(hex, substr($0, i + 1, 1)) - 1
	}' hex=0123456789abcdef)" | dd of="$tmp/x.ev" bs=1 seek=$(($1 + 8 + $2)) conv=notrunc 2>/dev/null
}

piece() { tail -c +$(($1 + 1)) "$good" | head -c "$2"; } # offset length

drop() { # offset length: $tmp/x.ev is the good one without that frame
	{ head -c "$1" "$good" && tail -c +$(($1 + 16 + $2 + 1)) "$good"; } >"$tmp/x.ev"
}

late() { # offset length: $tmp/x.ev is the good one with that frame after the next one
	at2=$(($1 + 16 + $2))
	len2=$((($(byte $at2) * 256 + $(byte $((at2 + 1)))) * 65536 + $(byte $((at2 + 2))) * 256 + $(byte $((at2 + 3))) + 16))
	{ head -c "$1" "$good" && piece $at2 $len2 && piece "$1" $((16 + $2)) && tail -c +$((at2 + len2 + 1)) "$good"; } >"$tmp/x.ev"
}

play() { # [file [anchor [option]]]
	"$derot" replay "${1:-$tmp/x.ev}" ${2:+--anchor "$2"} ${3:+"$3"} --format json >"$tmp/out" 2>"$tmp/err"
	code=$?
	ledger=$(grep -o '"ledger_root": *"[^"]*"' "$tmp/out" | tail -n 1)
}

verdict() { # name; $why: what is not as it should be
	n=$((n + 1))
	[ -z "$why" ] && echo "ok $n - $1: $(head -n 1 "$tmp/err" | tr -d '#')" && return
	echo "not ok $n - $1: exit $code, $why" && bad=1
}

refused() { # name [file [anchor [option]]]: a replay of it is not good
	play "${2:-$tmp/x.ev}" "${3:-$good.anchor.yaml}" ${4:+"$4"}
	why=
	[ -s "$tmp/err" ] || why='nothing said'
	[ $code -ge 1 ] && [ $code -le 3 ] || why='not refused'
	verdict "$1"
}

same() { # name code [file [anchor [option]]]: the ledger is what it was
	play "${3:-$tmp/x.ev}" "${4-$good.anchor.yaml}" ${5:+"$5"}
	why=
	[ "$code" = "$2" ] || why="not $2"
	[ "$ledger" = "$whole" ] || why='another ledger'
	verdict "$1"
}

either() { # name: refused, or the same
	play "$tmp/x.ev" "$good.anchor.yaml"
	if [ $code -eq 5 ]; then same "$1" 5; else refused "$1"; fi
}

anchor() { # sed's words: $tmp/a.yaml is the good anchor, edited
	sed "$@" "$good.anchor.yaml" | sed "s#\.\./#$PWD/#" >"$tmp/a.yaml"
}

says() { # name words: they are in what was said last, on either channel
	why=
	grep -q "$2" "$tmp/out" "$tmp/err" || why="nothing of \"$2\""
	verdict "$1"
}

# The frames: offset, type in hexadecimal (and the kind of a light client's message), length of the payload. Walked
# once, the second of each type is kept (the first of them may be there to be told apart from what follows), or the
# only one; and the last receipts.
walk() {
	od -An -v -tu1 -w1 "$good" | awk '
		{ b[NR - 1] = $1 }
		END {
			for (at = 64; at + 16 <= NR; at += 16 + len) {
				len = ((b[at] * 256 + b[at + 1]) * 256 + b[at + 2]) * 256 + b[at + 3]
				type = sprintf("%02x%02x", b[at + 4], b[at + 5])
				if (type == "0003") last = at " last " len
				if (type == "0001" && b[at + 8] == 2) type = type "." b[at + 9]
				if (seen[type]++ < 2) line[type] = at " " type " " len
			}
			for (type in line) print line[type]
			print last
			print at, "end", 0
		}' | sort >"$tmp/frames"
	end=$(awk '$2 == "end" { print $1 }' "$tmp/frames")
}

spoil() { # recording
	good=$1
	walk
	play "$good" "$good.anchor.yaml"
	whole=$ledger
	why=
	[ $code -eq 5 ] && [ "$end" = "$(wc -c <"$good")" ] && [ -n "$whole" ] || why="frames end at $end"
	verdict "$good is good, with findings"
	flip 4 && refused "a bit of the magic"
	flip 20 && refused "a bit of the chain id"
	flip 60 && refused "a bit of the head's checksum"
	while read -r at type len; do
		case $type in
		end) continue ;;
		last) # of the block with the newest change
			drop "$at" "$len" && refused "the last receipts left out" && says 'how far it is complete' 'complete up to block'
			ends 20 && play "$tmp/x.ev" "$good.anchor.yaml" && says 'whose word it is that no more was wanted' "until block 20, by its recorder's own word"
			cp "$good" "$tmp/x.ev" && ends 20 && same 'its recorder says that it ends earlier' 5
			continue
			;;
		esac
		flip $((at + 8 + len / 2)) && refused "a bit in the payload of a frame $type"
		# The core's stamps are the recorder's word, and a quorum's claims (0001) the endpoints': no proof breaks there.
		case $type in
		000[234] | 0001.*) flip $((at + 8 + len / 2)) && mend "$at" "$len" && refused "the same in a frame $type, its checksum mended" ;;
		esac
		flip $((at + 5)) && refused "a bit in the type of a frame $type"
		flip $((at + 3)) && refused "a bit in the length of a frame $type"
		flip $((at + 8 + len)) && refused "a bit in the checksum of a frame $type"
		[ "$type" != 0002 ] || { says 'which file' "source *$tmp/x.ev" && says 'what was replayed' 'before it was replayed, and nothing after'; }
		drop "$at" "$len"
		case $type in
		# Without them nothing goes on.
		000[23] | 0001.[01]) refused "a frame $type left out" ;;
		# Others bring what they brought, or it was no more than a head's word, or the recorder's.
		*) same "a frame $type left out" 5 ;;
		esac
		late "$at" "$len" && either "a frame $type after the next one"
	done <"$tmp/frames"
	head -c $(($(wc -c <"$good") - 5)) "$good" >"$tmp/x.ev" && refused "cut within its last frame"
	head -c 70 "$good" >"$tmp/x.ev" && refused "cut within its first frame"
	head -c 64 "$good" >"$tmp/x.ev" && refused "its head alone"
	head -c 40 "$good" >"$tmp/x.ev" && refused "cut within its head"
	: >"$tmp/x.ev" && refused "empty"
	anchor 's/^  id: .*/  id: 1/' && refused "of another chain id than the anchor's" "$good" "$tmp/a.yaml" && says 'both' 'expected *chain 1, genesis 0x' && says 'both' 'got *chain 31337, genesis 0x'
	anchor 's/^  genesis: 0x../  genesis: 0x00/' && refused "of another genesis than the anchor's" "$good" "$tmp/a.yaml"
	anchor 's/^  hash: 0x../  hash: 0x00/' && refused "of another start than the anchor's" "$good" "$tmp/a.yaml"
	same 'without an anchor' 6 "$good" '' && says 'that it is unanchored' 'unanchored: self-consistent only'
}

spoil fixtures/hostile.ev
refused "no recording at all" Makefile
spoil fixtures/consensus.ev

# What a recording at proof consensus rests on is in the anchor alone.
anchor 's/^    root: 0x../    root: 0x00/'
refused "from another checkpoint, in short" "$good" "$tmp/a.yaml" && says 'how to learn why' 'were refused; --journal tells why'
refused "from another checkpoint" "$good" "$tmp/a.yaml" --journal && says 'why' "the bootstrap's header is not the checkpoint's"
anchor 's/^    max_age: .*/    max_age: 60/'
refused "from a checkpoint that is aged" "$good" "$tmp/a.yaml" --journal && says 'why' 'weak subjectivity: '
anchor -e 's/^    max_age: .*/    max_age: 60/' -e '$a\    accept_aged: "Grace"'
same "the same, accepted" 5 "$good" "$tmp/a.yaml" && says 'by whom' '"checkpoint_accepted_aged_by": *"Grace"'
anchor '/^proof/,$d' && refused "an anchor that names no checkpoint" "$good" "$tmp/a.yaml" && says 'why' 'must be consensus, as the recording claims'
anchor '/^consensus/,$d' && refused "an anchor without network and checkpoint" "$good" "$tmp/a.yaml"
anchor 's/71b41d6d/71b41d6c/' && refused "of another beacon chain" "$good" "$tmp/a.yaml"
refused "a quorum's recording held against it" fixtures/hostile.ev
echo "1..$n"
exit $bad
