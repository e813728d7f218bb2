#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install.sh: puts the pinned Node.js, chain nodes and compiler into node_modules here. Needs any npm >= 8
# (Debian 12's will do) and some 500 MB; a second run finds everything in place and returns at once.
#
# Two stages, because npm chooses hardhat's native parts by the version of the Node.js that runs it and
# silently leaves them out below 22: first the pinned node and npm (package.json's `dependencies`) into a
# scratch folder, then with those everything. No package's own scripts are run; what is installed is what
# package-lock.json's hashes say.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "tests/nodes/install.sh: $*" >&2
	exit 1
}

# `npm install --no-save`, not `npm ci`: the lockfile leaves out native parts for other systems, which ci
# takes for a lockfile out of date. Versions and hashes are the lockfile's all the same. npm's own
# complaints are kept aside and shown only when it fails.
run_npm() {
	"$@" install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >"$stage/npm.log" 2>&1 || {
		sed 's/^/    /' "$stage/npm.log" >&2
		fail "npm could not install what package-lock.json names (its words above; more in ~/.npm/_logs). \
Is the registry reachable, and is there space on this disk?"
	}
}

stamp=node_modules/.derot-installed
sum=$(cat package.json package-lock.json install.sh | sha256sum | cut -d ' ' -f 1)
if [ -x node_modules/node/bin/node ] && [ "$(cat $stamp 2>/dev/null)" = "$sum" ]; then
	exit 0
fi

[ "$(uname -sm)" = "Linux x86_64" ] || fail "the pinned binaries are for Linux on x86_64; this is $(uname -sm)"
command -v npm >/dev/null || fail "npm is missing. On Debian: apt-get install --no-install-recommends npm"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
echo "tests/nodes: installing Node.js" >&2
cp package.json package-lock.json .npmrc "$stage/"
(cd "$stage" && run_npm npm --omit=dev)
echo "tests/nodes: installing chain nodes and the compiler" >&2
PATH="$stage/node_modules/node/bin:$PATH"
export PATH
rm -rf node_modules
run_npm node "$stage/node_modules/npm/bin/npm-cli.js"

PATH="$PWD/node_modules/node/bin:$PATH"
node --version >/dev/null || fail "the installed Node.js does not run here"
node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil --version >/dev/null || fail "the installed anvil does not run here"
node node_modules/hardhat/dist/src/cli.js --version >/dev/null || fail "the installed hardhat does not run here"
echo "$sum" >$stamp
