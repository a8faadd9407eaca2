#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# raw.sh -- LD_PRELOAD alone, without `taffrail run`: where the policy comes from.
#
# A file is read by the companion, or its compiled form is mapped; a mistake
# keeps the rest; without the companion the built-in policy is in force.  The
# start record says which it was, and the program sees nothing of it.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

guest=("${calls[@]}" tiny.gguf)
plain "${guest[@]}"
check plain "the program works" "exit 0" "$(cat plain.status)"

# Keeps what is in the state: a compiled policy, for one.
# No pause of a busy machine ends the generation.
preloaded() { # A=B...
	rm -rf "$state/crumbs"
	raw guarded env LD_PRELOAD="$shim" TAFFRAIL_SET=drain.idle_ms=10m "$@" "${guest[@]}"
}

origin() {
	records | jq -r 'select(.role == "guest").policy | "\(.origin) \(.bad)"'
}

drains_by() { # RULE
	number_of ".ev == \"drain\" and .ph == \"end\" and .rule == \"$1\""
}

told() { # CASE PATTERN: a note of the guest says it
	if records | jq -r 'select(.ev == "note" and .engine == null) | .msg // empty' | grep -q -- "$2"; then
		pass
	else
		fail "$1" "no note says '$2'"
		records | jq -r 'select(.ev == "note") | .msg' | sed 's/^/  /'
	fi
}

# Its one generation stays one where the machine stands still.
preloaded
check_same "no policy"
check_whole "no policy"
check "no policy" "origin" "built-in 0" "$(origin)"
check "no policy" "a whole life" "1 1 1 2 1" "$(for ev in start load infer unload exit; do
	number_of ".ev == \"$ev\" and .ph != \"begin\" and (.ev != \"infer\" or .ph == \"end\")"; done | tr '\n' ' ' | sed 's/ $//')"
# After a generation by the built-in profile of llama.cpp under Python.
check "no policy" "drains" "1 1" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"

cat >policy.json <<-'END'
	{
		// as on the manual page
		"drain": { "post_sync": true, "before_unload": false }
	}
END
preloaded TAFFRAIL_POLICY="$work/policy.json"
check_same companion
check_whole companion
check companion "origin" "companion 0" "$(origin)"
check companion "drains" "0 1" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"
check companion "the file in the record" "$work/policy.json $(sha256sum <policy.json | cut -d' ' -f1)" \
	"$(records | jq -r 'select(.role == "guest").policy | "\(.path) \(.sha256)"')"

"$taffrail" check --compile policy.json >/dev/null || fail blob "check --compile failed"
preloaded TAFFRAIL_POLICY="$work/policy.json"
check_same blob
check blob "origin" "blob 0" "$(origin)"
check blob "drains" "0 1" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"

# A text that changed is not what was compiled.
sed -i 's/"post_sync": true/"post_sync": false/' policy.json
preloaded TAFFRAIL_POLICY="$work/policy.json"
check "blob of another text" "origin" "companion 0" "$(origin)"
check "blob of another text" "drains" "0 0" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"

# A blob that is damaged is not taken either, and that is told.
"$taffrail" check --compile policy.json >/dev/null || fail "damaged blob" "check --compile failed"
for blob in "$state"/policy/*.bin; do
	printf 'XX' | dd of="$blob" bs=1 seek=64 conv=notrunc status=none
done
preloaded TAFFRAIL_POLICY="$work/policy.json"
check_same "damaged blob"
check "damaged blob" "origin" "companion 0" "$(origin)"
told "damaged blob" '\.bin'
rm -rf "$state/policy"

# One bad value keeps its default, the others stand.
cat >bad.json <<-'END'
	{
		"drain": { "post_sync": true, "deadline": "soon" },
		"no_such": 1
	}
END
preloaded TAFFRAIL_POLICY="$work/bad.json"
check_same "bad value"
check "bad value" "origin" "companion 2" "$(origin)"
check "bad value" "drains" "1 1" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"
told "bad value" 'bad\.json:2:[0-9]*: .*deadline'
told "bad value" 'bad\.json:3:[0-9]*: .*no_such'

echo '{ "drain": ' >broken.json
preloaded TAFFRAIL_POLICY="$work/broken.json"
check_same "no JSON"
check "no JSON" "origin" built-in "$(origin | cut -d' ' -f1)"
told "no JSON" 'broken\.json:.*built-in policy'

preloaded TAFFRAIL_POLICY="$work/no-such.json"
check_same "no file"
check "no file" "origin" built-in "$(origin | cut -d' ' -f1)"
told "no file" 'no-such\.json: does not exist'

# Settings of the environment win over any file.
preloaded TAFFRAIL_POLICY="$work/bad.json" TAFFRAIL_SET="drain.post_sync=off;drain.before_unload=off"
check TAFFRAIL_SET "drains" "0 0" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"

# Without its companion beside it.
mkdir alone
cp "$shim" alone/
shim=$work/alone/libtaffrail.so preloaded TAFFRAIL_POLICY="$work/policy.json"
check_same "no companion"
check "no companion" "origin, and that the file is of no use" "built-in 1" "$(origin)"
check "no companion" "drains of the built-in policy" "1 1" "$(drains_by drain.before_unload) $(drains_by drain.post_sync)"
told "no companion" 'libtaffrail-json\.so'

# Off, and a state directory that is none: the program does not notice.
preloaded TAFFRAIL=off
check_same off
check off "records" 0 "$(records | wc -l)"
touch file
preloaded TAFFRAIL_STATE="$work/file"
check_same "no state directory"
tally 40
