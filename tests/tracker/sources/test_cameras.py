"""Cameras under a fake root of the file system, asked with a fake ioctl."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.live import FakeCamera
from tracker.errors import UserError
from tracker.sources import cameras, v4l2
from tracker.sources.cameras import Camera, Mode, find_camera, list_cameras, measure, users_of
from tracker.sources.source import CameraError

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux names its cameras in /sys")


class Desk:
    """A file system with video devices."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.capture: set[str] = set()

    def plug(
        self, node: str, name: str, link: str = "", folder: str = "by-id", capture: bool = True
    ) -> None:
        entry = self.root / "sys/class/video4linux" / node
        entry.mkdir(parents=True)
        (entry / "name").write_text(name + "\n")
        (entry / "index").write_text("0\n" if capture else "1\n")
        (self.root / "dev").mkdir(exist_ok=True)
        (self.root / "dev" / node).write_bytes(b"")
        if capture:
            self.capture.add(node)
        if link:
            links = self.root / "dev/v4l" / folder
            links.mkdir(parents=True, exist_ok=True)
            (links / link).symlink_to(Path("../..") / node)

    def control(self, handle: int, request: int, buffer: bytearray) -> object:
        """What a UVC camera's driver answers: two sizes of one format, a range of another."""
        node = Path(f"/proc/self/fd/{handle}").readlink().name
        if request == v4l2.QUERYCAP:
            own = v4l2.VIDEO_CAPTURE if node in self.capture else 0x00800000
            every = v4l2.DEVICE_CAPS | v4l2.VIDEO_CAPTURE
            v4l2.CAPABILITY.pack_into(buffer, 0, b"uvc", b"", b"", 0, every, own, 0, 0, 0)
            return 0
        index, pixels, width, height = struct.unpack_from("4I", buffer)
        fourcc = [int.from_bytes(f, "little") for f in (b"MJPG", b"YU12")]
        if request == v4l2.ENUM_FMT and index < 2:
            v4l2.FORMAT.pack_into(buffer, 0, index, 1, 0, b"", fourcc[index], 0, 0, 0, 0)
        elif request == v4l2.ENUM_FRAMESIZES and pixels == fourcc[0] and index < 2:
            size = [(640, 480), (1280, 720)][index]
            v4l2.SIZE.pack_into(buffer, 0, index, pixels, 1, *size, 0, 0, 0, 0, 0, 0)
        elif request == v4l2.ENUM_FRAMESIZES and pixels == fourcc[1]:
            v4l2.SIZE.pack_into(buffer, 0, index, pixels, 3, 32, 1920, 2, 24, 1080, 2, 0, 0)
        elif request == v4l2.ENUM_FRAMEINTERVALS and (width, height) == (640, 480) and index < 2:
            n, d = [(1001, 30000), (1, 60)][index]
            v4l2.INTERVAL.pack_into(
                buffer, 0, index, pixels, width, height, 1, n, d, 0, 0, 0, 0, 0, 0
            )
        else:
            raise OSError(errno.EINVAL, "no more")
        return 0

    def cameras(self) -> list[Camera]:
        return list_cameras(self.root, self.control)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@linux
def test_cameras_with_names_modes_and_identities(desk: Desk) -> None:
    desk.plug("video10", "Eye", "pci-0000-usb-0:1.4", folder="by-path")
    desk.plug("video0", "HD Webcam: HD", "usb-046d_HD_4711-video-index0")
    desk.plug("video1", "HD Webcam: HD", "usb-046d_HD_4711-video-index1", capture=False)
    first, second = desk.cameras()
    assert (first.index, first.name, first.path) == (
        0,
        "HD Webcam: HD",
        str(desk.root / "dev/video0"),
    )
    assert first.identity == str(desk.root / "dev/v4l/by-id/usb-046d_HD_4711-video-index0")
    assert first.modes == (
        Mode("MJPG", (640, 480), (60.0, 29.97)),
        Mode("MJPG", (1280, 720), ()),
        Mode("YU12", (1920, 1080), ()),
    )
    assert second.index == 10 and second.identity.endswith("by-path/pci-0000-usb-0:1.4")
    assert first.trouble is None and second.trouble is None


@linux
def test_without_links_the_path_is_the_identity(desk: Desk) -> None:
    desk.plug("video3", "Plain")
    (camera,) = desk.cameras()
    assert camera.identity == camera.path == str(desk.root / "dev/video3")


@linux
def test_no_cameras(desk: Desk) -> None:
    assert desk.cameras() == []


@linux
def test_a_camera_one_may_not_use(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.plug("video0", "HD Webcam")
    desk.plug("video1", "HD Webcam", capture=False)

    def refuse(path: object, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(cameras.os, "open", refuse)
    (camera,) = desk.cameras()
    assert camera.modes == () and "usermod -aG video" in (camera.trouble or "")


@linux
def test_the_layouts_are_the_kernels() -> None:
    """Sizes and numbers as a C compiler gives them for linux/videodev2.h."""
    layouts = (v4l2.CAPABILITY, v4l2.FORMAT, v4l2.SIZE, v4l2.INTERVAL)
    assert [layout.size for layout in layouts] == [104, 64, 44, 52]
    requests = (v4l2.QUERYCAP, v4l2.ENUM_FMT, v4l2.ENUM_FRAMESIZES, v4l2.ENUM_FRAMEINTERVALS)
    assert [hex(r) for r in requests] == ["0x80685600", "0xc0405602", "0xc02c564a", "0xc034564b"]


def test_a_driver_that_never_ends_its_list() -> None:
    def control(handle: int, request: int, buffer: bytearray) -> object:
        return 0

    assert len(list(v4l2._ask(0, control, v4l2.ENUM_FMT, v4l2.FORMAT, (1,)))) <= v4l2.MOST + 1


CAMERAS = [
    Camera(0, "HD Webcam", "/dev/video0", "/dev/v4l/by-id/hd"),
    Camera(2, "HD Webcam Pro", "/dev/video2", "/dev/v4l/by-id/pro"),
    Camera(4, "Eye", "/dev/video4", "/dev/v4l/by-id/eye"),
]


@pytest.mark.parametrize(
    ("spec", "index"),
    [("2", 2), ("/dev/video4", 4), ("/dev/v4l/by-id/pro", 2), ("hd webcam", 0), ("PRO", 2)],
)
def test_find(spec: str, index: int) -> None:
    assert find_camera(spec, CAMERAS).index == index


def test_find_by_another_link_to_the_device(tmp_path: Path) -> None:
    (tmp_path / "video0").write_bytes(b"")
    (tmp_path / "mine").symlink_to("video0")
    camera = Camera(0, "HD", str(tmp_path / "video0"), "x")
    assert find_camera(str(tmp_path / "mine"), [CAMERAS[1], camera]) is camera


def test_find_nothing_or_too_much() -> None:
    with pytest.raises(CameraError, match=r"camera 1 was not found, connected: 0 \(HD Webcam\)"):
        find_camera("1", CAMERAS)
    with pytest.raises(CameraError, match="no camera is connected") as caught:
        find_camera("0", [])
    assert caught.value.phase == "unplugged"
    with pytest.raises(CameraError, match="could be several; name one of /dev/v4l/by-id/hd, "):
        find_camera("webcam", CAMERAS)


@linux
def test_who_uses_a_device(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.write_bytes(b"")
    code = f"f = open({str(device)!r}); print('ready', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        with device.open():  # our own handle does not count
            (user,) = users_of(str(device))
        assert user.endswith(f"(process {process.pid})")
    finally:
        process.kill()
        process.wait(10)
    assert users_of(str(device)) == []
    assert str(os.getpid()) not in " ".join(users_of(os.devnull))


@linux
def test_who_only_watches_a_device_does_not_use_it(tmp_path: Path) -> None:
    for number, name in ((12, "wireplumber"), (13, "zoom")):
        (tmp_path / f"proc/{number}/fd").mkdir(parents=True)
        (tmp_path / f"proc/{number}/fd/3").symlink_to("/dev/video0")
        (tmp_path / f"proc/{number}/fd/4").write_text("no link")
        (tmp_path / f"proc/{number}/comm").write_text(f"{name}\n")
    assert users_of("/dev/video0", tmp_path) == ["zoom (process 13)"]


def test_measure() -> None:
    camera = FakeCamera(fps=50)
    measured = measure(camera, seconds=0.5)
    assert 20 < measured.fps < 52 and measured.size_wh == (96, 64)
    assert measured.frames >= 10 and camera.closes == 1


def test_measure_what_gives_nothing() -> None:
    camera = FakeCamera()
    camera.plugged = False
    with pytest.raises(CameraError, match="unplugged"):
        measure(camera, seconds=0.2)
    stuck = FakeCamera()
    stuck.blocks = True
    with pytest.raises(CameraError, match="the fake camera does not answer"):
        measure(stuck, seconds=0.1, patience=0.3)
    stuck.release.set()
    slow = FakeCamera(fps=4)
    with pytest.raises(CameraError, match="gave no pictures"):
        measure(slow, seconds=0.1, patience=0.5)


@linux
def test_elsewhere_a_library_lists_them_or_its_absence_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cameras.sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    with pytest.raises(UserError, match="pip install cv2-enumerate-cameras"):
        list_cameras()

    class Info:
        index, name, path = 1, "HD Webcam", r"\\?\usb#vid_046d"

    class Library:
        @staticmethod
        def enumerate_cameras(backend: int) -> list[Info]:
            return [Info()]

    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", Library)  # type: ignore[arg-type]
    (camera,) = list_cameras()
    assert (camera.index, camera.name, camera.identity) == (1, "HD Webcam", Info.path)
