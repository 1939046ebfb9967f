"""What an ONNX file holds, read without running or allocating anything, and what is refused in it.

Our networks need no loop, no branch and no picture of unknown size. So a file may hold the
operators below and nothing else, no shape may be larger than a landmark network has use for, and
all that an operator is told must lie in the file. The wire format is protobuf's: each field is a
number and a varint, 4 or 8 bytes, or a length and so many bytes (onnx/onnx.proto names the fields).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST_FILE = 1 << 30  # bytes
MOST_NODES = 20_000
MOST_VALUES = 1 << 26  # of one tensor, as far as a shape is declared
LARGEST_SIDE = 4096  # of a declared shape, a kernel, a pad, a stride
SHAPES = ("Expand", "Pad", "Resize")  # their sizes must be constants
LARGEST_SIZE = 1 << 24  # product of such sizes
# fmt: off
OPERATORS = frozenset({
    "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast",
    "CastLike", "Ceil", "Clip", "Concat", "Constant", "Conv", "ConvTranspose", "Cos",
    "DequantizeLinear", "Div", "Dropout", "Elu", "Equal", "Erf", "Exp", "Expand", "Flatten",
    "Floor", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool",
    "GlobalMaxPool", "Greater", "GreaterOrEqual", "GroupNormalization", "HardSigmoid",
    "HardSwish", "Identity", "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu",
    "Less", "LessOrEqual", "Log", "LogSoftmax", "MatMul", "Max", "MaxPool", "MaxUnpool", "Mean",
    "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pad", "Pow", "QuantizeLinear",
    "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize",
    "Round", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Slice", "Softmax", "Softplus",
    "Softsign", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh", "Transpose",
    "Unsqueeze", "Where", "Xor",
})
# fmt: on
Value = int | memoryview
FORMS = {1: "f", 6: "i", 7: "q", 11: "d"}  # of tensors that may be a shape: float32, int32, ...


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A tensor of the file. `sizes` are its values where it may be a shape: few whole numbers."""

    shape: tuple[int, ...]
    sizes: tuple[float, ...] = ()


def check_onnx(path: Path) -> None:
    """ValueError in one sentence where the file is no ONNX, or holds what is refused.

    OSError where it cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"it has {size} bytes, {LARGEST_FILE} at most are read")
        graphs = 0
        for number, value in fields(memoryview(path.read_bytes())):
            if number == 7:
                _graph(_bytes(value))
                graphs += 1
            elif number in (20, 25):
                raise ValueError("it holds functions of its own or instructions for training")
        if graphs != 1:
            raise ValueError(f"it holds {graphs} graphs and not one")
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"{path} is not a network that can be run here: {error}; export it again with 'train "
            "export'"
        ) from error


def fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Field numbers and values of one message. ValueError where it is none."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire, 0)
        if wire == 2:
            length, at = _varint(data, at)
        elif not length:
            raise ValueError("it is no ONNX file, or damaged")
        if not number or at + length > len(data):
            raise ValueError("it is cut off, damaged or no ONNX file")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise ValueError("it is cut off, damaged or no ONNX file")


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a field of it has another type")
    return value


def _text(value: Value) -> str:
    return bytes(_bytes(value)).decode("utf-8", "replace")


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _numbers(value: Value) -> list[int]:
    """An int64 field, one at a time or packed."""
    if isinstance(value, int):
        return [_signed(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(_signed(number))
    return found


def _graph(data: memoryview) -> None:
    nodes: list[memoryview] = []
    constants: dict[str, Constant] = {}
    for number, value in fields(data):
        if number == 1:
            nodes.append(_bytes(value))
        elif number == 5:
            name, constant = _tensor(_bytes(value))
            constants[name] = constant
        elif number == 15:
            raise ValueError("it holds sparse tensors")
        elif number in (11, 12, 13):
            _declared(_bytes(value), is_input=number == 11)
    if len(nodes) > MOST_NODES:
        raise ValueError(f"it has {len(nodes)} operators, {MOST_NODES} at most are run")
    for node in nodes:
        _node(node, constants)


def _node(data: memoryview, constants: dict[str, Constant]) -> None:
    """One operator; the constant that a Constant makes joins the others."""
    inputs, outputs, kind, domain = list[str](), list[str](), "", ""
    attributes: list[memoryview] = []
    for number, value in fields(data):
        if number == 1:
            inputs.append(_text(value))
        elif number == 2:
            outputs.append(_text(value))
        elif number == 4:
            kind = _text(value)
        elif number == 5:
            attributes.append(_bytes(value))
        elif number == 7:
            domain = _text(value)
    if domain not in ("", "ai.onnx") or kind not in OPERATORS:
        raise ValueError(f"it needs the operator {domain and domain + '.'}{kind}"[:120])
    for attribute in attributes:
        made = _attribute(attribute, kind)
        if made is not None and outputs:
            constants[outputs[0]] = made
    if kind in SHAPES:
        for name in filter(None, inputs[1:]):
            _sizes(kind, constants.get(name))


def _sizes(kind: str, given: Constant | None) -> None:
    """What Expand, Pad and Resize are told: constants, and no larger than they need be."""
    if given is None:
        raise ValueError(f"the size that its {kind} makes is computed and not in the file")
    product = math.prod(max(1.0, abs(v)) for v in given.sizes)
    if not product <= LARGEST_SIZE:
        raise ValueError(f"its {kind} makes pictures {product:g} times as large")


def _attribute(data: memoryview, kind: str) -> Constant | None:
    """What an operator is told; a tensor or a list of a Constant comes back."""
    name, numbers, tensor = "", list[int](), None
    for number, value in fields(data):
        if number == 1:
            name = _text(value)
        elif number in (3, 8):
            numbers += _numbers(value)
        elif number == 5:
            tensor = _tensor(_bytes(value))[1]
        elif number in (6, 10, 11, 22, 23):
            raise ValueError(f"its {kind} holds a graph or tensors of its own")
    if kind == "Constant":
        return tensor or Constant((len(numbers),), tuple(map(float, numbers)))
    if any(abs(n) > LARGEST_SIDE for n in numbers):
        raise ValueError(f"the {name} of its {kind} is {max(numbers, key=abs)}"[:120])
    return None


def _tensor(data: memoryview) -> tuple[str, Constant]:
    name, shape, kind = "", list[int](), 0
    raw: memoryview | None = None
    listed: list[int] = []
    for number, value in fields(data):
        if number == 1:
            shape += _numbers(value)
        elif number == 2:
            kind = value if isinstance(value, int) else 0
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = _bytes(value)
        elif number == 7:
            listed += _numbers(value)
        elif number == 13 or (number == 14 and value):
            raise ValueError("a tensor of it lies in another file")
    _check_shape(shape, "a tensor")
    sizes = tuple(map(float, listed))
    if raw is not None and kind in FORMS and len(raw) <= 8 * 64:
        form = struct.Struct(f"<{FORMS[kind]}")
        if len(raw) % form.size:
            raise ValueError("a tensor of it is cut off")
        sizes = tuple(float(v) for (v,) in form.iter_unpack(raw))
    return name, Constant(tuple(shape), sizes)


def _declared(data: memoryview, is_input: bool) -> None:
    """The shape of an input, an output or a value between: ValueInfoProto.type.tensor.shape.dim."""
    shape: list[int | None] = []  # None: any
    for number, kind in fields(data):
        if number != 2:
            continue
        for which, tensor in fields(_bytes(kind)):
            if which != 1:
                raise ValueError("it takes or gives what is no tensor")
            for part, dims in fields(_bytes(tensor)):
                if part == 2:
                    shape += [_dim(_bytes(v)) for n, v in fields(_bytes(dims)) if n == 1]
    if is_input and None in shape[1:]:
        raise ValueError("its input may have any size, where the number of crops alone is free")
    _check_shape([n for n in shape if n is not None], "an input, an output or what lies between")


def _dim(data: memoryview) -> int | None:
    found = (_signed(v) for n, v in fields(data) if n == 1 and isinstance(v, int))
    return next(found, None)


def _check_shape(shape: list[int], what: str) -> None:
    if any(n < 0 for n in shape) or math.prod(shape) > MOST_VALUES:
        raise ValueError(f"{what} has the shape {shape}"[:120])
