#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# run.sh -- whisper.cpp under Python, with models of random weights, under `taffrail run`.
#
# What is heard is the same, and the log tells loads, transcriptions and frees.
#
# time-limit: 300
. "${SRC:?}/tests/integration/lib.sh"

here=$SRC/tests/engines/whisper
python=$("$here/fetch.sh") || exit $?
export TAFFRAIL_STATE=$state

"$python" "$here/mkmodel.py" ggml-a.bin 1 && "$python" "$here/mkmodel.py" ggml-b.bin 2 || exit 1
head -c 1000000 ggml-a.bin >ggml-cut.bin

guarded() { # OPTION... -- COMMAND...
	fresh
	raw shim "$BUILD/taffrail" run "$@"
	sed -i '/^taffrail: /d' shim.err
}

records() {
	"$BUILD/taffrail" log --json
}

guest=("$python" "$here/transcribe.py" ggml-a.bin ggml-b.bin)
raw plain "${guest[@]}"
check whisper "the program works" "exit 0, 6 times" "$(cat plain.status), $(grep -c '^rc 0$' plain.out) times"
for policy in "" "drain.post_sync=on;drain.post_clear=on;drain.serialize=on;on_error=poison"; do
	TAFFRAIL_SET=$policy guarded -- "${guest[@]}"
	check "whisper $policy" status "$(cat plain.status)" "$(cat shim.status)"
	check "whisper $policy" "what it heard" "$(cat plain.out)" "$(cat shim.out)"
	check "whisper $policy" "the story" "$(for m in a b; do
		printf '%s\n' "load begin ggml-$m.bin" "load end ggml-$m.bin"
		for _ in 1 2 3; do
			printf '%s\n' "infer begin ggml-$m.bin" "infer end ggml-$m.bin"
		done
		printf '%s\n' "unload begin ggml-$m.bin" "unload end ggml-$m.bin"
	done)" "$(records | jq -r 'select(.engine == "whisper" and .ph != "mark") | [.ev, .ph, .model // empty] | join(" ")')"
	check "whisper $policy" "errors" 0 "$(count '.ev == "error"')"
done
check whisper "bytes of the loads" 2 "$(count ".ev == \"load\" and .ph == \"end\" and .bytes == $(stat -c %s ggml-a.bin)")"

# A model that ends before its tensors do: the engine's own error, and a load that failed.
raw plain "$python" "$here/transcribe.py" ggml-cut.bin
guarded -- "$python" "$here/transcribe.py" ggml-cut.bin
check cut status "$(cat plain.status)" "$(cat shim.status)"
has cut "the load" '.ev == "load" and .ph == "end" and .rc == -1'
tally 11
