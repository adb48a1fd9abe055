#!/usr/bin/env python3
"""What `vernal check` calls sound, `vernal serve` starts; what one refuses, the other refuses with the same words.

  check_and_serve_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR

Each case breaks one thing of a sound deployment: a value, a text file, or the model file. Both commands run on it. A
server that starts is ended by SIGTERM. Servers listen on a free port of the loopback interface.
"""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

from gguf_edit import Gguf

VERNAL, MODEL, BACKEND, PLUGINS = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4]
TIMEOUT = 120  # for a start on a busy machine
SOUND, WARNED, REFUSED = "sound", "sound with a warning", "refused"
EMBEDDING = "token_embd.weight"
CASES = []


def case(name, expected, text="", **changes):
    """One deployment: `expected` verdict, `text` that both commands say; changes as in Deployment.__init__."""
    CASES.append((name, expected, text, changes))


class Deployment:
    """A sound deployment in a folder of its own, with changes.

    head, backend, model, http: text instead of the lines there; more: text after all; files: name -> bytes;
    gguf: function that changes the model file; raw: function from its bytes to other bytes.
    """

    def __init__(self, folder, **changes):
        self.folder = folder
        for name, content in changes.get("files", {}).items():
            if content is None:
                (folder / name).mkdir()
            else:
                (folder / name).write_bytes(content)
        self.write_model(changes)
        http = 'listen = "127.0.0.1:0"'
        lines = [
            changes.get("head", "schema = 1"), "[runtime]", f'plugin_paths = ["{PLUGINS}"]', changes.get("runtime", ""),
            "[backends.b]", changes.get("backend", f'plugin = "{BACKEND}"'),
            "[models.tiny]", changes.get("path", 'path = "model.gguf"'), 'backend = "b"',
            changes.get("length", "context_length = 256"), changes.get("model", ""),
            changes.get("frontend", f'[frontends.http]\nplugin = "openai_http"\n{changes.get("http", http)}'),
            changes.get("more", "")]
        self.file = folder / "a.toml"
        self.file.write_bytes(changes.get("mark", b"") + "\n".join(lines).encode())

    def write_model(self, changes):
        path = self.folder / "model.gguf"
        if "gguf" in changes:
            model = Gguf(MODEL)
            alignment = changes["gguf"](model) or 32
            model.write(path, alignment)
        elif "raw" in changes:
            path.write_bytes(changes["raw"](pathlib.Path(MODEL).read_bytes()))
        else:
            path.symlink_to(MODEL)


# ---- frontends: address, keys, origins --------------------------------------------------------------------------------

case("nothing broken", SOUND)
for address in ("127.0.0.1", "8463", ":8463", ":99999", "127.0.0.1:99999", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:http",
                "127.0.0.1:80 ", "http://127.0.0.1:8080", "http://localhost", "::1:8080", "[::1", "[]:80", "", "[::1]"):
    case(f"listen {address!r}", REFUSED, 'expected "host:port" or "[address]:port"', http=f'listen = "{address}"')
for address in ("203.0.113.7", "no-such-host.invalid", "999.1.1.1"):
    case(f"listen on {address}", REFUSED, f'expected an address of this machine, found "{address}"',
         http=f'listen = "{address}:0"')
case("listen on a name", SOUND, http='listen = "localhost:0"')
case("listen on all", SOUND, http='listen = "0.0.0.0:0"')
case("listen as a number", REFUSED, "listen", http="listen = 8463")

KEYS = 'listen = "127.0.0.1:0"\napi_keys_file = "keys.txt"'
case("no file of keys", REFUSED, "keys.txt", http=KEYS)
for content in (b"", b"\n \n", b"# none yet\n", b"\xef\xbb\xbf# none yet\r\n"):
    case(f"keys {content!r}", REFUSED, "holds no key", http=KEYS, files={"keys.txt": content})
case("keys in UTF-16", REFUSED, "found UTF-16", http=KEYS, files={"keys.txt": "secret\n".encode("utf-16")})
case("keys in a folder", REFUSED, "expected a regular file", http=KEYS, files={"keys.txt": None})
case("too many keys", REFUSED, "at most 1 MiB", http=KEYS, files={"keys.txt": b"k" * ((1 << 20) + 1)})
case("file of keys without a name", REFUSED, "api_keys_file", http='listen = "127.0.0.1:0"\napi_keys_file = ""')
case("keys behind a byte order mark", SOUND, http=KEYS, files={"keys.txt": b"\xef\xbb\xbfsecret\n"})

for origin in ("localhost:3000", "http://localhost:3000/", "http://Localhost:3000", "HTTP://localhost", "http://a.example:80",
               "https://a.example:443", "https://*.example.com", "http://", "", "http://a b", "http://a:0", "http://a:99999",
               "http://user@a", "a.example", "http://a/path"):
    case(f"origin {origin!r}", REFUSED, "never matches", http=f'listen = "127.0.0.1:0"\ncors_origins = ["{origin}"]')
case("origins that match", SOUND, http='listen = "127.0.0.1:0"\ncors_origins = ["http://localhost:3000", "null", '
     '"https://a-b.example", "http://[::1]:5173", "chrome-extension://abcdef", "tauri://localhost"]')
case("an origin that never matches beside all", REFUSED, "never matches",
     http='listen = "127.0.0.1:0"\ncors_origins = ["*", "http://x/"]')

case("a name that is an address of a page", REFUSED, "expected names or addresses",
     http='listen = "127.0.0.1:0"\nhosts = ["http://vernal.lan/"]')
case("frontend of an unknown model", REFUSED, "nobody", http='listen = "127.0.0.1:0"\nmodels = ["nobody"]')
case("unknown key of a frontend", REFUSED, "listn", http='listn = "127.0.0.1:0"')
case("no connections", REFUSED, "max_connections", http='listen = "127.0.0.1:0"\nmax_connections = 0')
case("no such frontend plugin", REFUSED, "openai_htp", frontend='[frontends.http]\nplugin = "openai_htp"')
case("no frontend", REFUSED, "there is no [frontends.NAME]", frontend="")
case("two mistakes in two frontends", REFUSED, "frontends.second", http='listen = "8463"',
     more='[frontends.second]\nplugin = "openai_http"\nlisten = "8464"')
case("history in no folder", WARNED, "the lines typed will be forgotten",
     more='[frontends.console]\nplugin = "stdin_repl"\nhistory_file = "nowhere/history"')

# ---- the deployment itself --------------------------------------------------------------------------------------------

case("byte order mark", SOUND, mark=b"\xef\xbb\xbf")
case("UTF-16", REFUSED, "found UTF-16", mark=b"\xff\xfe")
case("broken TOML", REFUSED, "a.toml:1:", head="schema = ")
case("later schema", REFUSED, "schema", head="schema = 99")
case("unknown level of the log", REFUSED, "log_level", runtime='log_level = "loud"')
case("no such backend plugin", REFUSED, "gpu", backend='plugin = "gpu"')
case("unknown key of a backend", REFUSED, "thread_count", backend=f'plugin = "{BACKEND}"\nthread_count = 4')
case("no model file", REFUSED, "nothing.gguf", path='path = "nothing.gguf"')
case("a folder as model", REFUSED, "folder", path='path = "folder"', files={"folder": None})
case("a text as model", REFUSED, "not a GGUF file", path='path = "text.gguf"', files={"text.gguf": b"Once upon a time"})
case("an empty model", REFUSED, "empty.gguf", path='path = "empty.gguf"', files={"empty.gguf": b""})
case("unknown format of the cache", REFUSED, "q3_9", model='kv_cache = { keys = "q3_9", values = "f16" }')
case("no slots", REFUSED, "slots", model="slots = 0")
case("an architecture nobody builds", REFUSED, "mamba9", model='architecture = "mamba9"')
case("layers that end early", REFUSED, "layers", model='layers = [{ backend = "b", first = 0, last = 1 }]')
case("profile of no model", REFUSED, "nobody", more='[profiles.fast]\nmodel = "nobody"')
case("a profile with a pattern for a name", SOUND, more='[profiles."claude-*"]\nmodel = "tiny"')
case("a profile with two stars in a row", REFUSED, "two '*' in a row", more='[profiles."claude-**"]\nmodel = "tiny"')
case("temperature below zero", REFUSED, "temperature", model="sampling = { temperature = -1.0 }")

# ---- templates --------------------------------------------------------------------------------------------------------

OWN = 'chat_template = "own.jinja"'
case("no template file", REFUSED, "own.jinja", model=OWN)
case("template that does not parse", WARNED, "chat is refused, completions work", model=OWN,
     files={"own.jinja": b"{% for m in messages %}{{ m.content "})
case("template in UTF-16", WARNED, "found UTF-16", model=OWN, files={"own.jinja": "{{ messages }}".encode("utf-16")})
case("template behind a byte order mark", SOUND, model=OWN, files={"own.jinja": b"\xef\xbb\xbf{{ messages[0].content }}"})
case("no template wanted", WARNED, 'the deployment says chat_template = "none"', model='chat_template = "none"')


# ---- model files ------------------------------------------------------------------------------------------------------

def sets(key, *value):
    """A change of metadata: the key gets that kind and value."""
    return lambda model: model.metadata.__setitem__(key, value)


def drops(*keys):
    return lambda model: [model.metadata.pop(key) for key in keys] and None


def sentence_piece(kind="f32", drop=0):
    def change(model):
        tokens = len(model.metadata["tokenizer.ggml.tokens"][1])
        model.metadata["tokenizer.ggml.model"] = ("string", "llama")
        model.metadata["tokenizer.ggml.scores"] = (kind, [-i for i in range(tokens - drop)], True)
    return change


def tensor(name, **changes):
    """A change of a tensor: dims, kind, data."""
    def change(model):
        entry = model.tensor(name)
        for place, what in ((1, "dims"), (2, "kind"), (3, "data")):
            if what in changes:
                entry[place] = changes[what](entry[place]) if callable(changes[what]) else changes[what]
    return change


def fewer_embedding_rows(model):
    entry = model.tensor(EMBEDDING)
    columns, rows = entry[1]
    entry[1], entry[3] = [columns, rows - 32], entry[3][:(rows - 32) * columns * 2]


def both_shorter(model):
    for name in (EMBEDDING, "output.weight"):
        entry = model.tensor(name)
        columns, rows = entry[1]
        entry[1], entry[3] = [columns, rows - 32], entry[3][:(rows - 32) * columns * 2]


def with_empty_tensor(model):
    model.tensors.insert(1, ["blk.0.unused", [0, 7], 8, b""])


TOKENIZER = "tokenizer.ggml."
case("rewritten model", SOUND, gguf=lambda model: None)
case("no merges", REFUSED, "tokenizer.ggml.merges", gguf=drops(TOKENIZER + "merges"))
case("merges that are no pairs", REFUSED, "merge 0", gguf=sets(TOKENIZER + "merges", "string", ["ab"], True))
case("no scores", REFUSED, "tokenizer.ggml.scores is missing", gguf=sets(TOKENIZER + "model", "string", "llama"))
case("scores", SOUND, gguf=sentence_piece())
case("scores of integers", REFUSED, "expected an array of 832 f32", gguf=sentence_piece("i32"))
case("scores of f64", REFUSED, "expected an array of 832 f32", gguf=sentence_piece("f64"))
case("too few scores", REFUSED, "tokenizer.ggml.scores", gguf=sentence_piece(drop=1))
case("types of i64", REFUSED, "expected an array of 832 i32", gguf=sets(TOKENIZER + "token_type", "i64", [1] * 832, True))
case("end token beyond the vocabulary", REFUSED, "eos_token_id is 832, but the vocabulary has 832 tokens",
     gguf=sets(TOKENIZER + "eos_token_id", "u32", 832))
case("first token as text", REFUSED, "tokenizer.ggml.bos_token_id", gguf=sets(TOKENIZER + "bos_token_id", "string", "<s>"))
case("flag as number", REFUSED, "tokenizer.ggml.add_bos_token", gguf=sets(TOKENIZER + "add_bos_token", "u32", 1))
case("pre-tokenizer as number", REFUSED, "tokenizer.ggml.pre", gguf=sets(TOKENIZER + "pre", "u32", 1))
case("unknown pre-tokenizer", WARNED, "tokenizer.ggml.pre is missing or unknown", gguf=sets(TOKENIZER + "pre", "string", "unheard-of"))
case("no tokens", REFUSED, "tokenizer.ggml.tokens", gguf=drops(TOKENIZER + "tokens"))
case("no tokenizer", REFUSED, "tokenizer.ggml.model", gguf=drops(TOKENIZER + "model"))
case("unknown tokenizer", REFUSED, "wordpiece", gguf=sets(TOKENIZER + "model", "string", "wordpiece"))
case("template as number", REFUSED, "tokenizer.chat_template", gguf=sets("tokenizer.chat_template", "u32", 7))
case("broken template", WARNED, "chat is refused, completions work",
     gguf=sets("tokenizer.chat_template", "string", "{% if %}"))
case("no template", WARNED, "the model file has no chat template", gguf=drops("tokenizer.chat_template"))
case("name as number", REFUSED, "general.name", gguf=sets("general.name", "u32", 7))
case("no architecture", REFUSED, "general.architecture", gguf=drops("general.architecture"))
case("architecture as number", REFUSED, "general.architecture", gguf=sets("general.architecture", "u32", 7))
case("alignment of another type", REFUSED, "expected a u32, found u64 32", gguf=sets("general.alignment", "u64", 32))
case("alignment that is none", REFUSED, "expected a power of two", gguf=sets("general.alignment", "u32", 33))
case("layers as text", REFUSED, "llama.block_count", gguf=sets("llama.block_count", "string", "3"))
case("no number of layers", REFUSED, "llama.block_count", gguf=drops("llama.block_count"))
case("more layers than tensors", REFUSED, "blk.3", gguf=sets("llama.block_count", "u32", 4))
case("no context length", REFUSED, "context length", gguf=drops("llama.context_length"), length="")
case("fewer embedding rows than tokens", REFUSED, "832 tokens of the vocabulary, found 800 rows", gguf=both_shorter)
case("embedding and output disagree", REFUSED, "800", gguf=fewer_embedding_rows)
case("a tensor without elements", SOUND, gguf=with_empty_tensor)
case("a tensor that is missing", REFUSED, "output_norm.weight",
     gguf=lambda model: model.tensors.remove(model.tensor("output_norm.weight")))
case("a tensor of another shape", REFUSED, "output_norm.weight",
     gguf=tensor("output_norm.weight", dims=[128], data=lambda data: data[:512]))
case("a tensor of an unknown type", REFUSED, "99", gguf=tensor("output_norm.weight", kind=99))
case("half a model", REFUSED, "truncated", raw=lambda data: data[:len(data) // 2])
case("half a header", REFUSED, "model.gguf", raw=lambda data: data[:1000])
case("version 9", REFUSED, "version", raw=lambda data: data[:4] + b"\x09\0\0\0" + data[8:])


# ---- the two commands -------------------------------------------------------------------------------------------------

def words(text):
    """Lines without what differs from run to run: the time before a line of the log."""
    return [re.sub(r"^\d{4}-\d\d-\d\d[ T]\S+ ", "", line) for line in text.splitlines()]


def check(file):
    done = subprocess.run([VERNAL, "check", file], capture_output=True, text=True, timeout=TIMEOUT, errors="replace")
    lines = words(done.stderr)
    if done.returncode != 0:
        return REFUSED, lines, done.stdout
    return (WARNED if any(" warning " in f" {line}" for line in lines) else SOUND), lines, done.stdout


def serve(file):
    process = subprocess.Popen([VERNAL, "serve", file], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               errors="replace")
    timer = threading.Timer(TIMEOUT, process.kill)
    timer.start()
    lines, has_started = [], False
    for line in process.stderr:
        lines += words(line)
        if "ready after" in line:
            has_started = True
            process.send_signal(signal.SIGTERM)
    status = process.wait()
    timer.cancel()
    if has_started and status != 0:
        return f"started, then ended with {status}", lines
    if not has_started and status == 0:
        return "ended before it started", lines
    warned = any(" warning " in f" {line}" for line in lines)
    return (WARNED if warned else SOUND) if has_started else REFUSED, lines


def problem_of(root, number, name, expected, text, changes):
    folder = root / str(number)
    folder.mkdir()
    file = str(Deployment(folder, **changes).file)
    (checked, check_lines, output), (served, serve_lines) = check(file), serve(file)
    report = "\n".join([f"  check: {checked}", *(f"    {line}" for line in check_lines), f"  serve: {served}",
                        *(f"    {line}" for line in serve_lines)])
    if checked != expected or served != expected:
        return f"{name}: expected {expected}\n{report}"
    if text and not (any(text in line for line in check_lines) and any(text in line for line in serve_lines)):
        return f"{name}: expected that both say: {text}\n{report}"
    if missing := [line for line in check_lines if line not in serve_lines]:
        return f"{name}: serve does not say what check says: {missing}\n{report}"
    if expected != REFUSED and ("sound" not in output or "left for the start" not in output):
        return f"{name}: expected that check tells what it leaves for the start, found\n{output}"
    if expected == REFUSED and any(line.count(": ") < 1 for line in check_lines[:1]):
        return f"{name}: expected a place and a finding\n{report}"
    return None


def main():
    assert len({name for name, *_ in CASES}) == len(CASES), "two cases have one name"
    with tempfile.TemporaryDirectory() as root, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(pool.map(lambda entry: problem_of(pathlib.Path(root), entry[0], *entry[1]), enumerate(CASES)))
    problems = [problem for problem in problems if problem]
    print("\n\n".join(problems))
    refused = sum(expected == REFUSED for _, expected, *_ in CASES)
    print(f"{len(CASES)} deployments, {refused} of them broken: {len(problems)} problems")
    return 1 if problems or refused < 60 else 0


if __name__ == "__main__":
    sys.exit(main())
