#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# models.sh -- `taffrail models`, and a registry of one's own: checked, compiled, shown.
#
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

bin=$BUILD/taffrail
export TAFFRAIL_STATE=$state

says() { # NAME STATUS JQ WANTED ARGUMENT...
	local name=$1 status=$2 program=$3 wanted=$4
	shift 4
	"$bin" models --json "$@" >out.json 2>err.txt
	check "$name" status "$status" $?
	check "$name" answer "$wanted" "$(jq -r "$program" out.json 2>&1)"
}

# The list.
says list 0 '[.registry, (.models | length)] | join(" ")' "built-in 11"
says tier 0 '[.models[].id] | join(" ")' mlx-community/gemma-4-31b-it-8bit --tier panic
says gpu 0 '.models | length' 4 --gpu M5
says architecture 0 '.models | length' 4 --gpu=applegpu_g17s
says versions 0 '[.versions[] | select(.block).package] | sort | join(" ")' "mlx mlx-lm omlx" --versions
says workloads 0 '.workloads[0].severity' high --versions
says hardware 0 '[.hardware_tiers[].warn_pct] | join(" ")' "60 67 70" --versions
check text 'lines' 11 "$("$bin" models | wc -l)"

# One model, however it is named.
for name in mlx-community/gemma-4-31b-it-8bit gemma-4-31b-it-8bit \
	/h/models--mlx-community--gemma-4-31b-it-8bit/snapshots/0123/model.safetensors; do
	says "$name" 1 '[.hits[0].tier, .family, .floor_ms, .bytes, .bytes_basis] | join(" ")' \
		"panic gemma-4 90000 31000000000 name" "$name"
done
says "on that GPU" 1 '.hits[0].error_classes | length' 1 --gpu M4 gemma-4-31b-it-8bit
says "not on that GPU" 0 '.hits | length' 0 --gpu M5 gemma-4-31b-it-8bit
says "a fork" 0 '[.hits[], .family] | join(" ")' gemma-4 unsloth/gemma-4-31b-it-8bit
head -c 5000 /dev/zero >toy-7b.safetensors
says "not weights" 0 '.id' toy-7b "$work/toy-7b.safetensors"
"$tests/mkgguf" tiny-9b.gguf >/dev/null
says "weights on disk" 0 '[.id, .bytes_basis, (.bytes < 1000000)] | join(" ")' "tiny-9b file sizes true" tiny-9b.gguf
"$bin" models gemma-4-31b-it-8bit >text.txt
for word in 'panic, as mlx-community/gemma-4-31b-it-8bit' 'kernel_panic on M1, M3, M4' \
	'ml-explore/mlx#3186' 'gemma-4-26b-a4b-it-4bit' '1.5 min' '90 s between'; do
	check "in words" "$word" 1 "$(grep -cF "$word" text.txt | sed 's/[2-9]/1/')"
done

# Wrong arguments.
wrong() { # PATTERN ARGUMENT...
	local pattern=$1
	shift
	"$bin" models "$@" >out.txt 2>err.txt
	check "$*" status 64 $?
	check "$*" line 1 "$(grep -c "^taffrail: models: $pattern" err.txt)"
}
wrong 'there is no option' --nothing
wrong 'one model at a time' a b
wrong 'there is no tier "bad"' --tier bad
wrong 'there is no tier "none"' --tier none
wrong 'no entry knows a GPU family "M99"' --gpu M99
wrong '--gpu wants a value' --gpu
wrong '--tier and --versions are for the list' --tier panic a

# A registry of one's own, named by the policy.
cat >own.json <<'END'
{ // ours
  "models": [{"id": "Our/Tiny", "tier": "abort", "error_classes": [{"type": "gpu_hang"}],
    "recommendation": "Use another one.", "sources": ["incident 1"]}]
}
END
printf '{"models": {"registry": "%s"}}' "$work/own.json" >policy.json
says own 1 '[.registry, .hits[0].recommendation] | join(" ")' "$work/own.json Use another one." \
	--policy policy.json our/tiny
says "own, by name" 0 '.models | length' 1 --registry own.json
"$bin" check policy.json >out.txt 2>&1
check "check" status 0 $?
"$bin" check --compile policy.json >out.txt 2>&1
check "compile" status 0 $?
check "compile" file "registry/$(sha256sum own.json | cut -d' ' -f1).bin" "$(cd "$state" && echo registry/*)"

# A mistake in it: one line, and the one that comes along stays.
sed -i 's/"abort"/"worse"/' own.json
"$bin" check policy.json >out.txt 2>&1
check "bad" status 78 $?
check "bad" line 1 "$(grep -c "own.json:2:[0-9]*: tier: \"worse\"" out.txt)"
check "bad" "the tiers that there are" 1 "$(grep -c 'write degradation, abort or panic$' out.txt)"
check "bad" "JSON" "$work/own.json 2 true" \
	"$("$bin" check --json policy.json | jq -r '.mistakes[0] | "\(.file) \(.line) \(.col > 0)"')"
sed 's/"worse"/"none"/' own.json >none.json
"$bin" models --registry none.json >/dev/null 2>out.txt
check "none" status 78 $?
check "none" line 1 "$(grep -c '^taffrail: none.json:2:[0-9]*: tier: "none" is not one of the words; write degradation, abort or panic$' out.txt)"
"$bin" explain --policy policy.json --model a >/dev/null 2>out.txt
check "bad" "explain says it once" 1 "$(grep -c 'own.json:2:' out.txt)"
says "bad" 78 '[.registry, (.models | length)] | join(" ")' "built-in 11" --policy policy.json
"$bin" run --strict --policy policy.json -- true 2>err.txt
check "strict" status 78 $?
"$bin" run --policy policy.json -- true 2>err.txt
check "not strict" status 0 $?
check "not strict" line 1 "$(grep -c 'own.json:2:' err.txt)"
rm own.json
"$bin" check policy.json >out.txt 2>&1
check "missing" status 78 $?
check "missing" line 1 "$(grep -c "^policy.json:1: models.registry: $work/own.json: there is no such file; name one that exists\$" out.txt)"
check "missing" JSON 'policy.json 1 null' \
	"$("$bin" check --json policy.json | jq -r '.mistakes[0] | "\(.file) \(.line) \(.col)"')"
"$bin" check --set "models.registry=$work/own.json" >/dev/null 2>out.txt
check "missing" "by --set" "--set: models.registry: $work/own.json: there is no such file; name one that exists" "$(cat out.txt)"
"$bin" models --policy policy.json >/dev/null 2>out.txt
check "missing" "models" 1 "$(grep -c "^taffrail: policy.json:1: models.registry: $work/own.json: there is" out.txt)"
"$bin" models --policy nosuch.json >/dev/null 2>out.txt
check "no policy" "models says it" "taffrail: nosuch.json: there is no such file; name one that exists" "$(cat out.txt)"

tally 60
