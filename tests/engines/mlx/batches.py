# SPDX-License-Identifier: MIT
"""batches.py -- mlx_lm's BatchGenerator under loads by chance, as a server drives it.

    python3 batches.py MODEL SEED LOADS       "REQUESTS TOKENS" that were served

Requests come in at any step, with prompts of any length, for any number of tokens; batches have
room for few or many. As in mlx_lm.server the probability of each token is asked for.
"""
import random
import sys
from collections import deque

from mlx_lm import load
from mlx_lm.generate import BatchGenerator

model, _ = load(sys.argv[1])
chance = random.Random(int(sys.argv[2]))
is_old = not hasattr(BatchGenerator, "insert_segments")
# completion batch, prefill batch, prefill step
ROOMS = [(32, 8, 2048), (4, 4, 16), (2, 2, 16), (8, 4, 32), (3, 2, 8)]


def served(generator, requests):
    """Runs them to their ends; how many tokens that were."""
    waiting = deque(sorted(requests))
    step = tokens = at_work = 0
    while waiting or at_work:
        while waiting and waiting[0][0] <= step:
            _, prompt, limit = waiting.popleft()
            generator.insert([[chance.randint(5, 90) for _ in range(prompt)]], [limit])
            at_work += 1
        if at_work:
            answers = generator.next()
            for r in answers[1] if isinstance(answers, tuple) else answers:
                r.logprobs[r.token].item()
                tokens += 1
                at_work -= r.finish_reason is not None
        step += 1
    return tokens


requests = tokens = 0
for _ in range(int(sys.argv[3])):
    decode, prefill, step = chance.choice(ROOMS)
    if is_old:
        prefill = chance.choice([1, 2])
    load = [(chance.randint(0, 40), chance.choice([1, 5, 20, 60, 100]), chance.randint(1, 15))
            for _ in range(chance.randint(3, 14))]
    tokens += served(BatchGenerator(model, completion_batch_size=decode, prefill_batch_size=prefill,
                                    prefill_step_size=step), load)
    requests += len(load)
print(requests, tokens)
