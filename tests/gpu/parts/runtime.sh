# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# runtime.sh -- programs of nvcc's, with the static and the shared runtime. Needs nvcc.

nvcc=$(command -v nvcc)
for file in /usr/local/cuda*/bin/nvcc; do
	[ -x "$file" ] && nvcc=${nvcc:-$file}
done
if [ -n "$is_simulated" ]; then
	skip "runtime: a program of nvcc's needs a GPU"
elif [ -z "$nvcc" ]; then
	skip "runtime: no nvcc"
else
	for flags in "static -cudart static" "shared -cudart shared" "static_ptds -cudart static --default-stream per-thread" \
		"shared_ptds -cudart shared --default-stream per-thread"; do
		name=${flags%% *}
		# shellcheck disable=SC2086 # several flags
		if ! "$nvcc" -O2 -arch=native ${flags#* } -o "runtime_$name" "$here/runtime.cu" 2>nvcc.log; then
			skip "runtime, $name: nvcc: $(grep -m1 -i error nvcc.log || tail -n 1 nvcc.log)"
			continue
		fi
		toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
		for case in basic async graph child leave; do
			alike "runtime, $name, $case" LD_LIBRARY_PATH="$toolkit/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
				"./runtime_$name" $case
		done
	done
fi
