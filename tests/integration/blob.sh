#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# blob.sh -- which compiled policy a guest takes: its own or root's, a plain file
# that nobody else can write, of the right size, with values that a text could
# have given. Of any other it says why, once, and reads the text again.
#
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_exit
echo '{ "drain": { "at_exit": false } }' >policy.json

# A new state directory that holds the compiled policy.
compiled() {
	fresh
	TAFFRAIL_STATE=$state "$BUILD/taffrail" check --compile policy.json >/dev/null || exit 1
	blob=$(echo "$state"/policy/*.bin)
}

# The guest that finds it: CASE ORIGIN [WORDS-OF-A-NOTE]
guest() {
	raw shim timeout 100 env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_POLICY="$work/policy.json" \
		"$tests/guest_exit" exit
	check "$1" status "exit 3" "$(cat shim.status)"
	check "$1" origin "$2 0" "$(crumbs | jq -r 'select(.role == "guest").policy | "\(.origin) \(.bad)"')"
	has_not "$1" "the policy is not in force" '.rule == "drain.at_exit"'
	if [ -n "${3-}" ]; then
		check "$1" complaints 1 "$(count ".rule == \"policy\" and (.msg | contains(\"$3\"))")"
	else
		has_not "$1" "it complains" '.rule == "policy"'
	fi
}

compiled
guest own blob

for mode in 0666 0620 0602; do
	compiled
	chmod $mode "$blob"
	guest "mode $mode" companion "others may write into it"
done
compiled
chmod 0644 "$blob"
guest "mode 0644" blob

if [ "$(id -u)" -eq 0 ]; then
	compiled
	chown 12345 "$blob"
	guest "another owner" companion "belongs to another user"
else
	untried 4 "a blob of another owner: not root"
fi

compiled
truncate -s -8 "$blob"
guest "cut short" companion "not the size of such a file"
compiled
truncate -s +8 "$blob"
guest "has grown" companion "cut short or has grown"
compiled
printf 'XX' | dd of="$blob" bs=1 seek=7000 conv=notrunc status=none
guest damaged companion damaged

# A blob ends with its last profile.
plain=$(stat -c %s "$blob")
echo '{ "drain": { "at_exit": false }, "profiles": [
  { "name": "other", "match": { "exe": "nobody" }, "settings": { "mode": "off" } },
  { "name": "ours", "match": { "exe": "guest_exit" }, "settings": { "crumbs": { "keep_sessions": 7 } } } ] }' >policy.json
compiled
guest "two profiles" blob
profile=$((($(stat -c %s "$blob") - plain) / 2))
check "two profiles" "they are all that is more" yes "$([ "$profile" -gt 1000 ] && echo yes)"
compiled
truncate -s "-$profile" "$blob"
guest "a profile is missing" companion "cut short or has grown"
compiled
truncate -s "+$((profile * 7))" "$blob"
guest "more than all profiles" companion "not the size of such a file"
echo '{ "drain": { "at_exit": false } }' >policy.json
compiled
rm "$blob"
mkfifo "$blob"
guest fifo companion "no plain file"
compiled
mv "$blob" aside.bin
ln -s "$work/aside.bin" "$blob"
guest link companion

tally 57
