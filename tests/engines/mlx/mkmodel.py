# SPDX-License-Identifier: MIT
"""mkmodel.py -- a tiny model of random weights, for tests of MLX.

    python3 mkmodel.py FOLDER [--kind llama|mamba2|lfm2] [--seed N] [--layers N] [--width N] [--parts N]

Writes what a loader of Hugging Face folders wants: model.safetensors, or that
many parts, config.json, and a tokenizer whose tokens are single bytes.  The
same arguments give the same bytes on any machine.  Needs nothing but Python.

mamba2 keeps two arrays of a fixed size for each layer in place of keys and values,
lfm2 one for each layer but every third, which has keys and values.
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


VOCAB = 259
STATE = 16  # of mamba2, for each channel


def llama(args):
    """Name and shape of each tensor of a llama."""
    width, hidden = args.width, args.width * 2
    kv = width // 2
    yield "model.embed_tokens.weight", (VOCAB, width)
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
    yield "lm_head.weight", (VOCAB, width)


def mamba2(args):
    width, conv = args.width, args.width + 2 * STATE
    yield "backbone.embeddings.weight", (VOCAB, width)
    for i in range(args.layers):
        at = f"backbone.layers.{i}."
        yield at + "norm.weight", (width,)
        at += "mixer."
        yield at + "in_proj.weight", (width + conv + 4, width)
        yield at + "conv1d.weight", (conv, 4, 1)
        yield at + "conv1d.bias", (conv,)
        for name in ("A_log", "D", "dt_bias"):
            yield at + name, (4,)
        yield at + "norm.weight", (width,)
        yield at + "out_proj.weight", (width, width)
    yield "backbone.norm_f.weight", (width,)
    yield "lm_head.weight", (VOCAB, width)


def lfm2(args):
    width, hidden = args.width, args.width * 2
    kv, head = width // 2, width // 4
    yield "model.embed_tokens.weight", (VOCAB, width)
    for i in range(args.layers):
        at = f"model.layers.{i}."
        yield at + "operator_norm.weight", (width,)
        yield at + "ffn_norm.weight", (width,)
        yield at + "feed_forward.w1.weight", (hidden, width)
        yield at + "feed_forward.w3.weight", (hidden, width)
        yield at + "feed_forward.w2.weight", (width, hidden)
        if i % 3 == 2:
            yield at + "self_attn.q_layernorm.weight", (head,)
            yield at + "self_attn.k_layernorm.weight", (head,)
            yield at + "self_attn.q_proj.weight", (width, width)
            yield at + "self_attn.k_proj.weight", (kv, width)
            yield at + "self_attn.v_proj.weight", (kv, width)
            yield at + "self_attn.out_proj.weight", (width, width)
        else:
            yield at + "conv.conv.weight", (width, 3, 1)
            yield at + "conv.in_proj.weight", (3 * width, width)
            yield at + "conv.out_proj.weight", (width, width)
    yield "model.embedding_norm.weight", (width,)


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


def config_of(args):
    if args.kind == "mamba2":
        return {
            "architectures": ["Mamba2ForCausalLM"], "num_heads": 4, "head_dim": args.width // 4,
            "intermediate_size": args.width, "state_size": STATE, "layer_norm_epsilon": 1e-5,
            "conv_kernel": 4, "n_groups": 1, "use_bias": False, "use_conv_bias": True,
            "time_step_limit": [0.0, 100.0], "time_step_rank": "auto", "expand": 1,
        }
    if args.kind == "lfm2":
        return {
            "architectures": ["Lfm2ForCausalLM"], "num_attention_heads": 4,
            "num_key_value_heads": 2, "norm_eps": 1e-5, "conv_bias": False, "conv_L_cache": 3,
            "block_dim": args.width, "block_ff_dim": args.width * 2, "block_multiple_of": 1,
            "block_ffn_dim_multiplier": 1.0, "block_auto_adjust_ff_dim": False,
            "rope_theta": 10000.0,
            "layer_types": ["full_attention" if i % 3 == 2 else "conv" for i in range(args.layers)],
        }
    return {
        "architectures": ["LlamaForCausalLM"], "intermediate_size": args.width * 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": args.width // 4,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    }


def write_config(folder, args):
    write_json(folder, "config.json", config_of(args) | {
        "model_type": args.kind, "hidden_size": args.width, "num_hidden_layers": args.layers,
        "vocab_size": VOCAB, "max_position_embeddings": 4096,
        "tie_word_embeddings": args.kind == "lfm2", "bos_token_id": 256, "eos_token_id": 257,
        "torch_dtype": "float32",
    })


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder")
    p.add_argument("--kind", choices=["llama", "mamba2", "lfm2"], default="llama")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--parts", type=int, default=1)
    args = p.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    tensors = list({"llama": llama, "mamba2": mamba2, "lfm2": lfm2}[args.kind](args))
    for i in range(args.parts):
        name = "model.safetensors"
        if args.parts > 1:
            name = f"model-{i + 1:05d}-of-{args.parts:05d}.safetensors"
        path = os.path.join(args.folder, name)
        write_safetensors(path, tensors[i :: args.parts], args.seed * 100 + i)
    write_config(args.folder, args)
    write_tokenizer(args.folder)


main()
