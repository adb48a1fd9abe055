#!/usr/bin/env python3
"""Computes what the prediction layer (function "mtp") of a small qwen35 model answers, in float64 and without this project.

    tools/mtp_reference.py MODEL.gguf MODEL.json OUT

Reads a model with f32 and f16 weights, and the longest of its prompts. Writes OUT.json and OUT.logits.f32: rows of
logits of the prediction layer along the prompt, then of a few rounds that use its own results. The main layers are
computed too, and compared with the logits that another engine stored. Needs numpy.

    x += Mixer(Norm(x)); x += FeedForward(Norm(x)); logits = Head(Norm(x))

The mixer is a gated delta net (Yang et al. 2024, "Gated Delta Networks") or attention with a gated result. The
prediction layer is one more such layer with attention. Its input is
Project([Norm(embedding of the next token); Norm(normed hidden state)]).
"""
import argparse
import json
import pathlib
import struct
import sys

import numpy as np

NUM_ROUNDS = 3
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


class Model:
    """Metadata without its prefix, and tensors as float64 arrays [out, in]."""

    def __init__(self, path):
        self.data = path.read_bytes()
        self.at = 0
        if self.data[:4] != b"GGUF":
            sys.exit(f"mtp_reference: {path} is no GGUF file")
        self.at = 8
        num_tensors, num_keys = self.number("Q"), self.number("Q")
        self.keys = {}
        for _ in range(num_keys):
            name = self.text()
            self.keys[name.removeprefix("qwen35.")] = self.value(self.number("I"))
        headers = [self.header() for _ in range(num_tensors)]
        alignment = self.keys.get("general.alignment", 32)
        begin = (self.at + alignment - 1) // alignment * alignment
        self.tensors = {name: self.tensor(name, dims, kind, begin + offset) for name, dims, kind, offset in headers}

    def number(self, code):
        value, = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def text(self):
        size = self.number("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode("utf-8", "replace")

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            element, count = self.number("I"), self.number("Q")
            return [self.value(element) for _ in range(count)]
        return self.number(SCALARS[kind])

    def header(self):
        name = self.text()
        dims = [self.number("Q") for _ in range(self.number("I"))]
        return name, dims, self.number("I"), self.number("Q")

    def tensor(self, name, dims, kind, begin):
        if kind not in (0, 1):
            sys.exit(f"mtp_reference: tensor {name} is neither f32 nor f16")
        values = np.frombuffer(self.data, "<f4" if kind == 0 else "<f2", int(np.prod(dims)), begin)
        return values.astype(np.float64).reshape(dims[::-1])

    def layer(self, index):
        prefix = f"blk.{index}."
        return {name.removeprefix(prefix).removesuffix(".weight"): value for name, value in self.tensors.items()
                if name.startswith(prefix)}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


class Network:
    def __init__(self, model):
        keys = model.keys
        self.model = model
        self.eps = keys["attention.layer_norm_rms_epsilon"]
        self.heads, self.kv_heads = keys["attention.head_count"], keys["attention.head_count_kv"]
        self.head_size = keys["attention.key_length"]
        self.key_heads, self.value_heads = keys["ssm.group_count"], keys["ssm.time_step_rank"]
        self.key_size = keys["ssm.state_size"]
        self.value_size = keys["ssm.inner_size"] // self.value_heads
        pairs = keys["rope.dimension_count"] // 2
        self.frequencies = float(keys["rope.freq_base"]) ** (-np.arange(pairs) / pairs)
        self.num_prediction = keys["nextn_predict_layers"]
        self.num_main = keys["block_count"] - self.num_prediction

    def norm(self, x, weight):
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps) * weight

    def rotate(self, x):
        """x[T, heads, size], positions from 0."""
        pairs = len(self.frequencies)
        angle = np.arange(len(x))[:, None, None] * self.frequencies
        a, b, rest = x[..., :pairs], x[..., pairs:2 * pairs], x[..., 2 * pairs:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle), rest], -1)

    def attention(self, w, u):
        tokens = len(u)
        joint = (u @ w["attn_q"].T).reshape(tokens, self.heads, 2 * self.head_size)
        q, gate = np.split(joint, 2, axis=-1)
        k = (u @ w["attn_k"].T).reshape(tokens, self.kv_heads, self.head_size)
        v = (u @ w["attn_v"].T).reshape(tokens, self.kv_heads, self.head_size)
        q, k = self.rotate(self.norm(q, w["attn_q_norm"])), self.rotate(self.norm(k, w["attn_k_norm"]))
        repeat = self.heads // self.kv_heads
        k, v = np.repeat(k, repeat, axis=1), np.repeat(v, repeat, axis=1)
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(self.head_size)
        scores[:, np.triu(np.ones((tokens, tokens), bool), 1)] = -np.inf
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        answer = np.einsum("hij,jhd->ihd", p, v) * sigmoid(gate)
        return answer.reshape(tokens, -1) @ w["attn_output"].T

    def delta_net(self, w, u):
        tokens = len(u)
        kernel = w["ssm_conv1d"]
        width = kernel.shape[1]
        past = np.concatenate([np.zeros((width - 1, len(kernel))), u @ w["attn_qkv"].T])
        mixed = silu(sum(past[i:i + tokens] * kernel[:, i] for i in range(width)))
        size = self.key_heads * self.key_size
        q = mixed[:, :size].reshape(tokens, self.key_heads, self.key_size)
        k = mixed[:, size:2 * size].reshape(tokens, self.key_heads, self.key_size)
        v = mixed[:, 2 * size:].reshape(tokens, self.value_heads, self.value_size)
        q = q / np.sqrt((q * q).sum(-1, keepdims=True) + self.eps) / np.sqrt(self.key_size)
        k = k / np.sqrt((k * k).sum(-1, keepdims=True) + self.eps)
        of_head = np.arange(self.value_heads) % self.key_heads
        q, k = q[:, of_head], k[:, of_head]
        beta = sigmoid(u @ w["ssm_beta"].T)
        decay = np.exp(w["ssm_a"] * np.log1p(np.exp(u @ w["ssm_alpha"].T + w["ssm_dt.bias"])))
        memory = np.zeros((self.value_heads, self.value_size, self.key_size))  # a row for each value column
        answers = []
        for t in range(tokens):
            memory = memory * decay[t][:, None, None]
            missing = beta[t][:, None] * (v[t] - np.einsum("hvk,hk->hv", memory, k[t]))
            memory = memory + np.einsum("hv,hk->hvk", missing, k[t])
            answers.append(np.einsum("hvk,hk->hv", memory, q[t]))
        z = (u @ w["attn_gate"].T).reshape(tokens, self.value_heads, self.value_size)
        gated = self.norm(np.array(answers), w["ssm_norm"]) * silu(z)
        return gated.reshape(tokens, -1) @ w["ssm_out"].T

    def layer(self, w, x):
        u = self.norm(x, w["attn_norm"])
        x = x + (self.delta_net(w, u) if "ssm_out" in w else self.attention(w, u))
        u = self.norm(x, w["post_attention_norm"])
        return x + (silu(u @ w["ffn_gate"].T) * (u @ w["ffn_up"].T)) @ w["ffn_down"].T

    def main(self, ids):
        """Normed hidden states [T, D] of the main layers."""
        x = self.model.tensors["token_embd.weight"][ids]
        for index in range(self.num_main):
            x = self.layer(self.model.layer(index), x)
        return self.norm(x, self.model.tensors["output_norm.weight"])

    def predict(self, next_ids, hidden):
        """The same of the prediction layer."""
        w = self.model.layer(self.num_main)
        embedded = self.norm(self.model.tensors["token_embd.weight"][next_ids], w["nextn.enorm"])
        x = np.concatenate([embedded, self.norm(hidden, w["nextn.hnorm"])], axis=1) @ w["nextn.eh_proj"].T
        return self.norm(self.layer(w, x), w["nextn.shared_head_norm"])

    def logits(self, hidden):
        return hidden @ self.model.tensors["output.weight"].T


def nmse(found, reference):
    return float(((found - reference) ** 2).sum() / (reference ** 2).sum())


def check_main(description, run, stored, logits):
    rows = range(*run["rows"])
    worst = max(nmse(logits[position], stored[row]) for position, row in zip(run["positions"], rows))
    print(f"main layers: worst NMSE {worst:.3g} of {len(run['positions'])} rows of {description}")
    if worst > 1e-5:
        sys.exit("mtp_reference: the main layers are not those of the other engine")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("prompts", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    network = Network(Model(arguments.model))
    description = json.loads(arguments.prompts.read_text())
    run = max(description["runs"], key=lambda r: len(r["prompt"]))
    prompt = run["prompt"]
    hidden = network.main(prompt)
    main_logits = network.logits(hidden)
    stored = np.fromfile(arguments.prompts.parent / description["logits"]["file"], "<f4")
    check_main(arguments.prompts.name, run, stored.reshape(description["logits"]["shape"]), main_logits)

    ids = prompt[1:] + [int(main_logits[-1].argmax())]
    positions = [p for p in (0, 1, 63, 64, 65, 128) if p < len(ids)]
    rows, drafts = [], []
    for _ in range(NUM_ROUNDS):
        predicted = network.predict(ids, hidden)
        logits = network.logits(predicted)
        if not rows:
            rows += [logits[p] for p in positions]
        rows.append(logits[-1])
        drafts.append(int(logits[-1].argmax()))
        ids = ids + drafts[-1:]
        hidden = np.concatenate([hidden, predicted[-1:]])
    table = np.array(rows, "<f4")
    table.tofile(arguments.out.with_name(arguments.out.name + ".logits.f32"))
    arguments.out.with_name(arguments.out.name + ".json").write_text(json.dumps({
        "model": arguments.model.name, "prompt": prompt, "next": ids[len(prompt) - 1], "positions": positions,
        "drafts": drafts, "shape": list(table.shape)}) + "\n")
    print(f"prediction layer: {len(rows)} rows, drafts {drafts}")


if __name__ == "__main__":
    main()
