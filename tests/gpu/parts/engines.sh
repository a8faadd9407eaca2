# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# engines.sh -- whole engines on the GPU: transformers, MLX for CUDA, the release backends of
# llama.cpp for CUDA and Vulkan, what OpenCL's and Vulkan's own tools say.
#
# llama.cpp is what tests/engines/llama/fetch.sh {cuda,vulkan} fetches, or has fetched;
# LLAMA_CUDA and LLAMA_VULKAN name other folders of its libraries.

# All that was sent has been waited for when the process went, and nothing was refused.
left_in_order() { # NAME
	if [ "$(count '.ev == "exit" and .ph == "end"')" -eq 0 ]; then
		bad "$1: no end of the exit in the log"
	elif [ "$(count '.ev == "drain" and .ph == "end" and .rc != 0')" -gt 0 ]; then
		bad "$1: $(crumbs | jq -c 'select(.ev == "drain" and .ph == "end" and .rc != 0) | [.engine, .rule, .rc, .msg]' | tr '\n' ' ')"
	elif [ "$(count '.ev == "refuse"')" -gt 0 ]; then
		bad "$1: refused without a rule that says so"
	else
		ok "$1, its log: loads $(count '.ev == "load" and .ph == "begin"'), generations $(count '.ev == "infer" and .ph == "end"'), peak $(crumbs | jq -s 'map(select(.class == "device") | .peak_bytes) | max // 0') bytes"
	fi
}

# As `alike`, and what the log must hold.
engine() { # NAME CONDITION COMMAND...
	local name=$1 condition=$2 before=$failed
	shift 2
	alike "$name" "$@"
	[ "$failed" -eq "$before" ] && [ "$(cat bare.status)" = "exit 0" ] || return
	if [ "$(count "$condition")" -eq 0 ]; then
		bad "$name: its log has nothing with $condition: $(crumbs | jq -c '[.ev, .ph, .engine]' | sort | uniq -c | tr '\n' ' ' | head -c 600)"
		return
	fi
	left_in_order "$name"
}
used_gpu='.class == "device" and .peak_bytes > 0'

if ! has_module transformers; then
	skip "transformers: not installed for $python, or the GPU is simulated"
elif ! "$python" "$SRC/tests/engines/mlx/mkmodel.py" one 2>model.log; then
	bad "transformers: no model could be made: $(tail -n 1 model.log)"
else
	engine transformers "$used_gpu" HF_HUB_OFFLINE=1 "$python" "$here/transformers_check.py" one
fi

mlx_python=${MLX_PYTHON:-$python}
if [ -z "$is_simulated" ] && "$mlx_python" -c 'import mlx.core as mx, mlx_lm; assert mx.default_device() == mx.gpu' 2>/dev/null; then
	"$mlx_python" "$SRC/tests/engines/mlx/mkmodel.py" one
	"$mlx_python" "$SRC/tests/engines/mlx/mkmodel.py" two --seed 2
	generate=(HF_HUB_OFFLINE=1 "$mlx_python" "$SRC/tests/engines/mlx/generate.py" one two)
	engine "MLX" '.ev == "infer" and .ph == "end" and .engine == "mlx" and .tokens > 0' "${generate[@]}"
	[ "$(count "$used_gpu")" -gt 0 ] || bad "MLX: nothing on the device in its log"
	held=$(sed -n 's/^cached //p' guarded.err | sort -n | tail -n 1)
	guarded TAFFRAIL_SET="drain.post_sync=on;drain.post_clear=on;drain.idle_ms=100ms" "${generate[@]}"
	cleared=$(sed -n 's/^cached //p' guarded.err | sort -n | tail -n 1)
	if ! cmp -s bare.out guarded.out || ! cmp -s bare.status guarded.status; then
		bad "MLX, drain.post_clear: $(cat guarded.status) $(tail -n 1 guarded.out)"
	elif [ "${cleared:-1}" -lt "${held:-0}" ]; then
		left_in_order "MLX, drain.post_clear: the cache holds $cleared bytes, $held without"
	else
		bad "MLX, drain.post_clear: the cache holds ${cleared:-?} bytes, ${held:-?} without"
	fi
else
	skip "MLX: not installed for $mlx_python, not for CUDA, or the GPU is simulated"
fi

# Sets folder to where the libraries of that backend are. False: they are not to be had.
llama_folder() { # BACKEND FOLDER
	local why platform=linux-x64-$1
	folder=$2
	if [ -z "$folder" ]; then
		why=$(set -o pipefail && "$SRC/tests/engines/llama/fetch.sh" "$1" 2>&1 >fetched | tee -a /dev/stderr | tail -n 1)
		case $? in
		0) folder=$(cat fetched)/node_modules/@node-llama-cpp/$platform/bins/$platform ;;
		77) skip "llama.cpp, $1: $why" && return 1 ;;
		*) bad "llama.cpp, $1: not fetched: $why" && return 1 ;;
		esac
	fi
	compgen -G "$folder/libggml-$1.so*" >/dev/null && return
	skip "llama.cpp, $1: its libraries are not in $folder"
	return 1
}

# Tokens of the release libraries: those of the processor, at any backend.
llama() { # BACKEND FOLDER
	local folder
	if [ -n "$is_simulated" ]; then
		skip "llama.cpp, $1: the GPU is simulated"
		return
	fi
	llama_folder "$1" "$2" || return
	if ! "$BUILD/tests/mkgguf" tiny.gguf >/dev/null 2>model.log; then
		bad "llama.cpp, $1: no model could be made: $(tail -n 1 model.log)"
		return
	fi
	local say=("$python" "$SRC/tests/engines/llama/ctypes_caller.py" --folder "$folder" --tokens 24 tiny.gguf)
	bare CUDA_VISIBLE_DEVICES=-1 GGML_VK_VISIBLE_DEVICES=99 "${say[@]}" --layers 0
	cp bare.out processor.out
	# shellcheck disable=SC2034 # alike looks at it
	local is_foreign=1
	engine "llama.cpp, $1" ".class == \"device\" and .engine == \"$1\" and .peak_bytes > 400000" GGML_VK_VISIBLE_DEVICES=0 "${say[@]}"
	[ "$(cat bare.status)" = "exit 0" ] || return
	if cmp -s processor.out guarded.out; then
		ok "llama.cpp, $1: the processor's tokens"
	else
		bad "llama.cpp, $1: $(tail -n 2 guarded.out | head -c 200) instead of $(tail -n 2 processor.out | head -c 200)"
	fi
}
llama cuda "${LLAMA_CUDA:-}"
llama vulkan "${LLAMA_VULKAN:-}"

# What a tool prints of the device; its figures of the moment are left out.
tool() { # NAME COMMAND...
	if [ -n "$is_simulated" ] || ! command -v "$2" >/dev/null; then
		skip "$1: no $2, or the GPU is simulated"
		return
	fi
	bare "${@:2}"
	guarded "${@:2}"
	sed -i -E '/[Ff]ree|budget|usage/d' bare.out guarded.out
	if [ "$(cat bare.status)" != "exit 0" ] && cmp -s bare.status guarded.status; then
		skip "$1: $2 does not work here: $(tail -n 1 bare.err | head -c 200)"
	elif cmp -s bare.out guarded.out && cmp -s bare.status guarded.status && grep -qi nvidia guarded.out; then
		ok "$1: $(wc -l <guarded.out) lines alike"
	else
		bad "$1: $(cat bare.status) / $(cat guarded.status), $(diff bare.out guarded.out | head -n 3 | tr '\n' ' ')"
	fi
}
tool OpenCL clinfo
tool Vulkan vulkaninfo
