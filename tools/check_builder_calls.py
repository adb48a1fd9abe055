#!/usr/bin/env python3
"""check_builder_calls.py [FILE...]: no argument list makes two calls of the module builder.

C++ leaves open which argument of a call is evaluated first. Where two arguments add nodes (or two declare weights, or two
states), their order in the module is the compiler's choice. Looks at C++ sources and at the C++ blocks of documents. A
builder call is `b.NAME(...)` or `b_.NAME(...)` with a method of vernal/builder.hpp, `blk.NAME(...)` of a layer's scope, or a
call of a lambda of the same file that makes one. It is a search by pattern: it knows no types. Without FILE: the files of
the tree that build modules.
"""
import pathlib
import re
import subprocess
import sys

CALL = re.compile(r"\b(?:(b_?|blk)\s*\.\s*)?(\w+)\s*\(")
LAMBDA = re.compile(r"\bauto\s+(\w+)\s*=\s*\[[^\]]*\]")
TREE = ["plugins/architectures", "sdk/examples/architecture", "runtime/plugin_check", "docs/*.md"]
# What must be found, or this check has stopped working.
WRONG = """
const auto linear = [&](const char* name, Tensor u) { return b.linear(name, u, b.weight(name, {D, D})); };
x = b.glu(linear("gate", u), linear("up", u));
x = b.attention(b.rope(q, positions, rope), b.rope(k, positions, rope), v, kv);
"""
PLAIN = {"shape", "hint", "scope", "name", "begin_function", "end_function", "output"}


def without_text(source):
    """The source with comments and string literals blanked, at equal length."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', lambda m: re.sub(r"[^\n]", " ", m[0]), source, flags=re.S)


def end_of(source, begin, pair):
    """Place of the bracket that closes the one at `begin`."""
    depth = 0
    for at in range(begin, len(source)):
        depth += {pair[0]: 1, pair[1]: -1}.get(source[at], 0)
        if depth == 0:
            return at
    return len(source)


def arguments(text):
    """The parts of an argument list between commas of its own level."""
    parts, depth, begin = [], 0, 0
    for at, c in enumerate(text):
        depth += 1 if c in "([{" else -1 if c in ")]}" else 0
        if c == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return parts + [text[begin:]]


def kinds_in(text, lambdas):
    """What calls in a text add: any of "node", "weight", "state"."""
    kinds = set()
    for owner, name in CALL.findall(text):
        if owner and name not in PLAIN:
            kinds |= {"weight"} if name == "weight" else {"state"} if name in ("state", "kv_state") else {"node"}
            if owner == "blk" and name not in ("weight", "kv_state"):
                kinds.add("weight")
        elif not owner:
            kinds |= lambdas.get(name, set())
    return kinds


def lambdas_of(source):
    lambdas = {}
    for match in LAMBDA.finditer(source):
        begin = source.find("{", match.end())
        body = source[begin:end_of(source, begin, "{}")]
        lambdas[match[1]] = kinds_in(body, lambdas)
    return lambdas


def problems_in(path, source, first_line):
    source = without_text(source)
    lambdas = lambdas_of(source)
    for match in CALL.finditer(source):
        begin = match.end() - 1
        if not (match[1] or match[2] in lambdas):
            continue
        parts = [kinds_in(part, lambdas) for part in arguments(source[begin + 1:end_of(source, begin, "()")])]
        for kind in ("node", "weight", "state"):
            if sum(kind in part for part in parts) > 1:
                line = first_line + source[:match.start()].count("\n")
                yield f"{path}:{line}: two arguments of {match[2]} add a {kind}; their order is open: name one before"


def check(path):
    text = path.read_text()
    if path.suffix != ".md":
        return list(problems_in(path, text, 1))
    found = []
    for block in re.finditer(r"^```cpp[^\n]*\n(.*?)^```", text, flags=re.S | re.M):
        found += problems_in(path, block[1], 1 + text[:block.start(1)].count("\n"))
    return found


def files_of_tree():
    root = pathlib.Path(__file__).resolve().parent.parent
    listed = subprocess.run(["git", "-C", root, "ls-files", *TREE], capture_output=True, text=True, check=True).stdout
    return [root / name for name in listed.splitlines() if name.endswith((".cpp", ".hpp", ".md"))]


def main():
    if len(list(problems_in("example", WRONG, 1))) != 3:
        sys.exit("check_builder_calls.py: its own example is not found")
    files = [pathlib.Path(name) for name in sys.argv[1:]] or files_of_tree()
    found = [problem for path in files for problem in check(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
