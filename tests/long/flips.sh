#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# flips.sh: every bit of a mainnet light-client update and of a finality update, changed alone: a quarter of a million
# updates, each refused by the reason of what was changed.
set -eu
cd "$(dirname "$0")/../.."
: "${DEROT_BUILD:=build}"
test=$DEROT_BUILD/release/unit/chain/test_beacon_flip
log=$(mktemp)
trap 'rm -f "$log"' EXIT
env -u MAKEFLAGS -u MAKELEVEL make BUILD="$DEROT_BUILD" PROFILE=release "$test" >"$log" || { cat "$log" && exit 1; }
echo 1..1
if DEROT_FLIPS=all "$test" >"$log" 2>&1; then
	sed 's/^/# /' "$log" && echo 'ok 1 - each bit'
else
	sed 's/^/# /' "$log" && echo 'not ok 1 - each bit' && exit 1
fi
