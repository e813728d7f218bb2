#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# format.sh [-i]: whether the C sources are laid out as .clang-format says; -i lays them out. `make format` is -i.
# Version 14 alone: others lay out some lines differently.
set -u
cd "$(dirname "$0")/../.." || exit 1
files=$(find chain governance kms-bridge watcher tests -name node_modules -prune -o -name '*.[ch]' -print | sort)
if [ "${1-}" = -i ]; then
	echo "$files" | xargs -P "${JOBS:-1}" -n 40 clang-format-14 -i
else
	log=$(mktemp) || exit 1
	trap 'rm -f "$log"' EXIT
	echo "$files" | xargs -P "${JOBS:-1}" -n 40 clang-format-14 --dry-run --Werror 2>"$log" && exit 0
	sed -n 's/^\([^: ]*\.[ch]\):\([0-9]*\):.*clang-format.*/\1:\2/p' "$log" | sort -t : -k 1,1 -k 2,2n | sort -t : -u -k 1,1
	echo "not laid out as .clang-format says, first lines above; make format does it"
	exit 1
fi
