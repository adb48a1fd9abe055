"""Model files to change: reads a GGUF file whole, and writes it again with other metadata or tensors.

Nothing is checked when it is written, so that wrong files can be made too.
"""

import struct

KINDS = {"u8": (0, "<B"), "i8": (1, "<b"), "u16": (2, "<H"), "i16": (3, "<h"), "u32": (4, "<I"), "i32": (5, "<i"),
         "f32": (6, "<f"), "bool": (7, "<?"), "string": (8, ""), "array": (9, ""), "u64": (10, "<Q"), "i64": (11, "<q"),
         "f64": (12, "<d")}
NAMES = {number: name for name, (number, _) in KINDS.items()}


class Gguf:
    """metadata: key -> (kind, value), or (kind, [values], True) for arrays; tensors: lists [name, dims, type, data]."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.at = 8
        num_tensors, num_entries = self.number("u64"), self.number("u64")
        self.metadata = {}
        for _ in range(num_entries):
            key = self.text()
            self.metadata[key] = self.value()
        tensors = []
        for _ in range(num_tensors):
            name = self.text()
            dims = [self.number("u64") for _ in range(self.number("u32"))]
            tensors.append([name, dims, self.number("u32"), self.number("u64")])
        start = (self.at + 31) // 32 * 32
        ends = sorted([offset for *_, offset in tensors] + [len(self.bytes) - start])
        self.tensors = [[name, dims, kind, self.bytes[start + offset:start + ends[ends.index(offset) + 1]]]
                        for name, dims, kind, offset in tensors]

    def number(self, kind):
        form = KINDS[kind][1]
        self.at += struct.calcsize(form)
        return struct.unpack_from(form, self.bytes, self.at - struct.calcsize(form))[0]

    def text(self):
        size = self.number("u64")
        self.at += size
        return self.bytes[self.at - size:self.at].decode("utf-8", "surrogateescape")

    def value(self):
        kind = NAMES[self.number("u32")]
        if kind == "string":
            return kind, self.text()
        if kind != "array":
            return kind, self.number(kind)
        kind, count = NAMES[self.number("u32")], self.number("u64")
        return kind, [self.text() if kind == "string" else self.number(kind) for _ in range(count)], True

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor[0] == name)

    def write(self, path, alignment=32):
        out = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(self.tensors), len(self.metadata)))
        for key, value in self.metadata.items():
            out += packed("string", key) + packed_value(*value)
        offset = 0
        for name, dims, kind, data in self.tensors:
            out += packed("string", name) + struct.pack("<I", len(dims))
            out += b"".join(struct.pack("<Q", dim) for dim in dims) + struct.pack("<IQ", kind, offset)
            offset += (len(data) + alignment - 1) // alignment * alignment
        out += b"\0" * (-len(out) % alignment)
        for *_, data in self.tensors:
            out += data + b"\0" * (-len(data) % alignment)
        with open(path, "wb") as file:
            file.write(out)


def packed(kind, value):
    if kind != "string":
        return struct.pack(KINDS[kind][1], value)
    text = value.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(text)) + text


def packed_value(kind, value, is_array=False):
    number = struct.pack("<I", KINDS[kind][0])
    if not is_array:
        return number + packed(kind, value)
    elements = b"".join(packed(kind, element) for element in value)
    return struct.pack("<I", KINDS["array"][0]) + number + struct.pack("<Q", len(value)) + elements
