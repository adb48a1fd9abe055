#!/usr/bin/env python3
"""Makes tests/golden from a folder of reference data, or checks it against its manifest.

    tools/make_golden.py --reference DIR    copy what the tests need, write MANIFEST.toml
    tools/make_golden.py --check            checks that there are exactly the files of the manifest, unchanged

The reference data is what other engines compute (MANIFEST.toml says which and how); tests never change it. The
vocabularies are packed, because they shrink to a fifth; the build unpacks them (cmake/VernalGoldenData.cmake).
"""
import argparse
import dataclasses
import hashlib
import io
import lzma
import pathlib
import shutil
import sys
import tarfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
MOST_BYTES = 32 * 1024 * 1024
VOCABULARIES = "tokenizers/vocabularies.tar.xz"


@dataclasses.dataclass(frozen=True)
class Group:
    """Files of one origin, as patterns below the reference folder."""
    patterns: tuple
    about: str
    made_with: str
    licence: str
    kept: tuple = ()  # files of this project's own, which no reference folder has


ENGINES = "llama.cpp b11434 and ik_llama.cpp of August 2026"
TYPES = ("f16 bf16 q4_0 q4_1 q5_0 q5_1 q6_0 q8_0 q2_K q3_K q4_K q5_K q6_K iq1_s iq1_m iq2_xxs iq2_xs iq2_s iq3_xxs iq3_s "
         "iq4_nl iq4_xs mxfp4 iq2_k iq3_k iq4_k iq5_k iq6_k iq2_ks iq3_ks iq4_ks iq5_ks iq4_kss iq2_kl iq2_kt iq3_kt "
         "iq4_kt").split()
GROUPS = {
    "quants": Group(
        tuple(f"quants/{name}.gguf" for name in TYPES),
        "8 rows of 1024 values in one block type (tensor x) and the floats they stand for (tensor x.f32)",
        f"quantised and read back by {ENGINES}",
        "Apache-2.0; the values are synthetic"),
    "tokenizers": Group(
        tuple(f"tokenizers/{name}.json" for name in "qwen35 qwen2 llama-bpe llama-spm gemma3".split()),
        "400 texts with the token ids, special tokens taken as text and parsed",
        f"ids on which {ENGINES} agree",
        "Apache-2.0 for the texts; the ids follow the vocabularies of Qwen (Apache-2.0), Llama 2 and 3 (Llama Community "
        "License) and Gemma 3 (Gemma Terms of Use)"),
    "vocabularies": Group(
        tuple(f"tokenizers/ggml-vocab-{name}.gguf" for name in "qwen35 llama-bpe llama-spm".split()),
        "model files with a vocabulary and no weights",
        "published with llama.cpp b11434 for testing tokenizers; packed by this script",
        "MIT (llama.cpp); the vocabularies are those of Qwen3.5 (Apache-2.0), Llama 3 and Llama 2 (Llama Community "
        "License)"),
    "chat": Group(
        ("chat/cases.json", "chat/templates/*.jinja"),
        "chat templates as published with their models, and what they make of conversations",
        "rendered by Jinja2 3.1 as the transformers library does (trim_blocks, lstrip_blocks)",
        "each template has the licence of the model it is named for; the conversations are Apache-2.0"),
    "answers": Group(
        ("answers/cases.jsonl", "answers/tools.json"),
        "answers as models of 36 families write them, and the thinking, content and calls that are in them",
        "written for this project after the published templates",
        "Apache-2.0"),
    "language": Group(
        (),
        "small templates, one for each part of the language, with their inputs and what they render to",
        "written for this project; rendered by Jinja2 3.1",
        "Apache-2.0",
        kept=("chat/language.json",)),
    "models": Group(
        tuple(f"models/{name}{suffix}" for name in
              "tiny-llama tiny-qwen2 tiny-gemma3 tiny-llama-q4_k_m tiny-qwen35-iq4_ks".split()
              for suffix in (".gguf", ".json", ".logits.f32")),
        "models with random weights and a cut vocabulary, prompts, greedy tokens and logits",
        f"computed by llama.cpp b11434 with a 32-bit KV cache; {ENGINES} agree to an NMSE of 1e-6",
        "Apache-2.0 for the weights and prompts, which are synthetic; the vocabularies are cut from those of the models "
        "they are named for"),
    "prediction": Group(
        (),
        "what the prediction layer of the small model tiny-qwen35-mtp answers along a prompt and by itself",
        "computed in float64 by tools/mtp_reference.py from the model's weights",
        "Apache-2.0",
        kept=("models/tiny-qwen35-mtp.prediction.json", "models/tiny-qwen35-mtp.prediction.logits.f32")),
    "greedy": Group(
        ("models/qwen2.5-coder-1.5b-instruct-q4_k_m.json", "models/gemma-3-270m-q4_k_m.json"),
        "greedy tokens of two published models, with the gap between the best and the second logit",
        "computed by llama.cpp b11434 (16-bit KV cache, flash attention)",
        "Apache-2.0"),
}


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pack(files):
    """A tar.xz whose bytes depend on the names and contents of the files alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in files:
            entry = tarfile.TarInfo(path.name)
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with open(path, "rb") as file:
                archive.addfile(entry, file)
    return lzma.compress(buffer.getvalue(), preset=9)


def collect(reference):
    """Fills tests/golden; returns {file: group}."""
    kept = {file: ((GOLDEN / file).read_bytes(), name) for name, group in GROUPS.items() for file in group.kept}
    if GOLDEN.exists():
        shutil.rmtree(GOLDEN)
    made = {}
    for file, (content, name) in kept.items():
        (GOLDEN / file).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / file).write_bytes(content)
        made[file] = name
    for name, group in GROUPS.items():
        files = []
        for pattern in group.patterns:
            found = sorted(reference.glob(pattern))
            if not found:
                sys.exit(f"make_golden: {reference} has no {pattern}")
            files += found
        if name == "vocabularies":
            target = GOLDEN / VOCABULARIES
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(pack(files))
            made[VOCABULARIES] = name
            continue
        for path in files:
            relative = path.relative_to(reference)
            target = GOLDEN / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            made[relative.as_posix()] = name
    return made


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_manifest(made):
    lines = ["# Origin and content of every file of this folder; written by tools/make_golden.py and checked by a test.",
             "# VERNAL_GOLDEN_DIR, where tests find them, also has the vocabularies unpacked.", ""]
    for name, group in GROUPS.items():
        lines += [f"[groups.{name}]", f"about = {quoted(group.about)}", f"made_with = {quoted(group.made_with)}",
                  f"licence = {quoted(group.licence)}", ""]
    for file, group in sorted(made.items()):
        path = GOLDEN / file
        lines += ["[[files]]", f"path = {quoted(file)}", f"group = {quoted(group)}", f"bytes = {path.stat().st_size}",
                  f"sha256 = {quoted(sha256_of(path))}", ""]
    (GOLDEN / "MANIFEST.toml").write_text("\n".join(lines))


def problems():
    """Whatever differs between the folder and its manifest, a line each."""
    manifest = tomllib.loads((GOLDEN / "MANIFEST.toml").read_text())
    listed = {entry["path"]: entry for entry in manifest["files"]}
    present = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*") if not path.is_dir()}
    present.discard("MANIFEST.toml")
    for file in sorted(present - listed.keys()):
        yield f"{file}: not in MANIFEST.toml; run tools/make_golden.py if it belongs there"
    for file in sorted(listed.keys() - present):
        yield f"{file}: in MANIFEST.toml, but there is no such file"
    for file in sorted(present & listed.keys()):
        entry, path = listed[file], GOLDEN / file
        if entry["group"] not in manifest["groups"]:
            yield f"{file}: group \"{entry['group']}\" is not described"
        if path.is_symlink():
            yield f"{file}: expected a file, found a link"
        elif path.stat().st_size != entry["bytes"]:
            yield f"{file}: expected {entry['bytes']} bytes, found {path.stat().st_size}"
        elif sha256_of(path) != entry["sha256"]:
            yield f"{file}: expected sha256 {entry['sha256']}, found {sha256_of(path)}"
    total = sum((GOLDEN / file).stat().st_size for file in present)
    if total > MOST_BYTES:
        yield f"expected at most {MOST_BYTES} bytes in all, found {total}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--reference", type=pathlib.Path, help="folder of reference data")
    action.add_argument("--check", action="store_true", help="compare tests/golden with its manifest")
    arguments = parser.parse_args()
    if arguments.reference:
        write_manifest(collect(arguments.reference))
    found = list(problems())
    for problem in found:
        print(f"tests/golden: {problem}", file=sys.stderr)
    if not found:
        print("tests/golden: as its manifest says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
