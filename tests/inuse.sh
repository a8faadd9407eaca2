#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# inuse.sh -- who uses an installed taffrail (make uninstall asks before it removes).
#
#	tests/inuse.sh LIBRARY-FOLDER COMMAND
#
# Lists the processes that have an object of that folder mapped, and the unit
# and start-up files that name it.  A service whose preload file is gone starts
# unguarded, with a complaint of the loader in front.  Ends with 1 when it
# found something, unless FORCE=1.
set -u

folder=$1 command=$2 found=

for maps in /proc/[0-9]*/maps; do
	grep -qsF " $folder/libtaffrail" "$maps" || continue
	pid=${maps#/proc/}
	pid=${pid%/maps}
	echo "process $pid runs with it: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c 1-100)"
	found=1
done

while IFS= read -r file; do
	echo "$file names it"
	found=1
done < <(grep -rlsF -e "$folder" -e "$command" /etc/systemd /run/systemd/system \
	"${XDG_CONFIG_HOME:-$HOME/.config}/systemd" /etc/ld.so.preload /etc/environment \
	/etc/environment.d /etc/profile.d /etc/default 2>/dev/null)

[ -n "$found" ] || exit 0
if [ "${FORCE:-}" = 1 ]; then
	echo "FORCE=1: removing it all the same"
	exit 0
fi
echo "Nothing was removed. Stop these first, or make uninstall FORCE=1"
exit 1
