"""What can be sent to, and whether this computer can: `tracker outputs`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engines.installation import install


@dataclass(frozen=True, slots=True)
class Listed:
    """One kind of output as people read of it."""

    target: str  # how it is written
    what: str
    library: str = ""  # the package it needs; '' for none
    extra: str = ""  # that brings it
    module: str = ""  # what is imported of it
    check: Callable[[], str | None] = lambda: None  # why it cannot be used, else None

    @property
    def installed(self) -> str | None:
        """The library's version, 'built in' without one, or None."""
        if not self.library:
            return "built in"
        try:
            return f"{self.library} {version(self.library)}"
        except PackageNotFoundError:
            return None

    def fault(self) -> str | None:
        """Why it cannot be used here, and what to do; None: it can."""
        if self.installed is None:
            return f"run: {install(self.extra)}"
        if self.module:
            try:
                import_module(self.module)
            except (ImportError, RuntimeError, OSError) as error:
                return f"{self.library} does not load: {error}"
        return self.check()


def _no_loopback() -> str | None:
    if platform.system() != "Linux":
        return None  # OBS brings the device; whether it is there shows when it is opened
    known = sorted(Path("/sys/devices/virtual/video4linux").glob("video*"))
    if known:
        return None
    return "load a device: sudo modprobe v4l2loopback video_nr=10 exclusive_caps=1"


LISTED = (
    Listed("-", "JSON lines on standard output"),
    Listed("x.jsonl", "JSON lines in a file"),
    Listed("x.csv", "a table a kind: x_hand.csv, x_face.csv"),
    Listed("x.mp4", "an annotated video (tracker video)"),
    Listed("udp://HOST:PORT", "JSON lines as datagrams"),
    Listed(
        "ws://HOST:PORT",
        "JSON lines by WebSocket, and a page that draws them (8765)",
        "websockets",
        "outputs",
        "websockets.sync.server",
    ),
    Listed(
        "osc://HOST:PORT",
        "OSC, an address a point (9000)",
        "python-osc",
        "outputs",
        "pythonosc.osc_message_builder",
    ),
    Listed(
        "vmc://HOST:PORT",
        "avatars: VSeeFace, Warudo (39539)",
        "python-osc",
        "outputs",
        "pythonosc.osc_message_builder",
    ),
    Listed("opentrack://HOST:PORT", "head tracking for games (4242)"),
    Listed("openseeface://HOST:PORT", "as OpenSeeFace: VSeeFace (11573)"),
    Listed("lsl:NAME", "Lab Streaming Layer: LabRecorder", "pylsl", "outputs", "pylsl"),
    Listed(
        "vtubestudio://HOST:PORT",
        "VTube Studio's plug-in API (8001)",
        "websockets",
        "outputs",
        "websockets.sync.client",
    ),
    Listed(
        "camera:N",
        "a virtual camera: OBS, video calls",
        "pyvirtualcam",
        "virtualcam",
        "pyvirtualcam",
        _no_loopback,
    ),
)
