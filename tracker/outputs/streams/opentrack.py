"""`opentrack://HOST:PORT`: the head's pose for opentrack's input 'UDP over network', port 4242.

A datagram is 48 bytes, six little-endian doubles: x, y, z in cm, yaw, pitch, roll in degrees. Signs
are those of `tracker.find.head_pose`, which opentrack's options turn round where a game wants it,
but for y, which is up. Of several faces the oldest is sent. A lost face is six times NaN.
"""

from __future__ import annotations

import struct

from tracker.outputs.output import About
from tracker.outputs.streams.address import Datagrams
from tracker.result import Result
from tracker.types import Frame, Pose

PORT = 4242
LOST = struct.pack("<6d", *[float("nan")] * 6)


class OpenTrack:
    """Sends a pose a frame."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where that is no address."""
        self._about, self._out = about, Datagrams(target, PORT)

    def put(self, frame: Frame, result: Result | None) -> None:
        """Send the head's pose, or that there is none."""
        pose = self._about.head(result)
        self._out.send(LOST if pose is None else packed(pose))

    def close(self, whole: bool) -> None:
        """The head is lost from here on."""
        self._out.send(LOST)
        self._out.close()


def packed(pose: Pose) -> bytes:
    """48 bytes; where the head's place is not known it is 0."""
    x, y, z = (0.0, 0.0, 0.0) if pose.xyz_cm is None else pose.xyz_cm.tolist()
    return struct.pack("<6d", x, -y, z, pose.yaw, pose.pitch, pose.roll)
