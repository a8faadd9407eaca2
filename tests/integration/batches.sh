#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# batches.sh -- a program that computes by llama.cpp's batches which hide what is in them,
# as its own server does since 2026-10: generations, tokens and requests as by llama_decode.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
needs python3
# A machine that stands still in a generation does not end it.
export TAFFRAIL_SET=drain.idle_ms=10m

cat >compute.py <<'E2'
"""compute.py LIBRARY STEP...: STEP is the sequences of the tokens of one batch, as in 0,0,1;
embd before them: tokens with their meaning instead of a number; again: the batch as it is."""
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
class Value(ctypes.Structure):
    _fields_ = [("n", ctypes.c_int32), ("pad", ctypes.c_int32), ("words", ctypes.c_uint64 * 38),
                ("mark", ctypes.c_uint64)]
class Embd(ctypes.Structure):
    _fields_ = [("n", ctypes.c_int32), ("pad", ctypes.c_int32), ("words", ctypes.c_uint64 * 9),
                ("mark", ctypes.c_uint64)]
def value(n, of=Value):
    return of(n=n, mark=0x7461666672616b65 ^ n)
for f in ("llama_model_load_from_file", "llama_init_from_model"):
    getattr(lib, f).restype = ctypes.c_void_p
lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Value]
lib.llama_init_from_model.argtypes = [ctypes.c_void_p, Value]
lib.llama_process.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
lib.llama_batch_ext_add.argtypes = [ctypes.c_void_p, ctypes.c_int32]
lib.llama_batch_ext_add_token.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32]
lib.llama_batch_ext_add_embd.argtypes = [ctypes.c_void_p, ctypes.c_int32, Embd]
context = lib.llama_init_from_model(lib.llama_model_load_from_file(b"/models/tiny.gguf", value(0)), value(0))
batches = [ctypes.c_int32() for _ in range(80)]
for i, step in enumerate(sys.argv[2:]):
    batch = batches[0 if step == "again" else i % len(batches)]
    at = []
    if step != "again":
        batch.value = 0
        how, _, ids = step.rpartition(":")
        for k, seq in enumerate(map(int, ids.split(","))):
            if how == "embd":
                at.append(lib.llama_batch_ext_add_embd(ctypes.byref(batch), seq, value(k, Embd)))
            elif k % 2:
                at.append(lib.llama_batch_ext_add(ctypes.byref(batch), seq))
            else:
                at.append(lib.llama_batch_ext_add_token(ctypes.byref(batch), seq, 7))
    print(at, lib.llama_process(context, 1, ctypes.byref(batch)), flush=True)
E2
compute=(python3 compute.py "$tests/libfake_llama.so")

told() { # of the generation
	crumbs | jq -c 'select(.ev == "infer" and .ph == "end") | [.submits, .tokens, .peak, .requests, .sequences]'
}

same one "${compute[@]}" 0,0,0,0,0 0 0
check one "submits, tokens, most in one, requests, sequences" '[3,7,5,1,1]' "$(told)"
has one "by its name" '.ev == "infer" and .ph == "begin" and .call == "llama_process"'
has one "the drain at the exit" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'

# A second one comes in, the first has another prompt, ends, and the first batch once more.
same several "${compute[@]}" 0,0,0 0,1,1 0,1 0,0,0,1 1 again
check several "submits, tokens, most in one, requests, sequences" '[6,16,4,4,2]' "$(told)"

# The number of tokens with a meaning is the fake's 0 each time: a batch of one.
same meanings "${compute[@]}" embd:0,0
check meanings "submits, tokens" '[1,1]' "$(told | jq -c '.[:2]')"

# More batches than are followed.
mapfile -t steps < <(yes 0,0 | head -n 160)
same many "${compute[@]}" "${steps[@]}"
check many "submits, tokens, most in one" '[160,320,2]' "$(told | jq -c '.[:3]')"

# A failure is one by this way as well.
export FAKE_DECODE_RC=-3
same failure "${compute[@]}" 0
has failure "the error" '.ev == "error" and .call == "llama_process" and .rc == -3 and .class == "compute_failed"'
tally 21
