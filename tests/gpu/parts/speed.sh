# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# speed.sh -- launches and tokens a second, bare and guarded by turns; the goal is a ratio of
# the medians of at least 0.99.  PAIRS=7 sets how many pairs.

median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

judge() { # NAME BARE GUARDED
	local ratio
	ratio=$(awk "BEGIN { printf \"%.4f\", $3 / $2 }")
	if [ -n "$is_simulated" ]; then
		ok "$1: measured nothing, for it is simulated"
	elif awk "BEGIN { exit !($ratio >= 0.99) }"; then
		ok "$1: $2 bare, $3 guarded a second, medians of $pairs pairs: ratio $ratio"
	else
		bad "$1: $2 bare, $3 guarded a second, medians of $pairs pairs: ratio $ratio, the goal is 0.99"
	fi
}

# COMMAND prints a line of numbers, one a name. Every other pair begins with the guard.
pairs=${PAIRS:-7}
[ -n "$is_simulated" ] && pairs=2
speed() { # NAME[,NAME] COMMAND...
	local names=$1 name i=0 turn way
	shift
	rm -f bare.rates guarded.rates
	for turn in $(seq "$pairs"); do
		for way in $([ $((turn % 2)) -eq 0 ] && echo guarded bare || echo bare guarded); do
			$way "$@"
			tail -n 1 "$way.out" >>"$way.rates"
		done
	done
	while IFS= read -r name; do
		i=$((i + 1))
		if [ "$(awk "\$$i > 0" bare.rates | wc -l)" -eq "$pairs" ] && [ "$(awk "\$$i > 0" guarded.rates | wc -l)" -eq "$pairs" ]; then
			judge "$name" "$(awk "{ print \$$i }" bare.rates | median)" "$(awk "{ print \$$i }" guarded.rates | median)"
		else
			bad "$name: $(tail -n 1 bare.err) $(tail -n 1 guarded.err)"
		fi
	done < <(tr , '\n' <<<"$names")
}

speed "launches by dlsym" ./driver dlsym rate
speed "launches by cuGetProcAddress" ./driver getproc rate
if has_module torch; then
	speed "PyTorch matmuls,PyTorch tokens" "$python" "$here/torch_check.py" speed
fi
