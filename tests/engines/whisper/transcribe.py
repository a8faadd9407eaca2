# SPDX-License-Identifier: MIT
"""transcribe.py -- a program that uses whisper.cpp under Python.

    python transcribe.py FILE...

Transcribes noise with each model, twice whole and once in parts, and prints what it heard, by number of segment.
"""

import random
import sys
from array import array

import _pywhispercpp as w
import numpy

noise = random.Random(3)
sound = numpy.array(array("f", (noise.uniform(-0.5, 0.5) for _ in range(32000))))

for path in sys.argv[1:]:
    ctx = w.whisper_init_from_file_with_params(path, w.whisper_context_default_params())
    for _ in range(2):
        params = w.whisper_full_default_params(w.whisper_sampling_strategy.WHISPER_SAMPLING_GREEDY)
        params.n_threads = 2
        params.max_tokens = 6
        params.temperature_inc = 0
        params.print_progress = False
        params.no_timestamps = True
        print("rc", w.whisper_full(ctx, params, sound, len(sound)))
        for i in range(w.whisper_full_n_segments(ctx)):
            print(i, w.whisper_full_get_segment_text(ctx, i))
    print("rc", w.whisper_full_parallel(ctx, params, sound, len(sound), 2))
    w.whisper_free(ctx)
