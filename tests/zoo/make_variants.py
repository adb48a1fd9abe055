#!/usr/bin/env python3
"""make_variants.py BASE LIST FOLDER STAMP: copies of one plugin that differ in the name of their fault.

BASE is a linked plugin of the zoo whose fault is "none". LIST has one line for each copy, fields separated by tabs:
name of the plugin, name of the fault, and then, for a wrong manifest only, the owner of the note and a text of the
manifest with what it becomes ("-": as it is). A copy takes milliseconds where a link takes seconds. FOLDER/NAME.so is
written for each line, and STAMP when all are.
"""
import pathlib
import sys

FAULT = b"zoo-fault:none\0"  # in variant.cpp, followed by room for a longer name
FAULT_ROOM = 64
OWNER = b"vernal\0\0"  # of the manifest's note, just before its text


def only_place(data, wanted):
    if data.count(wanted) != 1:
        sys.exit(f"expected {wanted} once in the plugin, found it {data.count(wanted)} times")
    return data.index(wanted)


def manifest_with(text, name, fault, change):
    """The manifest's lines for another plugin. The vendor only kept room for longer names."""
    lines = []
    for line in text.split("\n"):
        key = line.split("=")[0]
        lines.append({"name": f"name={name}", "id": f"id=org.vernal.zoo.{fault}", "vendor": "vendor="}.get(key, line))
    found = "\n".join(lines)
    if change is None:
        return found
    if change[0] not in found:
        sys.exit(f"{name}: the manifest has no \"{change[0]}\"")
    return found.replace(*change)


def variant(base, name, fault, owner, change):
    data = bytearray(base)
    at = only_place(base, FAULT)
    written = f"zoo-fault:{fault}".encode()
    if len(written) >= FAULT_ROOM:
        sys.exit(f"{fault}: expected at most {FAULT_ROOM - 11} characters")
    data[at:at + FAULT_ROOM] = written.ljust(FAULT_ROOM, b"\0")
    begin = only_place(base, OWNER + b"manifest=1\n") + len(OWNER)
    end = base.index(b"\0", begin)
    text = manifest_with(base[begin:end].decode(), name, fault, change).encode()
    if len(text) > end - begin:
        sys.exit(f"{name}: its manifest has {len(text)} bytes, the room is {end - begin}")
    data[begin:end] = text.ljust(end - begin, b"\0")
    if owner is not None:
        data[begin - len(OWNER):begin] = owner.encode().ljust(len(OWNER), b"\0")
    return data


def main():
    base_file, list_file, folder, stamp = map(pathlib.Path, sys.argv[1:])
    base = base_file.read_bytes()
    for line in list_file.read_text().splitlines():
        name, fault, owner, old, new = line.split("\t")
        change = None if old == "-" else (old, new)
        target = folder / f"{name}.so"
        target.unlink(missing_ok=True)  # it may be mapped by a check that still runs
        target.write_bytes(variant(base, name, fault, None if owner == "-" else owner, change))
        target.chmod(0o755)
    stamp.touch()


if __name__ == "__main__":
    main()
