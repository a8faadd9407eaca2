# SPDX-License-Identifier: MIT
"""ctypes_caller.py -- a guest: llama.cpp called as llama-cpp-python calls it.

It knows nothing of taffrail. The libraries are opened RTLD_LOCAL and every
entry point is found with dlsym, so no symbol of libllama is bound by the
loader for this caller.

    ctypes_caller.py [--load-only] [--no-free] [--decodes N] [--tokens N] [--layers N]
                     [--folder FOLDER] MODEL

Loads MODEL, makes a context, decodes N times, synchronizes, frees both. With
--tokens it generates N, each the one with the largest number, and prints them.
--layers says how many go to a GPU; --folder is where the engine's libraries are.
Prints what it did on stdout. 77 when the engine has not been fetched.
"""
import argparse
import ctypes
import glob
import os
import platform
import sys


class Opaque(ctypes.Structure):
    """A parameter struct of llama.cpp, whose size grows between versions.

    Bigger than any of them. Returned through a hidden pointer, so room to
    spare is harmless; passed as the last argument, in memory, so the callee
    reads the part that it knows. One member alone is looked into: GPU layers.
    """

    _fields_ = [("bytes", ctypes.c_uint64 * 64)]


class Batch(ctypes.Structure):
    """llama_batch: the same since it exists."""

    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.c_void_p),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.c_void_p),
        ("n_seq_id", ctypes.c_void_p),
        ("seq_id", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
    ]


def engine_folder():
    here = os.path.dirname(os.path.abspath(__file__))
    cache = os.environ.get("TAFFRAIL_CACHE", os.path.join(here, "..", "..", "..", "build", "cache"))
    system = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}.get(platform.machine(), "none")
    pattern = os.path.join(cache, "llama", "node_modules", "@node-llama-cpp", system, "bins", system)
    if not glob.glob(os.path.join(pattern, "libllama.*so*")):
        print("the engine has not been fetched: tests/engines/llama/fetch.sh", file=sys.stderr)
        sys.exit(77)
    return pattern


def open_engine(folder=None):
    folder = folder or engine_folder()
    llama = ctypes.CDLL(glob.glob(os.path.join(folder, "libllama.*v[0-9]*.so"))[0])
    ggml = ctypes.CDLL(glob.glob(os.path.join(folder, "libggml.*v[0-9]*.so"))[0])
    quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    llama.quiet = quiet  # must outlive the engine
    llama.llama_log_set(quiet, None)
    ggml.ggml_backend_load_all_from_path(folder.encode())
    llama.llama_backend_init()

    pointer = ctypes.c_void_p
    declare(llama.llama_model_default_params, Opaque)
    declare(llama.llama_context_default_params, Opaque)
    declare(llama.llama_model_load_from_file, pointer, ctypes.c_char_p, Opaque)
    declare(llama.llama_init_from_model, pointer, pointer, Opaque)
    declare(llama.llama_batch_get_one, Batch, pointer, ctypes.c_int32)
    declare(llama.llama_decode, ctypes.c_int32, pointer, Batch)
    declare(llama.llama_set_n_threads, None, pointer, ctypes.c_int32, ctypes.c_int32)
    declare(llama.llama_synchronize, None, pointer)
    declare(llama.llama_get_logits_ith, ctypes.POINTER(ctypes.c_float), pointer, ctypes.c_int32)
    declare(llama.llama_model_get_vocab, pointer, pointer)
    declare(llama.llama_vocab_n_tokens, ctypes.c_int32, pointer)
    declare(llama.llama_free, None, pointer)
    declare(llama.llama_model_free, None, pointer)
    return llama


def declare(function, result, *arguments):
    function.restype = result
    function.argtypes = arguments


def decode(llama, model, times):
    context = llama.llama_init_from_model(model, llama.llama_context_default_params())
    if not context:
        sys.exit("no context")
    llama.llama_set_n_threads(context, 1, 1)  # more would starve each other on a busy machine
    tokens = (ctypes.c_int32 * 4)(1, 260, 261, 262)
    for step in range(times):
        count = 4 if step == 0 else 1
        code = llama.llama_decode(context, llama.llama_batch_get_one(tokens, count))
        print("decode", code)
    llama.llama_synchronize(context)
    return context


def generate(llama, model, count):
    context = llama.llama_init_from_model(model, llama.llama_context_default_params())
    if not context:
        sys.exit("no context")
    llama.llama_set_n_threads(context, 1, 1)
    n = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    batch, out = (ctypes.c_int32 * 4)(1, 104, 105, 106), []
    for _ in range(count):
        if llama.llama_decode(context, llama.llama_batch_get_one(batch, len(batch))):
            sys.exit("decode failed")
        logits = llama.llama_get_logits_ith(context, -1)
        out.append(max(range(n), key=lambda i: logits[i]))
        batch = (ctypes.c_int32 * 1)(out[-1])
    print("tokens", *out)
    return context


def parameters(llama, layers):
    """n_gpu_layers stands behind two pointers, in every version that is tested."""
    params = llama.llama_model_default_params()
    if layers is not None:
        ctypes.c_int32.from_buffer(params, 16).value = layers
    return params


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--load-only", action="store_true")
    parser.add_argument("--no-free", action="store_true")
    parser.add_argument("--decodes", type=int, default=3)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--folder")
    options = parser.parse_args()

    llama = open_engine(options.folder)
    model = llama.llama_model_load_from_file(os.fsencode(options.model), parameters(llama, options.layers))
    if not model:
        sys.exit(f"cannot load {options.model}")
    print("loaded")
    context = None
    if options.tokens:
        context = generate(llama, model, options.tokens)
    elif not options.load_only:
        context = decode(llama, model, options.decodes)
    if options.no_free:
        return
    if context:
        llama.llama_free(context)
    llama.llama_model_free(model)
    llama.llama_backend_free()
    print("freed")


if __name__ == "__main__":
    main()
