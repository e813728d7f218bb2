#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# derive.sh: keys a second from a running core. See derive.mjs.
set -eu
cd "$(dirname "$0")/../.."
node=tests/nodes/node_modules/node/bin/node
[ -x $node ] || tests/nodes/install.sh
exec $node tests/bench/derive.mjs "$@"
