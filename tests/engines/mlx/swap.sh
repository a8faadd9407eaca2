#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# swap.sh -- models that replace each other, and models that are kept, under models.max_loaded.
#
# time-limit: 300
. "${SRC:?}/tests/engines/mlx/lib.sh"

model a --width 256
model b --seed 2 --parts 2 --width 256
model c --seed 3 --width 256
cp -r a bad
printf '\377\377\377\377\377\377\377\177{}' >bad/model.safetensors

hold() { # WAY FOLDER...
	plain "$python" "$here/hold.py" "$@"
	guarded --set models.max_loaded=1 --set memory.on_misfit=refuse -- "$python" "$here/hold.py" "$@"
}

# What became of models, one word each.
fates() {
	records | jq -rj 'if .ph == "end" and (.ev == "load" or .ev == "unload") then .ev + (if .rc == 0 then "" else " failed" end)
		elif .ev == "refuse" then .ev
		elif .ev == "note" and (.msg // "" | contains("counts again")) then "again"
		else empty end + " " + .model + ", "'
}

for version in 0.29.4 $newest; do
	use "$version"

	# The old one is there until the new one has come: nothing is refused, a load that fails included.
	hold rebind a b c bad b a
	check_same "rebind, $version"
	check_whole "rebind, $version"
	check "rebind, $version" "what became of them" "load a, unload a, load b, unload b, load c, unload c, load failed bad, load b, unload b, load a, " "$(fates)"

	# Who keeps them is found out by the second one, and gets no third.
	hold keep a b c
	check "keep, $version" "the program works" "exit 0" "$(cat guarded.status)"
	check "keep, $version" "what it says" "$(sed '/^c/,$d' plain.out)
c RuntimeError True" "$(cat guarded.out)"
	check "keep, $version" "what became of them" "load a, unload a, load b, again a, unload b, refuse c, " "$(fates)"
	one "keep, $version" "the refusal" '.ev == "refuse" and .rule == "models.max_loaded" and .have == 1 and .need == 2'

done

guarded --set models.max_loaded=2 --set memory.on_misfit=refuse -- "$python" "$here/hold.py" keep a b c a
check "keep two" "what became of them" "load a, unload a, load b, again a, unload b, load c, again b, unload c, refuse a, " "$(fates)"
one "keep two" "the refusal" '.ev == "refuse" and .rule == "models.max_loaded" and .have == 2 and .need == 3'
tally 20
