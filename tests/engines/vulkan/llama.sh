#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# llama.sh -- the release Vulkan backend of llama.cpp on lavapipe, under `taffrail run`: the
# processor's tokens, the whole story, a drain at the exit, refusals that it understands.
#
# time-limit: 600
# shellcheck disable=SC2154 # names set by the files that are sourced below
. "${SRC:?}/tests/engines/vulkan/lib.sh"
. "${SRC:?}/tests/engines/llama/lib.sh"
"$SRC/tests/engines/llama/fetch.sh" vulkan >/dev/null || exit $?
export GGML_VK_VISIBLE_DEVICES=0 # it leaves processors alone unless it is told
vulkan=("${serve[@]}" --gpu vulkan)

plain "${serve[@]}" tiny.gguf
check processor "the program works" "exit 0" "$(cat plain.status)"
tokens=$(cat plain.out)
# The first run compiles shaders, which takes a minute.
plain "${vulkan[@]}" tiny.gguf
check vulkan "the program works" "exit 0" "$(cat plain.status)"
check vulkan "the processor's tokens" "$tokens" "$(cat plain.out)"

guarded --set drain.idle_ms=5s --set drain.post_sync=on -- "${vulkan[@]}" --pause 7000 tiny.gguf
check_same guarded
check_whole guarded
check guarded "the story" "start mark
load begin
load end
note begin
note end
infer begin
infer end
drain begin
drain end
infer begin
infer end
drain begin
drain end
drain begin
drain end
unload begin
unload end
unload begin
unload end
exit begin
note mark
exit end" "$(records | jq -r 'select((.engine != null or .role == "guest") and .class != "device_name") |
	[.ev, .ph] | join(" ")')"
one_device='.class == "device_name" and .engine == "vulkan" and .total > 0'
check guarded "the name of the device" 1 "$(number_of "$one_device")"
check guarded "memory of the device, all given back" 1 \
	"$(number_of '.class == "device" and .engine == "vulkan" and .bytes == 0 and .peak_bytes > 400000')"

guarded -- "${vulkan[@]}" --no-dispose tiny.gguf
check kept "tokens" "$tokens" "$(cat guarded.out)"
check kept "how it ended" "$(cat plain.status)" "$(cat guarded.status)"
check kept "the drain at the exit" 1 \
	"$(number_of '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0 and .engine == "llama"')"

# Weights are over the limit: the backend gets Vulkan's own word for it.
guarded --set memory.max_single_alloc=256KiB --set memory.on_misfit=refuse -- "${vulkan[@]}" tiny.gguf
check refused "how it ended" "exit 1" "$(cat guarded.status)"
check refused "the refusal" true \
	"$(number_of '.ev == "refuse" and .rule == "memory.max_single_alloc"' | jq '. >= 1')"
check refused "no signal" 0 "$(number_of '.ev == "signal"')"
tally 17
