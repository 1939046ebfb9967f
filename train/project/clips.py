"""The clips of a project: copied as they came, measured once, never re-encoded.

clips/clips.json holds what was measured of each.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError
from tracker.plain_data import bare_name, count, digest, finite, from_json
from tracker.sources.video_file import VideoReader
from tracker.types import Frame
from tracker.whole_files import read_text, write_whole
from train.project.layout import Project
from train.project.scan import Scan, checksum, keep_scan, kept_scan, scan_video

SCHEMA = 1
FILE = "clips.json"
KEPT_BYTES = 192 << 20  # of decoded frames that `ClipFrames` keeps
AHEAD = 40  # frames that are read through rather than jumped over
BEHIND = 12  # frames before a wanted one that are kept: whoever steps back wants them next


@dataclass(frozen=True, slots=True)
class Clip:
    """What was measured of one clip when it was added."""

    name: str  # of the file in clips/
    frames: int
    fps: float  # measured from the frames' times
    seconds: float  # from the first frame to the end of the last
    size_wh: tuple[int, int]  # upright pixels
    variable: bool  # frames do not come at one rate
    sha256: str  # of the whole file
    bytes: int = 0
    lost: int = 0  # frames that cannot be decoded

    @property
    def stem(self) -> str:
        """The name without its suffix, unique in the project."""
        return Path(self.name).stem

    def is_called(self, name: str) -> bool:
        """Whether people mean this clip by a name: the whole one, or without the suffix."""
        return same_name(name, self.name) or same_name(name, self.stem)

    @property
    def is_stills(self) -> bool:
        """Is it a set of pictures (`train.project.stills`), which have no time?"""
        return not self.sha256


def same_name(a: str, b: str) -> bool:
    """Whether two names are one but for their Unicode form: macOS writes letters and accents apart
    in the names of files.
    """
    return normalize("NFC", a) == normalize("NFC", b)


def clip_path(project: Project, clip: Clip | str) -> Path:
    """Where a clip lies."""
    return project.clips_dir / (clip if isinstance(clip, str) else clip.name)


def read_clips(project: Project) -> tuple[Clip, ...]:
    """The clips of clips.json, by name. UserError when the file is broken."""
    path = project.clips_dir / FILE
    if not path.is_file():
        return ()
    try:
        rows = from_json(read_text(path))["clips"]
        clips = [_parse(row) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged ({error!r}); delete it and run 'train add' on the clips in "
            f"{project.clips_dir}"
        ) from error
    return tuple(sorted(clips, key=lambda c: c.name))


def write_clips(project: Project, clips: Sequence[Clip]) -> None:
    """Write clips.json."""
    rows = [asdict(clip) for clip in sorted(clips, key=lambda c: c.name)]
    text = json.dumps({"schema": SCHEMA, "clips": rows}, ensure_ascii=False, indent=1)
    write_whole(project.clips_dir / FILE, (text + "\n").encode())


def measured_rate(times: NDArray[np.float64]) -> tuple[float, float, bool]:
    """Frames per second, seconds and whether the rate varies, of the times (N,) of all frames.

    Steps that differ from the usual one by more than a twentieth, and by more than what rounding to
    milliseconds explains, are a varying rate. A single frame counts as 25 per second.
    """
    steps = np.diff(times)
    if not len(steps):
        return 25.0, 0.04, False
    usual = float(np.median(steps))
    fps = len(steps) / float(times[-1] - times[0])
    odd = np.abs(steps - usual) > max(0.05 * usual, 1.5e-3)
    return fps, float(times[-1] - times[0]) + usual, bool(odd.any())


def _parse(row: dict[str, Any]) -> Clip:
    width, height = row["size_wh"]
    return Clip(
        bare_name(row["name"]), count(row["frames"]), finite(row["fps"], 1e-6, 1e6),
        finite(row["seconds"], 0), (count(width, 1), count(height, 1)), bool(row["variable"]),
        digest(row["sha256"]), count(row.get("bytes", 0), most=2**63), count(row.get("lost", 0)),
    )  # fmt: skip


def frame_times(project: Project, clip: Clip) -> NDArray[np.float64]:
    """(N,) seconds of every frame. UserError where neither the cache nor the clip tells them."""
    scan = kept_scan(project.cache_dir, clip.sha256)
    if scan is not None:
        return scan.times
    with ClipFrames(project, clip) as frames:
        return frames.times


class ClipFrames:
    """Any frame of a clip by its number: the same pixels and times as `VideoReader.frames()`.

    Jumps to key frames where that gives the same pictures (each is compared with the checksum of
    the one that was read in order), else reads from the start. One thread. UserError when the clip
    is missing, or is not the one that was added.
    """

    def __init__(self, project: Project, clip: Clip) -> None:
        """Open it; reads it once where the project's cache does not know its times."""
        self.clip = clip
        self._path = clip_path(project, clip)
        if not self._path.is_file():
            raise UserError(f"{self._path} is missing; put it back (see 'train check')")
        if clip.bytes and self._path.stat().st_size != clip.bytes:
            raise UserError(
                f"{self._path} is not the file that was added; put that back (see 'train check')"
            )
        scan = kept_scan(project.cache_dir, clip.sha256)
        if scan is None:
            scan = scan_video(self._path)
            keep_scan(project.cache_dir, clip.sha256, scan)
        self._scan: Scan = scan
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._reader: VideoReader | None = None
        self._coming: Iterator[Frame] = iter(())
        self._next = -1  # number of the frame that `_coming` gives next; -1: none
        self._may_jump = True

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds of every frame."""
        return self._scan.times

    def __len__(self) -> int:
        return len(self._scan.times)

    def frame(self, i: int) -> Frame:
        """Frame `i`, `bgr` None where it cannot be decoded. IndexError beyond the clip."""
        if not 0 <= i < len(self):
            raise IndexError(f"{self.clip.name} has frames 0 to {len(self) - 1}, not {i}")
        if self._scan.lost[i]:
            return Frame(i, float(self.times[i]), None)
        if i in self._kept:
            self._kept.move_to_end(i)
            return self._kept[i]
        if not 0 <= self._next <= i <= self._next + AHEAD:
            self._go_to(i)
        found = self._read_to(i)
        if found is None:  # the jump did not lead there
            self._may_jump = False
            self._from_start()
            found = self._read_to(i)
        if found is None:
            raise UserError(f"frame {i} of {self._path} can no longer be read; see 'train check'")
        return found

    def close(self) -> None:
        """Close the file and forget the frames."""
        self._kept.clear()
        self._coming, self._next = iter(()), -1
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> ClipFrames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_to(self, i: int) -> Frame | None:
        """Read on to frame `i`, keeping what comes before it; None where it does not come."""
        for found in self._coming:
            self._next = found.index + 1
            if found.bgr is not None:
                self._keep(found)
            if found.index == i and found.bgr is not None:
                return found
            if found.index >= i:
                break
        return None

    def _keep(self, frame: Frame) -> None:
        assert frame.bgr is not None
        self._kept[frame.index] = frame
        self._kept.move_to_end(frame.index)
        while len(self._kept) > max(2, KEPT_BYTES // frame.bgr.nbytes):
            self._kept.popitem(last=False)

    def _go_to(self, i: int) -> None:
        if self._may_jump and i > AHEAD:
            self._jump(i)
        else:
            self._from_start()

    def _open(self) -> VideoReader:
        if self._reader is not None:
            self._reader.close()
        self._reader = VideoReader(self._path)
        return self._reader

    def _from_start(self) -> None:
        self._coming, self._next = self._open().frames(), 0

    def _jump(self, i: int) -> None:
        first = max(0, i - BEHIND)
        reader = self._reader or self._open()
        pictures = reader.near(float(self.times[i]), float(self.times[first]))
        self._coming, self._next = self._numbered(pictures, first), first

    def _numbered(self, pictures: Iterator[tuple[float, Any]], first: int) -> Iterator[Frame]:
        """Pictures with the numbers of their times, as long as each is the right one."""
        numbers = {float(t): i for i, t in enumerate(self.times) if i >= first}
        for t, bgr in pictures:
            i = numbers.get(t)
            if i is None or checksum(bgr) != self._scan.sums[i]:
                continue  # not as read in order: whoever wants it reads from the start
            yield Frame(i, t, bgr)
