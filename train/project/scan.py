"""A clip read once from end to end: the times of all frames, which are lost, and their checksums.

Kept in cache/scans/, by the clip's sha256; it can be made again at any time.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError
from tracker.sources.video_file import VideoReader
from tracker.types import Image
from tracker.whole_files import write_whole

BROKEN = (
    BadZipFile, EOFError, KeyError, MemoryError, NotImplementedError, OSError, OverflowError,
    TypeError, ValueError, zlib.error,
)  # fmt: skip
Report = Callable[[str, int, int], None]  # file name, frames so far, frames announced (0: unknown)


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What one reading of a clip told."""

    times: NDArray[np.float64]  # (N,) seconds, rising
    lost: NDArray[np.bool_]  # (N,) could not be decoded
    sums: NDArray[np.uint32]  # (N,) of the upright BGR pixels; 0 where lost
    size_wh: tuple[int, int]
    cut_off: bool = False  # the file promises more than it holds


def scan_video(path: Path, report: Report | None = None) -> Scan:
    """Decode every frame. UserError when the file is no video or holds no picture."""
    reader = VideoReader(path)
    times: list[float] = []
    sums: list[int] = []
    lost: list[bool] = []
    try:
        announced = reader.facts.frames or 0
        for frame in reader.frames():
            times.append(frame.t)
            lost.append(frame.bgr is None)
            sums.append(0 if frame.bgr is None else checksum(frame.bgr))
            if report is not None:
                report(path.name, len(times), announced)
        cut_off = reader.cut_off is not None
    finally:
        reader.close()
    return Scan(
        np.array(times), np.array(lost, bool), np.array(sums, np.uint32), reader.facts.size_wh,
        cut_off,
    )  # fmt: skip


def checksum(bgr: Image) -> int:
    """Of the pixels of one frame."""
    return zlib.crc32(np.ascontiguousarray(bgr).data)


def keep_scan(cache: Path, sha256: str, scan: Scan) -> None:
    """Write it into the cache; a folder that cannot be written has none."""
    path = _path(cache, sha256)
    data = io.BytesIO()
    np.savez(
        data, times=scan.times, lost=scan.lost, sums=scan.sums, size_wh=np.array(scan.size_wh),
        cut_off=np.array(scan.cut_off),
    )  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data.getvalue())
    except (OSError, UserError):
        return


def kept_scan(cache: Path, sha256: str) -> Scan | None:
    """What the cache knows, None when it knows nothing that can be used."""
    try:
        with np.load(_path(cache, sha256), allow_pickle=False) as found:
            width, height = (int(a) for a in found["size_wh"])
            scan = Scan(
                found["times"], found["lost"], found["sums"], (width, height),
                bool(found["cut_off"]),
            )  # fmt: skip
    except BROKEN:
        return None
    n = len(scan.times)
    whole = [part.ndim == 1 and len(part) == n for part in (scan.times, scan.lost, scan.sums)]
    sound = n > 0 and all(whole) and scan.lost.dtype == np.bool_ and scan.times.dtype.kind == "f"
    return scan if sound and bool((np.diff(scan.times) >= 0).all()) else None


def _path(cache: Path, sha256: str) -> Path:
    return cache / "scans" / f"{sha256}.npz"
