# SPDX-License-Identifier: MIT
"""mkmodel.py -- a tiny model of random weights, for tests of MLX.

    python3 mkmodel.py FOLDER [--seed N] [--layers N] [--width N] [--parts N]

Writes what a loader of Hugging Face folders wants: model.safetensors, or that
many parts, config.json, and a tokenizer whose tokens are single bytes.  The
same arguments give the same bytes on any machine.  Needs nothing but Python.
"""

import argparse
import array
import json
import os
import struct


def numbers(seed, count, scale):
    """count floats in -scale..scale: a generator that is the same everywhere."""
    state = (seed * 2654435761 + 88172645463325252) & (2**64 - 1)
    out = array.array("f", bytes(4 * count))
    for i in range(count):
        state ^= (state << 13) & (2**64 - 1)
        state ^= state >> 7
        state ^= (state << 17) & (2**64 - 1)
        out[i] = ((state >> 40) / 2**24 - 0.5) * 2 * scale
    return out.tobytes()


def shapes(args):
    """Name and shape of each tensor of a llama."""
    width, hidden, vocab = args.width, args.width * 2, 259
    kv = width // 2
    yield "model.embed_tokens.weight", (vocab, width)
    for i in range(args.layers):
        at = f"model.layers.{i}."
        yield at + "self_attn.q_proj.weight", (width, width)
        yield at + "self_attn.k_proj.weight", (kv, width)
        yield at + "self_attn.v_proj.weight", (kv, width)
        yield at + "self_attn.o_proj.weight", (width, width)
        yield at + "mlp.gate_proj.weight", (hidden, width)
        yield at + "mlp.up_proj.weight", (hidden, width)
        yield at + "mlp.down_proj.weight", (width, hidden)
        yield at + "input_layernorm.weight", (width,)
        yield at + "post_attention_layernorm.weight", (width,)
    yield "model.norm.weight", (width,)
    yield "lm_head.weight", (vocab, width)


def write_safetensors(path, tensors, seed):
    header, data = {"__metadata__": {"format": "mlx"}}, bytearray()
    for i, (name, shape) in enumerate(tensors):
        count = 1
        for n in shape:
            count *= n
        begin = len(data)
        data += numbers(seed * 1000 + i, count, 1.0 if len(shape) == 1 else 0.15)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def byte_names():
    """How a byte-level tokenizer writes each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    names, extra = {}, 0
    for b in range(256):
        names[b] = chr(b) if b in plain else chr(256 + extra)
        extra += b not in plain
    return [names[b] for b in range(256)]


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        json.dump(value, f)


def write_tokenizer(folder):
    special = ["<s>", "</s>", "<unk>"]
    vocab = {name: i for i, name in enumerate(byte_names() + special)}
    added = [
        {"id": vocab[s], "content": s, "special": True, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False}
        for s in special
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
             "use_regex": False}
    write_json(folder, "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": []},
    })
    write_json(folder, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
        "unk_token": "<unk>", "model_max_length": 4096,
        "chat_template": "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}",
    })


def write_config(folder, args):
    write_json(folder, "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": args.width,
        "intermediate_size": args.width * 2, "num_hidden_layers": args.layers,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": args.width // 4,
        "rms_norm_eps": 1e-5, "vocab_size": 259, "rope_theta": 10000.0,
        "max_position_embeddings": 4096, "tie_word_embeddings": False,
        "bos_token_id": 256, "eos_token_id": 257, "torch_dtype": "float32",
    })


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--parts", type=int, default=1)
    args = p.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    tensors = list(shapes(args))
    for i in range(args.parts):
        name = "model.safetensors"
        if args.parts > 1:
            name = f"model-{i + 1:05d}-of-{args.parts:05d}.safetensors"
        path = os.path.join(args.folder, name)
        write_safetensors(path, tensors[i :: args.parts], args.seed * 100 + i)
    write_config(args.folder, args)
    write_tokenizer(args.folder)


main()
