#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deps.sh build|test|coverage: sees to the Debian packages that building (or building and testing, or telling what
# tests run) needs.
#
# Where everything is there it needs no root, no network and a fraction of a second. Otherwise it installs what
# is missing: as root, else with sudo if that asks nothing, else it prints the line to run and exits 1. What
# counts is what a compiler finds, so libraries from elsewhere than dpkg do as well.
set -u

BUILD_PACKAGES='gcc libc6-dev libcurl4-openssl-dev libjansson-dev libsodium-dev libsecp256k1-dev libssl-dev
	libsqlite3-dev libcyaml-dev libyaml-dev libmicrohttpd-dev libseccomp-dev'
TEST_PACKAGES='libcmocka-dev zlib1g-dev clang libclang-rt-14-dev clang-format-14 valgrind openssl strace'
COVERAGE_PACKAGES='llvm-14'
# Node.js itself comes from npm, pinned (tests/nodes/install.sh); any npm will do to fetch it.
NPM_PACKAGES='npm ca-certificates'

case ${1-} in
build) packages=$BUILD_PACKAGES ;;
test) packages="$BUILD_PACKAGES $TEST_PACKAGES" && command -v npm >/dev/null || packages="$packages $NPM_PACKAGES" ;;
coverage) packages="$BUILD_PACKAGES $TEST_PACKAGES $COVERAGE_PACKAGES" ;;
*) echo "usage: deps.sh build|test|coverage" >&2 && exit 64 ;;
esac
kind=$1

compiles() { # headers -- libraries
	command -v gcc >/dev/null || return 1
	while [ "$1" != -- ]; do
		echo "#include <$1>" && shift
	done >"$scratch/probe.c"
	shift
	echo 'int main(void) { return 0; }' >>"$scratch/probe.c"
	gcc -Wl,--no-as-needed -o "$scratch/probe" "$scratch/probe.c" "$@" 2>"$scratch/log"
}

# What no file name tells: that a program with all our libraries compiles and links.
usable() {
	compiles stdint.h curl/curl.h jansson.h sodium.h secp256k1_recovery.h openssl/kdf.h sqlite3.h cyaml/cyaml.h \
		yaml.h microhttpd.h seccomp.h -- -lcurl -ljansson -lsodium -lsecp256k1 -lcrypto -lsqlite3 -lcyaml -lyaml \
		-lmicrohttpd -lseccomp || return 1
	case $kind in
	build) return 0 ;;
	test) tools='clang clang-format-14 valgrind openssl strace npm' ;;
	*) tools='clang llvm-cov-14 llvm-profdata-14' ;;
	esac
	for tool in $tools; do
		command -v "$tool" >/dev/null || return 1
	done
	compiles stdarg.h stddef.h setjmp.h stdint.h cmocka.h zlib.h -- -lcmocka -lz &&
		[ -e "$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" ]
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/log"

usable && exit 0

missing=
for package in $packages; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
	echo "deps: every package is installed, and yet a program that uses them does not build:" >&2
	cat "$scratch/log" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get here; by Debian's names, what is missing is:$missing" >&2
	exit 1
fi

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	root='sudo -n'
else
	echo "deps: packages are missing, and this is not root. Run, then try again:" >&2
	echo "    sudo sh -c 'apt-get update && $install'" >&2
	exit 1
fi

apt() {
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" >>"$scratch/apt" 2>&1
}
echo "deps: installing$missing" >&2
# The lists are fetched only where they are absent or name what is no longer offered.
# shellcheck disable=SC2086 # $missing is a list of words
if ! apt install -y --no-install-recommends $missing; then
	apt update
	if ! apt install -y --no-install-recommends $missing; then
		cat "$scratch/apt" >&2
		echo "deps: apt-get could not install what is missing (its words above)" >&2
		exit 1
	fi
fi
if ! usable; then
	cat "$scratch/log" >&2
	echo "deps: installed, and yet a program that uses the packages does not build (words above)" >&2
	exit 1
fi
