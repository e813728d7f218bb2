#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# link.sh FOLDER: the libraries that the programs there name in their dynamic sections. The core has no way to the
# network and parses no JSON, YAML or TLS; the watcher cannot open the store. Prints TAP and the lists.
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

echo 1..2
check 1 derot-core 'curl|jansson|gnutls|ssl|microhttpd|nghttp|cyaml|yaml'
check 2 derot-watch 'sqlite'
exit $bad
