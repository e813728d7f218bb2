#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_source.sh: plants one violation of each kind that source.sh, link.sh and run.sh look for into a scratch copy,
# and sees each caught by the check of its name, in the place where it is. Prints TAP.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
num=0
bad=0

verdict() { # name, 0 if good
	num=$((num + 1))
	[ "$2" = 0 ] && echo "ok $num - $1" && return
	bad=1
	echo "not ok $num - $1"
}

tree=$scratch/tree
mkdir "$tree"
tar -c --exclude=node_modules --exclude=artifacts --exclude=cache Makefile .ci chain governance kms-bridge watcher \
	tests fixtures | tar -x -C "$tree"
spdx='/* SPDX-License-Identifier: Apache-2.0 */'
tests/check/source.sh "$tree" >"$scratch/clean"

# plant CHECK PLACE FILE TEXT...: a new file, or lines at the end of one that is there; # in PLACE and FILE is a
# number of its own. Once all are planted, source.sh must name each PLACE under CHECK, and not without the plant.
plants=0
plant() {
	plants=$((plants + 1))
	printf '%s\t%s\n' "$1" "$2" | sed "s/#/$plants/" >>"$scratch/expected"
	file=$tree/$(echo "$3" | sed "s/#/$plants/")
	shift 3
	mkdir -p "$(dirname "$file")"
	printf '%s\n' "$@" >>"$file"
}

# Layers: each folder reaches up one floor, or sideways.
reach() { # from to
	plant layers "$1/planted#.c:2: $1 may not include $2" "$1/planted#.c" "$spdx" "#include \"$2\""
}
reach chain/base chain/codec/rlp.h
reach chain/codec chain/crypto/keccak.h
reach chain/crypto chain/codec/rlp.h
reach chain/bls chain/codec/rlp.h
reach chain/trie chain/evidence.h
reach chain/beacon chain/evm/header.h
reach chain/evm chain/beacon/store.h
reach chain chain/evm/header.h
reach chain/evm governance/fold.h
reach governance kms-bridge/proto.h
reach kms-bridge kms-bridge/core/store.h
reach kms-bridge/core watcher/rpc.h
reach watcher kms-bridge/proto_code.h
reach watcher kms-bridge/core/keys.h
reach watcher kms-bridge/serve/http.h
reach kms-bridge/process kms-bridge/proto.h
reach kms-bridge/process chain/codec/rlp.h
reach kms-bridge/tell kms-bridge/serve/http.h
reach kms-bridge/tell kms-bridge/merkle.h
reach kms-bridge/tell watcher/out.h
reach kms-bridge/serve kms-bridge/core/store.h
reach kms-bridge/serve kms-bridge/proto_code.h
reach kms-bridge/core kms-bridge/tell/tell.h
reach governance tests/unit/kit.h
reach governance action.h
plant layers 'governance/planted#.c:2: only chain/ makes facts' governance/planted#.c "$spdx" '#include "chain/facts_make.h"'
plant layers 'planted/new#.c: the folder is no layer' planted/new#.c "$spdx"

# Libraries.
room() { # file header
	plant 'libraries in their rooms' "$1:2: <$2> belongs to" "$1" "$spdx" "#include <$2>"
}
room governance/planted#.c sodium.h
room kms-bridge/core/planted#.c sodium.h
room chain/evm/planted#.c secp256k1_recovery.h
room kms-bridge/core/planted#.c openssl/evp.h
room watcher/planted#.c sqlite3.h
room kms-bridge/core/planted#.c curl/curl.h
room kms-bridge/core/planted#.c jansson.h
room kms-bridge/core/planted#.c microhttpd.h
room watcher/planted#.c microhttpd.h
room kms-bridge/serve/planted#.c curl/curl.h
room kms-bridge/serve/planted#.c sqlite3.h
room kms-bridge/core/planted#.c seccomp.h
room kms-bridge/serve/planted#.c linux/landlock.h
room kms-bridge/planted#.c cyaml/cyaml.h
room watcher/planted#.c yaml.h
room chain/evm/planted#.c time.h
room governance/planted#.c sys/socket.h

plant 'include guards' 'governance/planted#.h: no include guard' governance/planted#.h "$spdx"
plant 'include guards' 'governance/planted#.h: the guard DR_OTHER_H' governance/planted#.h "$spdx" '#ifndef DR_OTHER_H' \
	'#define DR_OTHER_H' '#endif'
plant 'include guards' 'governance/planted#.h: no include guard' governance/planted#.h "$spdx" '#ifndef DR_GOVERNANCE_H' \
	'#define DR_GOVERNANCES_H' '#endif'
plant 'licence lines' 'watcher/planted#.c: no SPDX' watcher/planted#.c 'int planted;'
plant 'licence lines' 'tests/nodes/planted#.mjs: no SPDX' tests/nodes/planted#.mjs 'export {};'

for call in strcpy strcat strncpy strncat sprintf vsprintf gets alloca strtok atoi atol system popen malloc calloc \
	realloc free strdup asprintf; do
	plant 'banned calls' "governance/planted#.c:3: $call()" governance/planted#.c "$spdx" '/* a()' "b */ x = $call (1);"
done
# No call: a comment, a literal, a member, a longer name.
printf '%s\n' "$spdx" '/* free(x), * system(y)' 'atoi(z) */ "\"malloc(1)"; p->free(q); r.free(s); dr_free(t); // gets(u)' \
	>"$tree/governance/innocent.c"

# shellcheck disable=SC2046 # a word is a line
plant sizes 'governance/planted#.c: 602 lines' governance/planted#.c "$spdx" $(yes ';' | head -n 601)
plant exceptions ': no reason given' tests/check/exceptions.txt 'lines governance/fold.c 700'
plant exceptions ': there is no governance/gone.c' tests/check/exceptions.txt 'call governance/gone.c free it was here once'
plant exceptions ': not an exception' tests/check/exceptions.txt 'guard governance/fold.h none it is so'
plant leftovers 'governance/planted#.c:2: unfinished' governance/planted#.c "$spdx" '/* TO''DO: later */'
plant leftovers 'tests/planted#.txt:1: the path of one machine' tests/planted#.txt "/ho""me/someone/src"
plant leftovers 'governance/planted#.c:2: ends in white space' governance/planted#.c "$spdx" 'int a; '
plant 'packages pinned' 'package-lock.json:' tests/nodes/package-lock.json '"resolved": "https://registry.example/x.tgz"'
plant 'packages pinned' '.npmrc:' tests/nodes/.npmrc 'registry=https://registry.example/'
plant 'packages pinned' 'package.json: not pinned' tests/nodes/package.json '	"some-package": "^1.2.3"'
plant 'fixtures as listed' 'fixtures/planted#.ev: not in the MANIFEST' fixtures/planted#.ev evidence
zeros=$(printf %064d 0)
plant 'fixtures as listed' 'gone.ev: listed, and not there' fixtures/MANIFEST "$zeros gone.ev what it proves"
plant 'fixtures as listed' 'derot.example.yaml: its sha256 is not the one listed' fixtures/MANIFEST "$zeros derot.example.yaml an example"
plant 'fixtures as listed' 'derot.example.yaml: the MANIFEST does not say' fixtures/MANIFEST "$zeros derot.example.yaml"

tests/check/source.sh "$tree" >"$scratch/found"
verdict 'source.sh fails' $((! $?))
tab=$(printf '\t')
while IFS=$tab read -r check place; do
	awk -v check="- $check" -v place="$place" '
		/^(not )?ok / { on = /^not ok/ && index($0, check) }
		on && /^# / && index($0, place) { found = 1 }
		END { exit !found }' "$scratch/found" && ! grep -qF -- "$place" "$scratch/clean"
	verdict "$check: $place" $?
done <"$scratch/expected"
! grep -q innocent.c "$scratch/found"
verdict 'banned calls: only calls' $?

# Programs that link what they may not, and the list of what they link read from them.
echo 'int main(void) { return 0; }' >"$scratch/main.c"
link() { # core's libraries, watch's libraries, serve's libraries
	# shellcheck disable=SC2086 # lists of words
	gcc -Wl,--no-as-needed -o "$scratch/derot-core" "$scratch/main.c" $1 &&
		gcc -Wl,--no-as-needed -o "$scratch/derot-watch" "$scratch/main.c" $2 &&
		gcc -Wl,--no-as-needed -o "$scratch/derot-serve" "$scratch/main.c" ${3-} &&
		tests/check/link.sh "$scratch" >"$scratch/linked"
}
link '-lsqlite3 -lcrypto' '-lcurl -ljansson' '-lmicrohttpd -ljansson'
verdict 'link: as it should be' $?
for library in curl jansson ssl microhttpd cyaml yaml; do
	! link "-l$library" -lcurl && grep -q '^not ok 1 - derot-core' "$scratch/linked"
	verdict "link: the core with $library" $?
done
! link -lcrypto '-lcurl -lsqlite3' && grep -q '^not ok 2 - derot-watch' "$scratch/linked"
verdict 'link: the watcher with sqlite3' $?
for library in sqlite3 curl cyaml yaml; do
	! link -lcrypto -lcurl "-l$library" && grep -q '^not ok 3 - derot-serve' "$scratch/linked"
	verdict "link: derot-serve with $library" $?
done

# The runner: what counts as passed, and what must not.
items=$scratch/items
mkdir "$items"
item() { # name, passed failed skipped, script
	printf '#!/bin/sh\n%s\n' "$3" >"$items/$1" && chmod +x "$items/$1"
	tests/check/run.sh "$scratch/results" "$1" "$items/$1" >/dev/null
	status=$?
	[ "$(head -n 1 "$scratch/results/$1/"*.sum)" = "$2" ] && case "$2 $status" in *' 0 '?' 0' | *' '[1-9]' '?' 1') ;; *) false ;; esac
	verdict "run: $1" $?
}
item passes '1 0 0' 'exit 0'
item fails '0 1 0' 'exit 3'
item dies '0 1 0' 'kill -ABRT $$'
item tap '2 0 1' 'echo 1..3; echo ok 1 - a; echo "not ok 2 # SKIP b"; echo ok 3 - c'
item tap-fails '1 1 0' 'echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1'
item tap-fails-quietly '1 1 0' 'echo 1..2; echo ok 1 - a; echo not ok 2 - b'
item tap-ends-early '1 1 0' 'echo 1..2; echo ok 1 - a'
item tap-dies-late '1 1 0' 'echo 1..1; echo ok 1 - a; kill -SEGV $$'
item node '7 0 1' 'echo "ok 1 - suite"; echo "# pass 7"; echo "# fail 0"; echo "# skipped 1"'
item node-cancelled '7 1 0' 'echo "ok 1 - suite"; echo "# pass 7"; echo "# fail 0"; echo "# cancelled 1"; exit 1'
tests/check/run.sh "$scratch/results" --sum >"$scratch/sum"
[ $? = 1 ] && [ "$(tail -n 1 "$scratch/sum")" = '21 passed, 7 failed, 2 skipped' ] && grep -q '^skipped: .*tap: b \[tap\]$' "$scratch/sum"
verdict 'run: the sum' $?

echo "1..$num"
exit $bad
