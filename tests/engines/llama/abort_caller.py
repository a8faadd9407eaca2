# SPDX-License-Identifier: MIT
"""abort_caller.py -- a guest: an assertion of ggml fails in the middle of its life.

    abort_caller.py MODEL

Loads MODEL and decodes as ctypes_caller.py does, then asks ggml to wait for a
backend that is none. The engine prints where its assertion failed and aborts.
"""
import ctypes
import glob
import os
import sys

sys.argv[1:] = ["--no-free", *sys.argv[1:]]
import ctypes_caller  # noqa: E402

ctypes_caller.main()  # the model stays loaded

sys.stdout.flush()
ggml = ctypes.CDLL(glob.glob(os.path.join(ctypes_caller.engine_folder(), "libggml-base*.so*"))[0])
ctypes_caller.declare(ggml.ggml_backend_synchronize, None, ctypes.c_void_p)
ggml.ggml_backend_synchronize(None)
