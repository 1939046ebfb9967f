"""Reading MATLAB files of version 5 (`save -v7` too): real arrays, texts and cells of both.

After "MAT-File Format", The MathWorks. Two of the paper's data sets come in such files. SciPy's
`loadmat` (1.17.1) was tried in place of this: of 150 files that are not compressed, with one to
three bytes changed, 13 killed the whole process by a signal. A damaged file is a sentence here.
Files of version 7.3 are HDF5 and are refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
TEXTS = {16: "utf-8", 17: "utf-16", 18: "utf-32"}
MATRIX, COMPRESSED = 14, 15
CELL, CHAR, FIRST_NUMBER, LAST_NUMBER = 1, 4, 6, 15  # classes of a matrix; 6 is double
COMPLEX = 0x0800


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """(type, content) of the data elements one after the other."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind >> 16:  # a small element: its size and content share the tag
            yield kind & 0xFFFF, data[at + 4 : at + 4 + (kind >> 16)]
            at += 8
            continue
        if at + 8 + size > len(data):
            raise ValueError("the file ends early")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + (0 if kind == COMPRESSED else -size % 8)


def _values(kind: int, content: bytes, order: str) -> np.ndarray:
    if kind not in NUMBERS:
        raise ValueError(f"numbers of type {kind} are not read")
    return np.frombuffer(content, order + NUMBERS[kind])


def _text(kind: int, content: bytes, order: str) -> str:
    if kind in TEXTS:
        ending = "" if kind == 16 else "-le" if order == "<" else "-be"
        return content.decode(TEXTS[kind] + ending)
    return "".join(map(chr, _values(kind, content, order)))


def _matrix(content: bytes, order: str, wanted: Collection[str] | None) -> tuple[str, Any]:
    """Name and value of a matrix; the value None where its name is not wanted."""
    parts = list(_elements(content, order))
    if not parts:
        return "", np.empty((0, 0))
    flags = int(_values(*parts[0], order)[0])
    shape = tuple(int(v) for v in _values(*parts[1], order))
    name, kind = _text(*parts[2], order), flags & 0xFF
    if wanted is not None and name not in wanted:
        return name, None
    if kind == CELL:
        cells = np.empty(len(parts) - 3, object)
        for i, (_, inner) in enumerate(parts[3:]):
            cells[i] = _matrix(inner, order, None)[1]
        return name, cells.reshape(shape, order="F")
    if kind == CHAR and shape[0] <= 1:
        return name, _text(*parts[3], order) if len(parts) > 3 else ""
    if FIRST_NUMBER <= kind <= LAST_NUMBER and not flags & COMPLEX:
        values = _values(*parts[3], order)
        if values.size != prod(shape):
            raise ValueError(f"'{name}' holds {values.size} numbers, its shape is {shape}")
        return name, values.reshape(shape, order="F").astype(np.float64)
    raise ValueError(f"'{name}' is a matrix of a kind that is not read ({kind})")


def read_mat(path: Path, wanted: Collection[str]) -> dict[str, Any]:
    """These variables: float64 arrays (rows, columns), str, or object arrays of them (cells).

    Raises ValueError for a file that is missing, malformed or of version 7.3, or lacks one.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; give a MATLAB file of version 5")
    data = path.read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128], "")
    if data[:10] != b"MATLAB 5.0" or not order:
        raise ValueError(f"{path} is no MATLAB file of version 5; save it again with -v7")
    found: dict[str, Any] = {}
    try:
        for kind, content in _elements(data[128:], order):
            if kind == COMPRESSED:
                kind, content = next(_elements(zlib.decompress(content), order))
            if kind == MATRIX:
                name, value = _matrix(content, order, wanted)
                if name in wanted:
                    found[name] = value
    except (ValueError, IndexError, StopIteration, struct.error, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as a MATLAB file: {error}") from error
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"{path} does not hold {', '.join(missing)}; is it the right file?")
    return found
