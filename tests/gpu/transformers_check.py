# SPDX-License-Identifier: MIT
"""transformers_check.py -- a language model of Hugging Face's transformers on an NVIDIA GPU, for
`make check-gpu`.

    transformers_check.py FOLDER     two requests, each token chosen by the largest number
"""
import sys

import torch
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).to("cuda").eval()
for prompt in ([104, 101, 108, 108, 111], [119, 104, 97, 116]):
    ids = torch.tensor([prompt], device="cuda")
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, pad_token_id=0)
    print(out[0].tolist(), flush=True)
