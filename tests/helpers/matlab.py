"""Writes small MATLAB files of version 5, straight from the format's description."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

CODES = {"f8": (9, 6), "u1": (2, 9), "u2": (4, 11), "i4": (5, 12)}  # data type, matrix class


def element(kind: int, content: bytes) -> bytes:
    if 0 < len(content) <= 4:  # the small form
        return struct.pack("<HH", kind, len(content)) + content.ljust(4, b"\0")
    return struct.pack("<II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def matrix(name: str, value: object) -> bytes:
    """An array (2 dimensions), a str, or a list of str as a column of cells."""
    if isinstance(value, str):
        shape, code, body = (1, len(value)), 4, element(4, value.encode("utf-16-le"))
    elif isinstance(value, list):
        shape, code, body = (len(value), 1), 1, b"".join(matrix("", v) for v in value)
    else:
        array = np.asarray(value)
        kind, code = CODES[array.dtype.str[1:]]
        shape, body = array.shape, element(kind, array.tobytes(order="F"))
    head = element(6, struct.pack("<II", code, 0)) + element(5, struct.pack("<2i", *shape))
    return element(14, head + element(1, name.encode()) + body)


def write_mat(path: Path, variables: Mapping[str, object], packed: bool = True) -> None:
    whole = b"MATLAB 5.0 MAT-file, written by a test".ljust(124) + b"\0\1IM"
    for name, value in variables.items():
        plain = matrix(name, value)
        if packed:
            small = zlib.compress(plain)
            plain = struct.pack("<II", 15, len(small)) + small
        whole += plain
    path.write_bytes(whole)
