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
	echo "$files" | xargs -P "${JOBS:-1}" -n 40 clang-format-14 --dry-run --Werror && exit 0
	echo "make format lays them out"
	exit 1
fi
