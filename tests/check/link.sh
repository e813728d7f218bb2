#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# link.sh FOLDER: the libraries that the programs there name in their dynamic sections. The core has no way to the
# network and parses no JSON, YAML or TLS; neither the watcher nor the one that answers HTTP can open the store, and
# that one asks nobody. Prints TAP and the lists.
set -u
export LC_ALL=C
out=$1
bad=0

check() { # number program pattern-of-banned-libraries
	if ! needed=$(readelf -d "$out/$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') || [ -z "$needed" ]; then
		echo "not ok $1 - $2: no dynamic section was read" && bad=1
		return
	fi
	echo "# $2: $(echo "$needed" | tr '\n' ' ')"
	if echo "$needed" | grep -E "^lib($3)"; then
		echo "not ok $1 - $2 links what is listed above" && bad=1
	else
		echo "ok $1 - $2"
	fi
}

echo 1..3
check 1 derot-core 'curl|jansson|gnutls|ssl|microhttpd|nghttp|cyaml|yaml'
check 2 derot-watch 'sqlite|microhttpd'
check 3 derot-serve 'sqlite|curl|cyaml|yaml'
exit $bad
