"""Network streams, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import av
import numpy as np

from tracker.errors import UserError
from tracker.slots import Holder
from tracker.sources.pixel_limit import most_frame_pixels
from tracker.sources.source import CameraError
from tracker.types import Frame, Image

OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 5.0  # seconds, of network streams
# A stream may pull in nothing but the network; a playlist must not read local files.
PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto,hls"


class UrlSource:
    """A network stream: RTSP over TCP, or anything ffmpeg plays over HTTP, such as MJPEG.

    Frames are stamped with their arrival, on the monotonic clock; stamps of streams jump.
    """

    live = True
    lap = 0

    def __init__(
        self, url: str, open_timeout: float = OPEN_TIMEOUT, read_timeout: float = READ_TIMEOUT
    ) -> None:
        """Nothing is contacted yet. Timeouts in seconds. UserError: it is no address."""
        try:
            scheme = urlsplit(url).scheme  # in lower case, as FFmpeg wants it
        except ValueError as error:
            raise UserError(f"{url} is no address ({error}); check its brackets") from error
        self._url = scheme + url[len(scheme) :]
        self._timeouts = (open_timeout, read_timeout)
        self.identity = self.name = without_password(url)
        self._holder: Holder[_Stream] = Holder(lambda stream: stream.container.close())
        self._count = 0

    def open(self) -> None:
        """Connect; CameraError when nobody answers or there is no video."""
        ticket = self._holder.begin()
        options = {
            "protocol_whitelist": PROTOCOLS,
            "fflags": "nobuffer",
            "max_pixels": str(most_frame_pixels()),
        }
        if self._url.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        try:
            container = av.open(
                self._url, timeout=self._timeouts, options=options, metadata_errors="replace"
            )
        except (OSError, av.FFmpegError) as error:
            raise self._error("did not open", error) from error
        if not any(stream.codec_context for stream in container.streams.video[:1]):
            container.close()
            raise CameraError("failed", f"{self.name} carries no video; check the address")
        if not self._holder.keep(ticket, _Stream(container)):
            raise CameraError("failed", f"{self.name} was opened too late")

    def read(self) -> Frame | None:
        """The next picture as it arrives."""
        with self._holder.use() as stream:
            if stream is None:
                return None
            try:
                picture = next(stream.pictures, None)
            except (OSError, av.FFmpegError) as error:
                raise self._error("stopped", error) from error
            if picture is None:
                raise CameraError("no_frames", f"{self.name} ended the stream; it is opened again")
            bgr = np.ascontiguousarray(cast(Image, picture.to_ndarray(format="bgr24")))
        self._count += 1
        return Frame(self._count - 1, monotonic(), bgr)

    def close(self) -> None:
        """Disconnect."""
        self._holder.drop()

    def present(self) -> bool | None:
        """It shows in the reading only."""
        return None

    def _error(self, what: str, error: OSError | av.FFmpegError) -> CameraError:
        if isinstance(error, av.ExitError):
            fact = "no answer in time"
        else:
            fact = error.strerror or type(error).__name__
        return CameraError(
            "no_frames" if what == "stopped" else "failed",
            f"{self.name} {what}: {fact}; check the address and the network, it is tried again",
        )


class _Stream:
    """An open network stream and its pictures."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self.container = container
        self.stream = container.streams.video[0]
        self.stream.codec_context.options = {"max_pixels": str(most_frame_pixels())}
        self.stream.thread_type = "SLICE"  # threads over frames would hold frames back
        self.pictures = self._decode()

    def _decode(self) -> Iterator[av.VideoFrame]:
        for packet in self.container.demux(self.stream):
            try:
                pictures = packet.decode()
            except av.InvalidDataError:  # damaged on the way; the next key picture heals it
                continue
            yield from pictures


def without_password(url: str) -> str:
    """The address as it may be shown and stored: without user name, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
