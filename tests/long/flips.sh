#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# flips.sh: every bit of a mainnet light-client update and of a finality update, changed alone: a quarter of a million
# updates, each refused by the reason of what was changed. Then the recording at proof consensus: many bits of each frame,
# each frame left out and told late.
set -eu
cd "$(dirname "$0")/../.."
: "${DEROT_BUILD:=build}"
units=$DEROT_BUILD/release/unit
log=$(mktemp)
trap 'rm -f "$log"' EXIT
bad=0
n=0
each() { # program name
	n=$((n + 1))
	env -u MAKEFLAGS -u MAKELEVEL make BUILD="$DEROT_BUILD" PROFILE=release "$units/$1" >"$log" || { cat "$log" && exit 1; }
	if DEROT_FLIPS=all "$units/$1" >"$log" 2>&1; then
		sed 's/^/# /' "$log" && echo "ok $n - $2"
	else
		sed 's/^/# /' "$log" && echo "not ok $n - $2" && bad=1
	fi
}
echo 1..2
each chain/test_beacon_flip 'each bit'
each kms-bridge/test_engine_recording 'each frame of a recording'
exit $bad
