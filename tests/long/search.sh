#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# search.sh: test_search on worlds that it has not seen: DEROT_SEARCH events (default 3000000), from a seed of the clock.
set -eu
cd "$(dirname "$0")/../.."
: "${DEROT_BUILD:=build}" "${DEROT_SEARCH:=3000000}"
DEROT_SEARCH_SEED=${DEROT_SEARCH_SEED:-$(date +%s)}
export DEROT_SEARCH DEROT_SEARCH_SEED
test=$DEROT_BUILD/release/unit/kms-bridge/test_search
log=$(mktemp)
trap 'rm -f "$log"' EXIT
env -u MAKEFLAGS -u MAKELEVEL make BUILD="$DEROT_BUILD" PROFILE=release "$test" >"$log" || { cat "$log" && exit 1; }
echo 1..1
if "$test" >"$log" 2>&1; then
	sed 's/^/# /' "$log" && echo "ok 1 - search from seed $DEROT_SEARCH_SEED"
else
	sed 's/^/# /' "$log" && echo "not ok 1 - search from seed $DEROT_SEARCH_SEED" && exit 1
fi
