#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # awk's own dollars, throughout
#
# source.sh [TREE]: what can be said of the sources without building them: the layers, who may include which
# library, guards, licence lines, banned calls, sizes, leftovers, and what fixtures/MANIFEST promises. Prints TAP,
# and below each "not ok" a line per place. Exceptions, each with its reason, are in tests/check/exceptions.txt.
# tests/check/test_source.sh plants a violation of each kind and sees it caught.
set -u
export LC_ALL=C
cd "${1-$(dirname "$0")/../..}" || exit 1

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
exceptions=tests/check/exceptions.txt

# What the project wrote: everything in the tree but what is built, fetched or recorded.
find . \( -name node_modules -o -name artifacts -o -name cache -o -name .git -o -path './build*' \
	-o -path ./tests/fuzz/corpus \) -prune -o -type f -print | sed 's,^\./,,' | sort >"$scratch/all"
grep -E '\.[ch]$' "$scratch/all" >"$scratch/c"
grep -vE '^tests/' "$scratch/c" >"$scratch/product"
grep -E '\.(c|h|sh|mjs|js|sol|1|yaml)$|^Makefile$|^\.ci/run$' "$scratch/all" >"$scratch/sources"

num=0
bad=0
# verdict NAME: the check's places are in $places; none is good.
places=$scratch/places
verdict() {
	num=$((num + 1))
	if [ -s "$places" ]; then
		bad=1
		echo "not ok $num - $1"
		sed 's/^/#   /' "$places"
	else
		echo "ok $num - $1"
	fi
}

# over LIST PROGRAM [VAR=VALUE...]: awk over the files of a list, never over none.
over() {
	list=$1 program=$2
	shift 2
	[ -s "$scratch/$list" ] || return 0
	xargs -d '\n' awk "$@" "$program" <"$scratch/$list"
}

echo 1..10

# A folder is a layer; a file includes only of the folders named beside its own. The watcher is the top floor and
# yet outside: of the bridge it knows the protocol, its words, what a key's holder can check and how a process is confined. HTTP
# knows as little. facts_make.h makes facts: that is chain/'s alone.
layers='
	chain/base       chain/base
	chain/codec      chain/base chain/codec
	chain/crypto     chain/base chain/crypto
	chain/bls        chain/base chain/crypto chain/bls
	chain/trie       chain/base chain/codec chain/crypto chain/trie
	chain            chain/base chain/codec chain/crypto chain/trie chain
	chain/beacon     chain/base chain/codec chain/crypto chain/bls chain chain/beacon
	chain/evm        chain/base chain/codec chain/crypto chain/trie chain chain/evm
	governance       chain/base chain/codec chain/crypto chain/trie chain chain/evm governance
	kms-bridge       chain/base chain/codec chain/crypto chain/trie chain chain/evm chain/beacon governance kms-bridge
	kms-bridge/process  chain/base kms-bridge/process
	kms-bridge/tell  chain/base chain/codec chain/crypto chain/trie chain chain/evm governance kms-bridge/tell kms-bridge/proto.h
	kms-bridge/serve chain/base chain/codec chain/crypto chain/trie chain chain/evm governance kms-bridge/tell kms-bridge/process kms-bridge/serve kms-bridge/proto.h
	kms-bridge/core  chain/base chain/codec chain/crypto chain/trie chain chain/evm chain/bls chain/beacon governance kms-bridge kms-bridge/process kms-bridge/core
	watcher          chain/base chain/codec chain/crypto chain/trie chain chain/evm chain/bls chain/beacon governance watcher kms-bridge/process kms-bridge/tell kms-bridge/proto.h kms-bridge/derivation.h'
over product '
	function folder(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/) - 1) : "." }
	BEGIN {
		lines = split(layers, line, "\n")
		for (i = 1; i <= lines; i++) {
			n = split(line[i], word)
			if (n) known[word[1]] = 1
			for (j = 2; j <= n; j++) may[word[1], word[j]] = 1
		}
	}
	FNR == 1 {
		from = folder(FILENAME)
		if (!(from in known)) print FILENAME ": the folder is no layer that tests/check/source.sh knows"
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, quoted, "\"")
		path = quoted[2]
		if (!((from, folder(path)) in may) && !((from, path) in may))
			print FILENAME ":" FNR ": " from " may not include " path
		if (path == "chain/facts_make.h" && FILENAME !~ /^chain\//)
			print FILENAME ":" FNR ": only chain/ makes facts"
	}' -v "layers=$layers" >"$places"
verdict layers

# Each library has one room. The lowest floors touch no system at all: they have no input, output or clock.
rooms='
	sodium[.]h                 ^chain/crypto/|^kms-bridge/core/keys[a-z_]*[.][ch]$
	secp256k1                  ^chain/crypto/secp256k1[.]c$
	openssl/                   ^chain/crypto/
	sqlite3[.]h                ^kms-bridge/core/store
	curl/                      ^watcher/rpc
	jansson[.]h                ^watcher/|^kms-bridge/tell/|^kms-bridge/serve/
	microhttpd[.]h             ^kms-bridge/serve/
	seccomp[.]h|linux/landlock[.]h|linux/seccomp[.]h  ^kms-bridge/process/
	cyaml/                     ^watcher/yaml
	yaml[.]h                   ^watcher/yaml
	time[.]h|unistd[.]h|fcntl[.]h|signal[.]h|pthread[.]h|poll[.]h|sys/|netinet/|arpa/|netdb[.]h  ^kms-bridge/|^watcher/|^chain/crypto/secret[.]c$
	cmocka[.]h|zlib[.]h        ^tests/'
over product '
	BEGIN {
		lines = split(rooms, line, "\n")
		for (i = 1; i <= lines; i++) if (split(line[i], word)) { header[++n] = "^(" word[1] ")"; room[n] = word[2] }
	}
	/^[ \t]*#[ \t]*include[ \t]*</ {
		path = $0
		sub(/^[^<]*</, "", path); sub(/>.*/, "", path)
		for (i = 1; i <= n; i++)
			if (path ~ header[i] && FILENAME !~ room[i]) print FILENAME ":" FNR ": <" path "> belongs to " room[i]
	}' -v "rooms=$rooms" >"$places"
verdict 'libraries in their rooms'

# DR_ and the words of the path, of which those of the folders may be left out: DR_BASE_ERR_H for chain/base/err.h.
over c '
	function check(    words, i, want) {
		if (file !~ /\.h$/) return
		want = toupper(file)
		gsub(/[^A-Z0-9\/]/, "_", want)
		n = split(want, words, "/")
		want = words[n]
		for (i = n - 1; i > 0; i--) { gsub(/[^_]+/, "(&_)?", words[i]); gsub(/\?_/, "?", words[i]); want = words[i] want }
		want = "^DR_" want "$"
		if (guard == "" || defined != guard) print file ": no include guard"
		else if (guard !~ want) print file ": the guard " guard " is not named after the path: " want
		else if (guard in used) print file ": the guard " guard " is also that of " used[guard]
		used[guard] = file
	}
	FNR == 1 { check(); file = FILENAME; guard = defined = "" }
	/^#ifndef/ && guard == "" { guard = $2 }
	/^#define/ && defined == "" { defined = $2 }
	END { check() }' >"$places"
verdict 'include guards'

over sources '
	FNR == 1 { if (file != "" && !found) print file ": no SPDX line"; file = FILENAME; found = 0 }
	FNR <= 3 && /SPDX-License-Identifier: Apache-2\.0/ { found = 1 }
	END { if (!found) print file ": no SPDX line" }' >"$places"
verdict 'licence lines'

# Calls that are banned in what is shipped; comments and literals are not calls.
banned='strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets alloca strtok atoi atol atoll atof system popen tmpnam
	mktemp setjmp longjmp malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf'
over product '
	function code(line,    at) {
		gsub(/\\./, "", line)
		gsub(/"[^"]*"/, "\"\"", line)
		gsub(/\/\*[^*]*(\*+[^*\/][^*]*)*\*+\//, " ", line)
		if (inside) {
			if (!(at = index(line, "*/"))) return ""
			line = substr(line, at + 2)
			inside = 0
		}
		if (at = index(line, "/*")) { inside = 1; line = substr(line, 1, at - 1) }
		sub(/\/\/.*/, "", line)
		return line
	}
	BEGIN {
		n = split(banned, word)
		while ((getline line < exceptions) > 0)
			if (split(line, part) >= 4 && part[1] == "call") allowed[part[2], part[3]] = 1
	}
	FNR == 1 { inside = 0 }
	{
		text = " " code($0)
		for (i = 1; i <= n; i++)
			if (text ~ "[^A-Za-z0-9_.>]" word[i] "[ \t]*\\(" && !((FILENAME, word[i]) in allowed))
				print FILENAME ":" FNR ": " word[i] "() is banned here"
	}' -v "banned=$banned" -v exceptions=$exceptions >"$places"
verdict 'banned calls'

# One idea each: a longer file needs its reason in the exceptions.
over sources '
	function check() { if (file != "" && lines > max) print file ": " lines " lines, at most " max }
	BEGIN {
		while ((getline line < exceptions) > 0)
			if (split(line, part) >= 4 && part[1] == "lines") allowed[part[2]] = part[3]
	}
	FNR == 1 { check(); file = FILENAME; max = file in allowed ? allowed[file] : 600 }
	{ lines = FNR }
	END { check() }' -v exceptions=$exceptions >"$places"
verdict 'sizes'

# An exception for something that is gone is gone too, and each gives its reason.
awk '
	/^#/ || NF == 0 { next }
	$1 != "call" && $1 != "lines" { print FILENAME ":" FNR ": not an exception: " $0; next }
	NF < 5 { print FILENAME ":" FNR ": no reason given" }
	(getline line < $2) < 0 { print FILENAME ":" FNR ": there is no " $2 }' $exceptions >"$places"
verdict exceptions

{
	# The words are in pieces here so that this file passes itself.
	over sources '/(^|[^A-Za-z])(TO''DO|FIX''ME|XX''X|HA''CK)([^A-Za-z]|$)/ { print FILENAME ":" FNR ": unfinished: " $0 }'
	over all '/\/(home|root|work|Users)\/[A-Za-z0-9_]/ { print FILENAME ":" FNR ": the path of one machine" }'
	over sources '/[ \t]$/ { print FILENAME ":" FNR ": ends in white space" }'
} >"$places"
verdict leftovers

# Packages are named by version and hash; where to fetch them from is the business of who installs.
{
	for folder in $(sed -n 's,/package[.]json$,,p' "$scratch/all"); do
		grep -n '"resolved"' "$folder/package-lock.json" /dev/null
		grep -nE '^[^#]*registry *=' "$folder/.npmrc" /dev/null
		grep -nE '"[^"]+": *"(npm:[^"]*@)?[~^><*]|: *"(latest|git|http)' "$folder/package.json" | sed "s,^,$folder/package.json: not pinned: ,"
	done
} >"$places"
verdict 'packages pinned, from anywhere'

# fixtures/MANIFEST: "sha256 file what it is, where from, what it proves". What was recorded is listed; scenario,
# configuration and script are sources.
{
	grep -E '^fixtures/' "$scratch/all" | grep -vE '\.(yaml|sh|md)$|/MANIFEST$' >"$scratch/recorded"
	: >"$scratch/listed"
	[ ! -e fixtures/MANIFEST ] || grep -vE '^(#|$)' fixtures/MANIFEST | while read -r sum file what; do
		echo "fixtures/$file" >>"$scratch/listed"
		[ -n "$what" ] || echo "$file: the MANIFEST does not say what it is"
		now=$(sha256sum "fixtures/$file" 2>/dev/null) || echo "$file: listed, and not there"
		[ "${now%% *}" = "$sum" ] || echo "$file: its sha256 is not the one listed"
	done
	sort "$scratch/listed" | comm -23 "$scratch/recorded" - | sed 's/$/: not in the MANIFEST/'
} >"$places"
verdict 'fixtures as listed'

exit $bad
