"""What a Linux video device can do, asked with the kernel's own calls (linux/videodev2.h).

`control(fd, request, buffer)` is `fcntl.ioctl`: it fills the buffer or raises OSError. Tests give
another one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import count

Control = Callable[[int, int, bytearray], object]

CAPABILITY = struct.Struct("16s32s32sIII3I")  # struct v4l2_capability
FORMAT = struct.Struct("III32sII3I")  # struct v4l2_fmtdesc
SIZE = struct.Struct("III6I2I")  # struct v4l2_frmsizeenum
INTERVAL = struct.Struct("IIIII6I2I")  # struct v4l2_frmivalenum
VIDEO_CAPTURE, DEVICE_CAPS = 0x1, 0x80000000
CAPTURE_BUFFERS = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
DISCRETE = 1
MOST = 256  # answers to one question; a broken driver must not hang us


def _request(direction: int, number: int, layout: struct.Struct) -> int:
    return direction << 30 | layout.size << 16 | ord("V") << 8 | number


QUERYCAP = _request(2, 0, CAPABILITY)
ENUM_FMT = _request(3, 2, FORMAT)
ENUM_FRAMESIZES = _request(3, 74, SIZE)
ENUM_FRAMEINTERVALS = _request(3, 75, INTERVAL)


def gives_pictures(fd: int, control: Control) -> bool:
    """Is it a camera? Cameras have further nodes, for metadata."""
    buffer = bytearray(CAPABILITY.size)
    try:
        control(fd, QUERYCAP, buffer)
    except OSError:
        return False
    *_, capabilities, own, _, _, _ = CAPABILITY.unpack(buffer)
    return bool((own if capabilities & DEVICE_CAPS else capabilities) & VIDEO_CAPTURE)


def modes(fd: int, control: Control) -> Iterator[tuple[str, tuple[int, int], tuple[float, ...]]]:
    """(pixel format, (width, height), frames per second) of every mode with a fixed size."""
    for answer in _ask(fd, control, ENUM_FMT, FORMAT, (CAPTURE_BUFFERS,)):
        pixels = answer[4]
        for size in _ask(fd, control, ENUM_FRAMESIZES, SIZE, (pixels,)):
            if size[2] != DISCRETE:  # a range of sizes: name its largest
                width, height = size[4], size[7]
            else:
                width, height = size[3], size[4]
            asked = (pixels, width, height)
            rates = [
                round(i[6] / i[5], 3)
                for i in _ask(fd, control, ENUM_FRAMEINTERVALS, INTERVAL, asked)
                if i[4] == DISCRETE and i[5]
            ]
            name = pixels.to_bytes(4, "little").decode("ascii", "replace").strip()
            yield name, (width, height), tuple(sorted(set(rates), reverse=True))
            if size[2] != DISCRETE:
                break


def _ask(
    fd: int, control: Control, request: int, layout: struct.Struct, asked: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """All answers of an enumeration, whose struct begins with the index and what is asked."""
    for index in count():
        buffer = bytearray(layout.size)
        struct.pack_into(f"{1 + len(asked)}I", buffer, 0, index, *asked)
        try:
            control(fd, request, buffer)
        except OSError:  # EINVAL: no more answers
            return
        yield layout.unpack(buffer)
        if index >= MOST:
            return
