"""qdq.py CALIBRATED.onnx OUT.onnx: a network that `linnet model calibrate` has been through in the form that other programs run in integers.

QuantizeLinear and DequantizeLinear around what is computed in 8 bits: values by the ranges in the file's metadata (U8, its zero point in the
middle where they may be negative), weights by the largest of each channel (S8), biases as sums of products (S32). No library reads or writes
the file: a message is a list of fields (number, kind of encoding, value).
"""
import json
import struct
import sys

import numpy

FLOAT, UINT8, INT8, INT32 = 1, 2, 3, 6
READS = {"Conv", "Gemm", "Add", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, kind, value


def number(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(index, value):
    """A number, text, bytes or a list of encoded fields."""
    if isinstance(value, int):
        return number(index << 3) + number(value)
    value = value.encode() if isinstance(value, str) else b"".join(value) if isinstance(value, list) else bytes(value)
    return number(index << 3 | 2) + number(len(value)) + value


def tensor(name, kind, array):
    return field(5, [field(1, dim) for dim in array.shape] + [field(2, kind), field(8, name), field(9, array.tobytes())])


def read_tensor(data):
    dims, name, raw, kind = [], "", b"", 0
    for index, encoding, value in fields(data):
        if index == 1:
            dims += [value] if encoding == 0 else [each for each in packed(value)]
        elif index == 2:
            kind = value
        elif index == 8:
            name = bytes(value).decode()
        elif index == 9:
            raw = value
        elif index == 4:
            raw = value
    return name, numpy.frombuffer(raw, "<f4").reshape(dims) if kind == FLOAT else None


def packed(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


class Node:
    def __init__(self, data):
        self.rest, self.inputs, self.outputs, self.op = [], [], [], ""
        for index, encoding, value in fields(data):
            text = bytes(value).decode() if index in (1, 2, 4) else None
            if index == 1:
                self.inputs.append(text)
            elif index == 2:
                self.outputs.append(text)
            else:
                self.op = text if index == 4 else self.op
                self.rest.append(field(index, value))

    def encode(self):
        return field(1, [field(1, each) for each in self.inputs] + [field(2, each) for each in self.outputs] + self.rest)


def operator(op, inputs, output, attributes=()):
    return field(1, [field(1, each) for each in inputs] + [field(2, output), field(4, op)] + list(attributes))


def axis(value):
    return field(5, [field(1, "axis"), field(3, value), field(20, 2)])


class Quantiser:
    def __init__(self, nodes, constants, ranges):
        self.nodes, self.constants, self.ranges = nodes, constants, ranges
        self.out, self.made, self.scales, self.weights = [], [], {}, set()

    def constant(self, name, kind, array):
        self.made.append(tensor(name, kind, array))

    def round(self, name):
        """QuantizeLinear and DequantizeLinear after a value."""
        low, high = self.ranges[name]
        size = max(-low, high)
        scale, zero = (size / 127, 128) if low < 0 else (size / 255, 0)
        scale = numpy.float32(scale)
        self.constant(name + ".scale", FLOAT, numpy.array(scale, "<f4"))
        self.constant(name + ".zero", UINT8, numpy.array(zero, "u1"))
        self.out.append(operator("QuantizeLinear", [name, name + ".scale", name + ".zero"], name + ".q"))
        self.out.append(operator("DequantizeLinear", [name + ".q", name + ".scale", name + ".zero"], name + ".dq"))
        self.scales[name] = scale

    def product(self, node):
        """Weights and bias of a node whose data is rounded."""
        weights = self.constants[node.inputs[1]]
        flat = weights.reshape(weights.shape[0], -1)
        steps = (numpy.abs(flat).max(1) / 127).astype("<f4")
        steps[steps == 0] = 1
        name = node.inputs[1]
        if name not in self.weights:
            self.weights.add(name)
            self.constant(name + ".q", INT8, numpy.rint(flat / steps[:, None]).clip(-127, 127).astype("i1").reshape(weights.shape))
            self.constant(name + ".scale", FLOAT, steps)
            self.constant(name + ".zero", INT8, numpy.zeros(len(steps), "i1"))
            self.out.append(operator("DequantizeLinear", [name + ".q", name + ".scale", name + ".zero"], name + ".dq", [axis(0)]))
        if len(node.inputs) > 2:
            bias, sums = node.inputs[2], (steps * self.scales[node.inputs[0]]).astype("<f4")
            own = bias + "." + node.outputs[0]
            self.constant(own + ".q", INT32, numpy.rint(self.constants[bias] / sums).astype("<i4"))
            self.constant(own + ".scale", FLOAT, sums)
            self.constant(own + ".zero", INT32, numpy.zeros(len(sums), "<i4"))
            self.out.append(operator("DequantizeLinear", [own + ".q", own + ".scale", own + ".zero"], own + ".dq", [axis(0)]))
            node.inputs[2] = own + ".dq"
        node.inputs[1] = name + ".dq"

    def run(self, inputs):
        read = {name for node in self.nodes if node.op in READS for name in node.inputs}
        rounded = {name for name in read if name in self.ranges and name not in self.constants}
        for name in inputs:
            if name in rounded:
                self.round(name)
        for node in self.nodes:
            if node.op in ("Conv", "Gemm") and node.inputs[0] in rounded and node.inputs[1] in self.constants:
                self.product(node)
            if node.op in READS or len(node.inputs) == 1:
                node.inputs = [name + ".dq" if name in rounded else name for name in node.inputs]
            self.out.append(node.encode())
            for name in node.outputs:
                if name in rounded:
                    self.round(name)


def main():
    data = memoryview(open(sys.argv[1], "rb").read())
    ranges, graph, rest = {}, None, []
    for index, encoding, value in fields(data):
        if index == 7:
            graph = value
        elif index == 14:
            entry = {key: bytes(text).decode() for key, kind, text in fields(value)}
            if entry.get(1) == "linnet.ranges":
                ranges = json.loads(entry[2])["ranges"]
        else:
            rest.append(field(index, value))
    parts = list(fields(graph))
    constants = dict(read_tensor(value) for index, kind, value in parts if index == 5)
    inputs = [next(bytes(text).decode() for key, kind, text in fields(value) if key == 1) for index, _, value in parts if index == 11]
    work = Quantiser([Node(value) for index, kind, value in parts if index == 1], constants, ranges)
    work.run(inputs)
    kept = {name for node in work.nodes for name in node.inputs}
    body = work.out + work.made
    body += [field(index, value) for index, kind, value in parts if index not in (1, 5) or (index == 5 and read_tensor(value)[0] in kept)]
    with open(sys.argv[2], "wb") as out:
        out.write(b"".join(rest) + field(7, body))


if __name__ == "__main__":
    main()
