#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# pss.sh [--maps]: what memory the processes take, live and idle; --maps shows by what. See pss.mjs.
set -eu
cd "$(dirname "$0")/../.."
node=tests/nodes/node_modules/node/bin/node
[ -x $node ] || tests/nodes/install.sh
exec $node tests/bench/pss.mjs "$@"
