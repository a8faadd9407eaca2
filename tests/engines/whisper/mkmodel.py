# SPDX-License-Identifier: MIT
"""mkmodel.py -- writes a whisper.cpp model of random weights.

    python mkmodel.py FILE [SEED]

The shape of "tiny" with 64 in the place of 384: a file of 8 MB.  The format is that of
whisper.cpp's loader: numbers, mel filters, tokens, tensors to the end of the file.
"""

import random
import struct
import sys

VOCAB, AUDIO_CTX, STATE, HEADS, LAYERS, TEXT_CTX, MELS = 51864, 1500, 64, 1, 4, 448, 80
FFT = 201
F32, F16 = 0, 1


def write_tensor(f, rng, name, dims, kind):
    count = 1
    for d in dims:
        count *= d
    # A small set of values, drawn by bytes: millions of single draws would take seconds.
    size = "e" if kind == F16 else "f"
    table = [struct.pack(f"<{size}", rng.uniform(-0.1, 0.1)) for _ in range(256)]
    f.write(struct.pack("<3i", len(dims), len(name), kind))
    f.write(struct.pack(f"<{len(dims)}i", *dims))
    f.write(name.encode())
    f.write(b"".join(table[b] for b in rng.randbytes(count)))


def attention(prefix):
    for part in "query", "key", "value", "out":
        yield f"{prefix}.{part}.weight", [STATE, STATE], F16
        if part != "key":
            yield f"{prefix}.{part}.bias", [STATE], F32


def norm(name):
    yield f"{name}.weight", [STATE], F32
    yield f"{name}.bias", [STATE], F32


def block(prefix, has_cross):
    yield from norm(f"{prefix}.mlp_ln")
    yield f"{prefix}.mlp.0.weight", [STATE, 4 * STATE], F16
    yield f"{prefix}.mlp.0.bias", [4 * STATE], F32
    yield f"{prefix}.mlp.2.weight", [4 * STATE, STATE], F16
    yield f"{prefix}.mlp.2.bias", [STATE], F32
    yield from norm(f"{prefix}.attn_ln")
    yield from attention(f"{prefix}.attn")
    if has_cross:
        yield from norm(f"{prefix}.cross_attn_ln")
        yield from attention(f"{prefix}.cross_attn")


def tensors():
    yield "encoder.positional_embedding", [STATE, AUDIO_CTX], F32
    yield "encoder.conv1.weight", [3, MELS, STATE], F16
    yield "encoder.conv1.bias", [1, STATE], F32
    yield "encoder.conv2.weight", [3, STATE, STATE], F16
    yield "encoder.conv2.bias", [1, STATE], F32
    yield from norm("encoder.ln_post")
    yield "decoder.positional_embedding", [STATE, TEXT_CTX], F32
    yield "decoder.token_embedding.weight", [STATE, VOCAB], F16
    yield from norm("decoder.ln")
    for i in range(LAYERS):
        yield from block(f"encoder.blocks.{i}", False)
        yield from block(f"decoder.blocks.{i}", True)


def main(path, seed):
    rng = random.Random(seed)
    with open(path, "wb") as f:
        f.write(b"lmgg")
        f.write(struct.pack("<11i", VOCAB, AUDIO_CTX, STATE, HEADS, LAYERS, TEXT_CTX, STATE,
                            HEADS, LAYERS, MELS, F16))
        f.write(struct.pack("<2i", MELS, FFT))
        f.write(struct.pack(f"<{MELS * FFT}f", *(rng.random() / FFT for _ in range(MELS * FFT))))
        f.write(struct.pack("<i", 256))
        for i in range(256):
            f.write(struct.pack("<i", 1) + bytes([i]))
        for name, dims, kind in tensors():
            write_tensor(f, rng, name, dims, kind)


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
