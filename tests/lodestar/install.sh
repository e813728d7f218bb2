#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install.sh client|node: what is pinned in that folder here, into its node_modules. They are apart from tests/nodes,
# because each brings Lodestar's modules in a version of its own:
#
#   client  @lodestar/light-client, and the Node.js that Lodestar's native parts were made for (300 MB)
#   node    a beacon node with validators, and an execution client (400 MB); installs client too, for its Node.js
#
# npm and Node.js come from tests/nodes, and its rules hold here: versions and hashes are the lockfile's, and no
# package's own script is run. A second run finds everything in place and returns at once.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "tests/lodestar/install.sh: $*" >&2
	exit 1
}

install() {
	stamp=$1/node_modules/.derot-installed
	sum=$(cat "$1/package.json" "$1/package-lock.json" install.sh | sha256sum | cut -d ' ' -f 1)
	[ "$(cat "$stamp" 2>/dev/null)" != "$sum" ] || return 0
	echo "tests/lodestar: installing $2" >&2
	rm -rf "$1/node_modules"
	(cd "$1" && node "$npm" install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error) \
		>"$log" 2>&1 || {
		sed 's/^/    /' "$log" >&2
		fail "npm could not install what $1/package-lock.json names (its words above; more in ~/.npm/_logs)"
	}
	echo "$sum" >"$stamp"
}

../nodes/install.sh
nodes=$(cd ../nodes/node_modules && pwd)
npm=$nodes/npm/bin/npm-cli.js
PATH=$nodes/node/bin:$PATH
export PATH
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM

case ${1-} in
client | node)
	install client "Lodestar's light client"
	client/node_modules/node/bin/node --version >/dev/null || fail "the installed Node.js does not run here"
	;;
*) fail "client or node?" ;;
esac
[ "$1" = client ] || install node "Lodestar and EthereumJS"
