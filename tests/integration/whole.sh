#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# whole.sh -- engines one call of which is a generation: whisper.cpp and stable-diffusion.cpp,
# fakes of both. Every parameter arrives, whatever list of them a version has.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
# A machine that stands still in a generation does not end it.
export TAFFRAIL_SET=drain.idle_ms=10m

plain_guests guest_whole
guest=$tests/guest_whole

# What a model of whisper.cpp begins with: eleven numbers of it, and F16.
model() { # FILE
	printf 'lmgg\7\0\0\0\20\0\0\0\10\0\0\0\1\0\0\0\2\0\0\0\20\0\0\0\10\0\0\0\1\0\0\0\3\0\0\0\120\0\0\0\1\0\0\0' >"$1"
	head -c 4048 /dev/zero >>"$1"
}
model ggml-tiny.bin
printf 'GGUF' >picture.gguf

story() {
	crumbs | jq -r 'select(.engine == $e and .ph != "mark") | [.ev, .ph, .model // empty] | join(" ")' --arg e "$1"
}

# 1. whisper.cpp. What the engine does for itself, in a load and in a generation, is no other one.
same whisper "$guest" whisper=ggml-tiny.bin full full state free steps parallel free
check whisper status "exit 0" "$(cat shim.status)"
check whisper "the story" "load begin ggml-tiny.bin
load end ggml-tiny.bin
infer begin ggml-tiny.bin
infer end ggml-tiny.bin
infer begin ggml-tiny.bin
infer end ggml-tiny.bin
note begin ggml-tiny.bin
note end ggml-tiny.bin
infer begin ggml-tiny.bin
infer end ggml-tiny.bin
unload begin ggml-tiny.bin
unload end ggml-tiny.bin
infer begin ggml-tiny.bin
infer end ggml-tiny.bin
unload begin ggml-tiny.bin
unload end ggml-tiny.bin" "$(story whisper)"
has whisper "what the file says" '.ev == "load" and .ph == "begin" and .bytes == 4096 and (.msg | startswith("whisper F16, 5 layers, 4.0 KiB"))'
check whisper "generations of one call" 3 "$(count '.ev == "infer" and .ph == "end" and .submits == 1')"
# Steps belong together, until a whole one ends them.
has whisper "steps" '.ev == "infer" and .ph == "end" and .submits == 4 and (.call // "") == ""'
same "whisper, no such file" "$guest" whisper=fail.bin
has "whisper, no such file" "the load" '.ev == "load" and .ph == "end" and .rc == -1'
same "whisper, a failure" env FAKE_FULL_RC=-6 "$guest" whisper=ggml-tiny.bin full
has "whisper, a failure" "its number" '.ev == "error" and .engine == "whisper" and .call == "whisper_full" and .rc == -6'
has_not "whisper, a failure" "more than that" '.rule == "on_error"'
with_shim TAFFRAIL_SET="memory.limit=1KiB;memory.on_misfit=refuse" "$guest" whisper=ggml-tiny.bin
check "whisper, refused" "the load" "whisper failed" "$(cat shim.out)"
has "whisper, refused" "by which rule" '.ev == "refuse" and .rule == "memory.limit" and (.call | startswith("whisper_init_from_file"))'
# Of 1.5.0 to 1.5.4 the parameters are a byte, which comes in a register.
same "whisper, small" "$guest" small=ggml-tiny.bin
check "whisper, small" "what it loaded" "small whisper 6 of 6" "$(cat shim.out)"
check "whisper, small" "by name" 2 "$(count '.ev == "load" and .ph == "end" and .rc == 0 and .model == "ggml-tiny.bin" and .call == "whisper_init_from_file_with_params"')"

# 2. stable-diffusion.cpp, as it is and as it was.
same sd "$guest" sd=picture.gguf image=64 video=32 image=0 end sd=fail.gguf
check sd "the last" "sd failed" "$(tail -n 1 shim.out)"
check sd "the story" "load begin picture
load end picture
infer begin picture
infer end picture
infer begin picture
infer end picture
infer begin picture
infer end picture
unload begin picture
unload end picture
load begin fail
load end fail" "$(story sd)"
has sd "an image that failed" '.ev == "error" and .engine == "sd" and .call == "generate_image" and .rc == -1'
same "sd, a video that failed" "$guest" sd=picture.gguf video=0
has "sd, a video that failed" "that it did" '.ev == "error" and .engine == "sd" and .call == "generate_video" and .rc == -1'
same "sd, yes or no" "$guest" bool=picture.gguf good=32 good=0
check "sd, yes or no" "what it made" "sd of yes and no loaded good image 1 32 1 good image 0 0 0" "$(xargs <shim.out)"
check "sd, yes or no" "generations" 2 "$(count '.ev == "infer" and .ph == "end" and .engine == "sd"')"
check "sd, yes or no" "one error" 1 "$(count '.ev == "error" and .engine == "sd" and .call == "generate_image" and .rc == -1')"
same old "$guest" old=picture.gguf text=48 from=40
check old "what it made" "old sd loaded of a text 48 of an image 40" "$(xargs <shim.out)"
check old "generations" 2 "$(count '.ev == "infer" and .ph == "end" and .engine == "sd" and .model == "picture"')"
same larger "$guest" sd=picture.gguf larger
check larger "what it made" "larger 21 4 5 1" "$(tail -n 1 shim.out)"
check larger "loads" 2 "$(count '.ev == "load" and .ph == "end" and .engine == "sd" and .rc == 0')"

# 3. Another library that has names of them is called as ever.
same stranger "$guest" stranger
check stranger "records" 0 "$(crumbs | wc -l)"
same "stranger, beside" "$guest" sd=picture.gguf image=8 stranger image=8
check "stranger, beside" "generations" 2 "$(count '.ev == "infer" and .ph == "end"')"

# 4. Both in one process: each its own.
same both "$guest" whisper=ggml-tiny.bin sd=picture.gguf full image=16 end free
check both "generations" "sd picture whisper ggml-tiny.bin" "$(crumbs | jq -r 'select(.ev == "infer" and .ph == "end") | .engine, .model' | paste - - | sort | xargs)"
tally 62
