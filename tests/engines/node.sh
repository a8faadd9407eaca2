#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# node.sh -- prints the path of a node that the engine runs on: 20 or newer.
# The system's first, then the one that deps.sh fetched. 77 when there is none.
set -u

cache=${TAFFRAIL_CACHE:-$(cd "$(dirname "$0")/../.." && pwd)/build/cache}
for node in "$(command -v node)" "$cache/node/node_modules/node/bin/node"; do
	[ -x "$node" ] || continue
	version=$("$node" --version 2>/dev/null)
	version=${version#v}
	if [ "${version%%.*}" -ge 20 ] 2>/dev/null; then
		echo "$node"
		exit 0
	fi
done
echo "no node 20 or newer: tests/deps.sh engines" >&2
exit 77
