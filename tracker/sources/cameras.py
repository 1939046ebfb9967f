"""Which cameras are connected, under names that survive replugging, and what they really deliver.

On Linux from the kernel's own lists; elsewhere through cv2-enumerate-cameras, which depends on
that platform only. Nothing here needs a camera to be free, but for `measure`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tracker.errors import UserError
from tracker.sources.source import CameraError, Source
from tracker.sources.v4l2 import Control, gives_pictures, modes

LIBRARY = "cv2-enumerate-cameras"
BYSTANDERS = frozenset({"pipewire", "wireplumber"})  # hold devices open without using them
STUTTER = 5  # frames with which a camera begins, and which say nothing about its rate


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a camera says it can deliver pictures."""

    pixels: str  # FOURCC, such as MJPG or YUYV
    size_wh: tuple[int, int]
    fps: tuple[float, ...]  # as promised, most first; see `measure` for what comes


@dataclass(frozen=True, slots=True)
class Camera:
    """One connected camera."""

    index: int  # what OpenCV calls it now; changes with the order of plugging in
    name: str
    path: str  # the device's file on Linux, else what the system calls it
    identity: str  # stays the same when it is plugged in again
    modes: tuple[Mode, ...] = ()
    trouble: str | None = None  # why it cannot be used as things are, with the next step


@dataclass(frozen=True, slots=True)
class Measured:
    """What a source really delivered."""

    fps: float
    size_wh: tuple[int, int]
    frames: int


def list_cameras(root: Path = Path("/"), control: Control | None = None) -> list[Camera]:
    """All cameras, in the order of their index.

    `root` stands for the file system's and `control` for `fcntl.ioctl`, in tests. UserError where
    this system gives no list.
    """
    if sys.platform == "linux" or root != Path("/"):
        return _from_kernel(root, control)
    return _from_library()


def find_camera(spec: str, cameras: Sequence[Camera]) -> Camera:
    """The camera that `spec` names: its number, path, identity, name, or part of the name.

    CameraError when there is none, or more than one.
    """
    wanted = spec.casefold()
    for matches in (
        lambda c: spec in (str(c.index), c.path, c.identity) or same_file(spec, c.path),
        lambda c: wanted == c.name.casefold(),
        lambda c: wanted in c.name.casefold(),
    ):
        found = [camera for camera in cameras if matches(camera)]
        if len(found) == 1:
            return found[0]
        if found:
            which = ", ".join(c.identity for c in found)
            raise CameraError("failed", f"camera {spec!r} could be several; name one of {which}")
    known = ", ".join(f"{c.index} ({c.name})" for c in cameras)
    fact = f"connected: {known}" if known else "no camera is connected"
    raise CameraError(
        "unplugged", f"camera {spec} was not found, {fact}; plug it in, or see 'tracker cameras'"
    )


def same_file(one: str, other: str) -> bool:
    """Do two paths lead to one file that exists?"""
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def users_of(device: str, root: Path = Path("/")) -> list[str]:
    """Programs that have a device's file open, as 'name (process id)'; only those one may see."""
    users = []
    for process in (root / "proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            links = list((process / "fd").iterdir())
            name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # another user's, or gone meanwhile
            continue
        if name not in BYSTANDERS and any(_target(link) == device for link in links):
            users.append(f"{name} (process {process.name})")
    return sorted(users)


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return None


def measure(
    source: Source,
    seconds: float = 1.0,
    patience: float = 15.0,
    clock: Callable[[], float] = monotonic,
) -> Measured:
    """Open a source, watch it for `seconds`, and close it.

    CameraError when it does not open, gives too little within `patience` seconds, or does not
    answer at all: then the thread that asks it is left behind.
    """
    from tracker.sources.within import within

    limit = patience + seconds + 1  # who does answer says more than a deadline
    return within(limit, lambda: _measure(source, seconds, patience, clock), source.name)


def _measure(
    source: Source, seconds: float, patience: float, clock: Callable[[], float]
) -> Measured:
    try:
        source.open()
        begun, times, size, seen = clock(), list[float](), (0, 0), 0
        while not times or times[-1] - times[0] < seconds:
            frame = source.read()
            if frame is None or clock() - begun > patience + seconds:
                break
            if frame.bgr is None:
                continue
            seen += 1
            if seen > STUTTER:
                times.append(clock())
                size = (frame.bgr.shape[1], frame.bgr.shape[0])
        if len(times) < 2:
            raise CameraError("no_frames", f"{source.name} gave no pictures; check its cable")
        return Measured((len(times) - 1) / (times[-1] - times[0]), size, len(times))
    finally:
        source.close()


def _from_kernel(root: Path, control: Control | None) -> list[Camera]:
    found = []
    for entry in (root / "sys/class/video4linux").glob("video*"):
        try:
            name = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
            first = (entry / "index").read_text(encoding="ascii").strip() == "0"
        except OSError:  # unplugged while we look
            continue
        index, device = int(entry.name.removeprefix("video")), root / "dev" / entry.name
        asked = _ask(device, control or _ioctl)
        if isinstance(asked, str):
            if first:  # further nodes of a camera carry no pictures
                found.append(Camera(index, name, str(device), _stable(root, device), (), asked))
        elif asked is not None:
            found.append(Camera(index, name, str(device), _stable(root, device), asked))
    return sorted(found, key=lambda camera: camera.index)


def _ask(device: Path, control: Control) -> tuple[Mode, ...] | str | None:
    """A device's modes, None when it is no camera, or what keeps us from knowing."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except PermissionError:
        return (
            f"you may not use {device}; add yourself to its group with "
            "'sudo usermod -aG video $USER', then log in again"
        )
    except OSError as error:
        return f"{device} could not be opened: {error.strerror}; plug it in again"
    try:
        if not gives_pictures(handle, control):
            return None
        return tuple(Mode(*mode) for mode in modes(handle, control))
    finally:
        os.close(handle)


def _ioctl(handle: int, request: int, buffer: bytearray) -> object:
    from fcntl import ioctl

    return ioctl(handle, request, buffer)


def _stable(root: Path, device: Path) -> str:
    """The link that udev keeps for this very device (by its serial, else by its socket)."""
    for folder in ("by-id", "by-path"):
        for link in sorted((root / "dev/v4l" / folder).glob("*")):
            if link.resolve() == device.resolve():
                return str(link)
    return str(device)


def _from_library() -> list[Camera]:
    import cv2

    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError as error:
        raise UserError(
            f"the cameras could not be listed: {LIBRARY} is missing; install it with "
            f"'pip install {LIBRARY}', or name a camera by its number"
        ) from error
    backend = cv2.CAP_DSHOW if sys.platform == "win32" else cv2.CAP_AVFOUNDATION
    return [
        Camera(info.index, info.name, info.path or info.name, info.path or info.name)
        for info in enumerate_cameras(backend)
    ]
