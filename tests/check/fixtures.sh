#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fixtures.sh: every fixtures/*.scenario.yaml that has a recording: is what derot makes of the recording what the
# scenario says? No node, no network. DEROT names the binary (build/derot). Prints TAP.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
derot=${DEROT:-build/derot}
bad=0
n=0

for scenario in fixtures/*.scenario.yaml; do
	name=$(basename "$scenario" .scenario.yaml)
	n=$((n + 1))
	if [ ! -f "fixtures/$name.ev" ]; then
		echo "not ok $n - $name: a scenario without a recording"
		bad=1
	elif said=$("$derot" fixture lint "$scenario" "fixtures/$name.ev" 2>&1); then
		echo "ok $n - $said"
	else
		echo "not ok $n - $name"
		echo "$said" | sed 's/^/# /'
		bad=1
	fi
done
echo "1..$n"
exit $bad
