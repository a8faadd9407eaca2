#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpu_suite.sh -- the suite of `make check-gpu`, on the simulated GPU: that its programs and
# its script work before somebody with a GPU runs them.
# shellcheck disable=SC2154 # lib.sh sets work
. "${SRC:?}/tests/integration/lib.sh"

suite=$SRC/tests/gpu/run.sh
"$BASH" "$suite" --simulated report.txt >out.txt 2>&1
check simulated status 0 $?
grep -E '^FAIL' out.txt
check simulated "is said first" "SIMULATED: no kernel ran, nothing here was seen on a GPU" "$(head -n 1 out.txt)"
check simulated "and last" "42 passed, 0 failed, 13 skipped (SIMULATED)" "$(tail -n 1 out.txt)"
check simulated "the report" "$(cat out.txt)" "$(cat report.txt)"

# Nothing is called passed where there is no GPU, or no simulation.
mkdir bin
printf '#!/bin/sh\nexit 9\n' >bin/nvidia-smi
chmod +x bin/nvidia-smi
PATH=$work/bin:$PATH "$BASH" "$suite" >out.txt 2>&1
check "no GPU" status 77 $?
check "no GPU" "one line" "no NVIDIA GPU on this machine: nothing was checked" "$(cat out.txt)"
BUILD=$work "$BASH" "$suite" --simulated >out.txt 2>&1
check "not built" status 77 $?

# Where a GPU is said to be, with tools that say so, and an engine without the program that
# makes its model: told, and the rest goes on.
printf '#!/bin/sh\necho "GPU 0: NVIDIA"\n' | tee bin/nvidia-smi bin/clinfo bin/vulkaninfo >/dev/null
chmod +x bin/*
mkdir llama built
touch llama/libggml-cuda.so
ln -s "$shim" built
engines() { # [A=b...]
	env PATH="$work/bin:$PATH" PYTHON=false BUILD="$work/built" PARTS=engines NO_INSTALL=1 \
		TAFFRAIL_CACHE="$work/cache" "$@" "$BASH" "$suite" report.txt >out.txt 2>&1
}
engines LLAMA_CUDA="$work/llama"
check "no model" status 1 $?
check "no model" "what failed" 1 "$(grep -c '^FAIL  llama.cpp, cuda: no model could be made: .*mkgguf' out.txt)"
check "no model" "what is not fetched" 1 \
	"$(grep -c '^skip  llama.cpp, vulkan: node-llama-cpp .* for vulkan: not fetched yet, and NO_INSTALL is set$' report.txt)"
check "no model" "its last line" "2 passed, 1 failed, 3 skipped" "$(tail -n 1 out.txt)"
engines
check "not fetched" "its last line" "2 passed, 0 failed, 4 skipped" "$(tail -n 1 out.txt)"
check "not fetched" "and the report's" "$(tail -n 1 out.txt)" "$(tail -n 1 report.txt)"
# make builds that program, and all else that the suite takes from the build folder.
made=$(cd "$SRC" && MAKEFLAGS='' make -n check-gpu B="$work/nothing")
for file in $(grep -ohE '\$BUILD/[A-Za-z0-9_./-]+' "$suite" "$SRC"/tests/gpu/parts/*.sh | sort -u | grep -v simgpu); do
	check make "builds $file" 1 "$(grep -cE -- "-o $work/nothing/${file#*/}( |\$)" <<<"$made")"
done

# A part that ends the suite has not passed it.
mkdir -p src/tests
cp -r "$SRC/tests/gpu" src/tests/
echo 'exit 0' >src/tests/gpu/parts/leaves.sh
SRC=$work/src PARTS="leaves rules" "$BASH" src/tests/gpu/run.sh --simulated >out.txt 2>&1
check "a part that leaves" status 1 $?
check "a part that leaves" "its last line" \
	"FAIL  the suite ended early, in parts/leaves.sh: 0 passed, 0 failed until then" "$(tail -n 1 out.txt)"
tally 17
