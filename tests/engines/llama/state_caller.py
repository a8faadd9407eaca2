# SPDX-License-Identifier: MIT
"""state_caller.py -- a guest: keeps and restores what a context of llama.cpp holds.

It knows nothing of taffrail and finds every entry point with dlsym.

    state_caller.py WORD...

    model=FILE     loads a model and makes a context of it, in the place of those before
    NAME=NUMBER    of the contexts that follow: one of TURNS, the others by default
    decode=N       N decodes of one token
    show           what the context is said to hold
    save=FILE      seqsave=FILE       oldsave=FILE
    restore=FILE   seqrestore=FILE    oldrestore=FILE

Prints what each gave on stdout.
"""
import ctypes
import os
import sys

import ctypes_caller
from ctypes_caller import declare

pointer, size, number, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int32, ctypes.c_char_p


# Where they lie in the parameters of a context of llama.cpp 0.5.0, and what they are.
TURNS = {
    "rope_scaling_type": (40, ctypes.c_int32),
    "rope_freq_base": (56, ctypes.c_float),
    "rope_freq_scale": (60, ctypes.c_float),
    "yarn_orig_ctx": (80, ctypes.c_int32),
}


class Guest:
    def __init__(self):
        self.llama = ctypes_caller.open_engine()
        self.model = self.context = None
        llama = self.llama
        self.params = llama.llama_context_default_params()
        declare(llama.llama_get_memory, pointer, pointer)
        declare(llama.llama_memory_seq_pos_max, number, pointer, number)
        declare(llama.llama_get_logits, pointer, pointer)
        declare(llama.llama_state_get_size, size, pointer)
        count = ctypes.POINTER(size)
        for name in ("llama_state_save_file", "llama_save_session_file"):
            declare(getattr(llama, name), ctypes.c_bool, pointer, text, pointer, size)
        for name in ("llama_state_load_file", "llama_load_session_file"):
            declare(getattr(llama, name), ctypes.c_bool, pointer, text, pointer, size, count)
        declare(llama.llama_state_seq_save_file, size, pointer, text, number, pointer, size)
        declare(llama.llama_state_seq_load_file, size, pointer, text, number, pointer, size, count)

    def load(self, path):
        llama = self.llama
        if self.context:
            llama.llama_free(self.context)
            llama.llama_model_free(self.model)
            self.context = None
        self.model = llama.llama_model_load_from_file(os.fsencode(path), llama.llama_model_default_params())
        if not self.model:
            return "failed"
        self.context = llama.llama_init_from_model(self.model, self.params)
        llama.llama_set_n_threads(self.context, 1, 1)
        return "ok" if self.context else "no context"

    def turn(self, name, value):
        at, kind = TURNS[name]
        kind.from_buffer(self.params, at).value = kind(float(value) if kind is ctypes.c_float else int(value)).value
        return value

    def decode(self, times):
        token = (ctypes.c_int32 * 1)(260)
        batch = self.llama.llama_batch_get_one
        return " ".join(str(self.llama.llama_decode(self.context, batch(token, 1))) for _ in range(int(times)))

    def show(self):
        llama = self.llama
        last = llama.llama_memory_seq_pos_max(llama.llama_get_memory(self.context), 0)
        logits = "logits" if llama.llama_get_logits(self.context) else "no logits"
        state = "a state" if llama.llama_state_get_size(self.context) else "no state"
        return f"position {last}, {logits}, {state}"

    def file(self, word, path):
        path = os.fsencode(path)
        tokens = (ctypes.c_int32 * 64)()
        count = ctypes.byref(size(0))
        llama = self.llama
        done = {
            "save": lambda: llama.llama_state_save_file(self.context, path, tokens, 1),
            "oldsave": lambda: llama.llama_save_session_file(self.context, path, tokens, 1),
            "seqsave": lambda: llama.llama_state_seq_save_file(self.context, path, 0, tokens, 1),
            "restore": lambda: llama.llama_state_load_file(self.context, path, tokens, 64, count),
            "oldrestore": lambda: llama.llama_load_session_file(self.context, path, tokens, 64, count),
            "seqrestore": lambda: llama.llama_state_seq_load_file(self.context, path, 0, tokens, 64, count),
        }[word]()
        return "ok" if done else "failed"


def main():
    guest = Guest()
    for argument in sys.argv[1:]:
        word, _, value = argument.partition("=")
        if word == "model":
            result = guest.load(value)
        elif word in TURNS:
            result = guest.turn(word, value)
        elif word == "decode":
            result = guest.decode(value)
        elif word == "show":
            result = guest.show()
        else:
            result = guest.file(word, value)
        print(word, result, flush=True)


main()
