# SPDX-License-Identifier: MIT
"""complete.py -- a program on llama-cpp-python, which knows nothing of taffrail.

    complete.py MODEL STEP...

STEP, one after the other:

    ask=N       a completion of at most N tokens; prints it and what was used
    pause=S     does nothing
    state       saves the state of the context and loads it again
    keep=FILE   saves it into a file
    back=FILE   restores it from there, and prints whether that went well
    swap=MODEL  closes the model and takes another
    turn=N      loads the same anew, with a rope_freq_scale of N
    close       gives the model up
    exit=N      leaves by sys.exit
    die=N       asks, and sends itself signal N in the middle of a decode
    endless     asks on and on; prints "hanging" with the first token
"""
import ctypes
import os
import sys
import time

import llama_cpp
from llama_cpp import Llama


def load(path, **more):
    return Llama(path, n_ctx=256, seed=1, n_threads=1, verbose=False, **more)


def ask(model, tokens):
    got = model.create_completion("Hello", max_tokens=tokens, temperature=0)
    usage = got["usage"]
    print(ascii(got["choices"][0]["text"]), usage["prompt_tokens"], usage["completion_tokens"], flush=True)


def back(model, path):
    tokens = (llama_cpp.llama_token * 256)()
    count = ctypes.c_size_t(0)
    is_done = llama_cpp.llama_state_load_file(model.ctx, os.fsencode(path), tokens, 256, ctypes.byref(count))
    print("back", is_done, flush=True)


def die(model, signal):
    @llama_cpp.ggml_abort_callback
    def computing(_):
        os.kill(os.getpid(), signal)
        return False

    ask(model, 4)
    llama_cpp.llama_set_abort_callback(model.ctx, computing, None)
    ask(model, 4)


def endless(model):
    is_told = False
    while True:
        for _ in model.create_completion("Hello", max_tokens=200, temperature=0, stream=True):
            if not is_told:
                print("hanging", flush=True)
            is_told = True


def main():
    model = load(sys.argv[1])
    for step in sys.argv[2:]:
        what, _, value = step.partition("=")
        if what == "ask":
            ask(model, int(value))
        elif what == "pause":
            time.sleep(float(value))
        elif what == "state":
            model.load_state(model.save_state())
        elif what == "keep":
            llama_cpp.llama_state_save_file(model.ctx, os.fsencode(value), (llama_cpp.llama_token * 1)(), 1)
        elif what == "back":
            back(model, value)
        elif what == "turn":
            model.close()
            model = load(sys.argv[1], rope_freq_scale=float(value))
        elif what == "swap":
            model.close()
            model = load(value)
        elif what == "close":
            model.close()
        elif what == "exit":
            sys.exit(int(value))
        elif what == "die":
            die(model, int(value))
        else:
            endless(model)


main()
