"""Where frames come from: video files, in decode order, upright, BGR, with their own times.

t = 0 is the container's start, so sound and pictures keep their places. A frame that cannot be
decoded is yielded with `bgr=None` at its time: the caller sees every frame exactly once.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from tracker.errors import UserError
from tracker.sources.complaints import Complaints, Holes
from tracker.sources.pixel_limit import (
    USUAL_BITS,
    frames_too_large,
    most_frame_pixels,
    most_frame_pixels_of,
)
from tracker.types import Frame, Image

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg",
    ".3gp", ".wmv", ".flv", ".ogv", ".gif",
})
# fmt: on
# FFmpeg compares with its limit what it takes memory for, a width rounded up to 64 pixels among it.
# So its own is higher, and what comes out is compared anew.
SLACK = 2
# What may be opened at all: files that hold their pictures themselves. Playlists (concat, HLS, SDP)
# would reach other files, whatever their own name ends in. Pictures: to be told as such.
FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,gif,apng,h264,hevc,av1,obu,ivf,m4v,mjpeg,dv,"
    "mxf,nut,rm,wtv,yuv4mpegpipe,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif_pipe"
)
# In these containers the stamps of the packets are in decode order, not in the order of display.
DECODE_ORDER = frozenset({"avi", "h264", "hevc", "m4v", "mpegvideo"})
UPRIGHT = np.eye(2, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What is known of a video before its frames are read. Sizes are upright pixels."""

    size_wh: tuple[int, int]
    time_base: Fraction  # seconds per tick of the time stamps
    rate: Fraction  # average frames per second
    frames: int | None  # how many the container announces
    pixel_aspect: Fraction  # width / height of a pixel, upright


class VideoReader:
    """Reads one video file once, front to back. Raises UserError when it holds no video."""

    def __init__(self, path: Path, again: VideoReader | None = None) -> None:
        """Open the file and read up to its first picture. `again`: what read it before, if any."""
        self.path = path
        self.gaps = 0  # frames that could not be decoded
        self.resized = 0  # frames of another size than the first, brought to the first's
        self.cut_off: int | None = None  # frames missing at the end; 0: some, number unknown
        # Degrees, of the last picture, and how it is turned.
        self._rotation: int | None = None if again is None else again._rotation
        self._turn: NDArray[np.int64] = UPRIGHT if again is None else again._turn
        self._container = _open(path)
        try:
            self._stream = _video_stream(path, self._container)
            self._form = _form(self._stream.codec_context)
            _refuse_large(path, self._stream.codec_context)
            self._stream.codec_context.options = {"max_pixels": str(SLACK * most_frame_pixels())}
            self._start = Fraction(max(self._container.start_time or 0, 0), av.time_base)
            self._end = Fraction(0)  # seconds, of the last packet of any stream
            self._broken_end = False
            self._complaints = Complaints()
            self._is_torn = False  # what holds the packets is damaged, so that some may be missing
            self._blamed: set[int | None] = set()  # stamps of packets that were complained of
            self._pictures = self._decode()
            self._first: list[tuple[Fraction, av.VideoFrame | None]] = []
            self.facts = self._look()
        except BaseException:
            self._container.close()
            raise

    def frames(self) -> Iterator[Frame]:
        """Every frame once, in decode order, with `index` from 0 and times that rise."""
        index, last, ahead = 0, Fraction(-1), False
        step = 1 / self.facts.rate
        holes = Holes()
        for t, picture in self._all():
            if t > last:
                ahead = False
            else:  # it repeats a stamp: between that and the next one, so that none after it shifts
                t, ahead = last + (step if ahead else step / 2), True
            bgr = None if picture is None else self._bgr(picture)
            self.gaps += bgr is None
            missing, damaged = holes.before(t), self._is_damaged(picture)
            yield Frame(index, float(t), bgr, None, damaged, missing if self._is_torn else 0)
            index, last = index + 1, t
        self._judge_end(index)

    def near(self, t: float, since: float) -> Iterator[tuple[float, Image]]:
        """Pictures and times from `since` on, read from the key frame before `t` (seconds).

        Faster than reading up to it, but right only where the file's stamps and key frames are:
        compare with what `frames` gave. Nothing where the file cannot be entered there.
        """
        base = _time_base(self._stream)
        offset = round(self._start / base)
        try:
            self._container.seek(round(Fraction(t) / base) + offset, stream=self._stream)
            for picture in self._container.decode(self._stream):
                at = -1.0 if picture.pts is None else float((picture.pts - offset) * base)
                if at >= since:
                    yield at, self._bgr(picture)
        except av.FFmpegError:
            return

    def close(self) -> None:
        """Close the file."""
        self._pictures.close()  # it refers to this object, which would not be freed at once
        self._first = []
        self._container.close()

    def _all(self) -> Iterator[tuple[Fraction, av.VideoFrame | None]]:
        yield from self._first
        self._first = []
        yield from self._pictures

    def _look(self) -> VideoFacts:
        """Read up to the first picture: only then size and orientation are certain."""
        for item in self._pictures:
            self._first.append(item)
            if item[1] is not None:
                break
        else:
            if _announced(self.path) > most_frame_pixels():
                raise UserError(frames_too_large(self.path))
            raise UserError(
                f"no frame of {self.path} could be decoded; check that another player shows it"
            )
        stream, picture = self._stream, self._first[-1][1]
        assert picture is not None
        turn = self._turn_of(picture)
        size = (picture.width, picture.height)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if turn[0, 0] == 0:  # a quarter turn
            size, aspect = size[::-1], 1 / aspect
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        return VideoFacts(size, _time_base(stream), rate, stream.frames or None, aspect)

    def _decode(self) -> Generator[tuple[Fraction, av.VideoFrame | None], None, None]:
        """(seconds, picture or None) for every frame; None where it was lost."""
        base = _time_base(self._stream)
        step = round(1 / (self._stream.average_rate or Fraction(25)) / base)
        timeline = Timeline(self._container.format.name in DECODE_ORDER)
        offset = round(self._start / base)
        last, count = -step, 0

        def at(stamp: int) -> Fraction:
            return (stamp - offset) * base

        for packet in self._packets():
            stamp = packet.pts
            if packet.size:
                stamp = count * step + offset if stamp is None else stamp
                count += 1
                if not packet.is_discard:
                    timeline.sent(stamp)
            try:
                with self._complaints.listen():
                    pictures = packet.decode()
            except av.FFmpegError:
                timeline.failed(stamp)
                continue
            finally:
                self._refuse_larger()
            if self._complaints.heard and stamp is not None:
                self._blamed.add(stamp)
            for picture in pictures:
                lost, own = timeline.shown(picture.pts)
                for gap in lost:
                    yield at(gap), None
                last = last + step if own is None else own
                yield at(last), picture
        for gap in timeline.rest():
            yield at(gap), None

    def _refuse_larger(self) -> None:
        """UserError when the frames have become too large or too deep: the first such one is held,
        before the decoder holds many.
        """
        context = self._stream.codec_context
        if (form := _form(context)) != self._form:
            self._form = form
            _refuse_large(self.path, context)

    def _packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """The video's packets and the empty one that flushes the decoder; notes where all ends."""
        packets = self._container.demux()
        while True:
            try:
                with self._complaints.listen():
                    packet = next(packets, None)
            except av.FFmpegError:  # a cut-off file may end in an error instead of an end
                self._broken_end = True
                packet = None
            if packet is None:
                break
            self._is_torn |= self._complaints.heard or packet.is_corrupt
            if packet.dts is not None:
                shown = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
                ticks = shown + (packet.duration or 0)
                self._end = max(self._end, ticks * packet.time_base - self._start)
            if packet.stream_index == self._stream.index:
                yield cast("av.Packet[av.VideoStream]", packet)
        if self._broken_end:
            flush = cast("av.Packet[av.VideoStream]", av.Packet())
            flush.stream = self._stream
            yield flush

    def _bgr(self, picture: av.VideoFrame) -> Image:
        """Upright BGR pixels in the first frame's size."""
        # Untagged video is BT.709 from 720 lines on, as players assume.
        untagged_hd = picture.colorspace == 2 and picture.height >= 720
        space = "ITU709" if untagged_hd else None
        stored = cast(Image, picture.to_ndarray(format="bgr24", src_colorspace=space))
        pixels = orient(stored, self._turn_of(picture))
        if (pixels.shape[1], pixels.shape[0]) != self.facts.size_wh:
            self.resized += 1
            smaller = cv2.resize(pixels, self.facts.size_wh, interpolation=cv2.INTER_AREA)
            pixels = cast(Image, smaller)
        return np.ascontiguousarray(pixels)

    def _is_damaged(self, picture: av.VideoFrame | None) -> bool:
        """Did the decoder complain of it? What is predicted from it is not told."""
        if picture is None:
            return False
        blamed = picture.pts in self._blamed
        self._blamed.discard(picture.pts)
        return blamed or picture.is_corrupt

    def _turn_of(self, picture: av.VideoFrame) -> NDArray[np.int64]:
        """Its `orientation`, looked up again only when its rotation changes.

        PyAV ties a picture whose side data were looked at into a cycle of references: its memory
        comes back with the next full garbage collection only, hundreds of MB later.
        """
        if picture.rotation != self._rotation:
            self._rotation, self._turn = picture.rotation, orientation(picture)
        return self._turn

    def _judge_end(self, seen: int) -> None:
        """Set `cut_off` when the file promises more than it holds."""
        size = self.path.stat().st_size
        name = self._container.format.name
        beyond = sum(entry.pos + entry.size > size for entry in self._stream.index_entries)
        unseen = max((self.facts.frames or 0) - seen, 0)
        if "mp4" in name and beyond:
            self.cut_off = min(beyond, unseen)
        elif name == "avi" and unseen:
            self.cut_off = unseen
        elif "matroska" in name or name == "flv":
            promised = Fraction(self._container.duration or 0, av.time_base)
            # A packet may not say how long it lasts: FLV's do not.
            frame = 1 / self.facts.rate
            doubt = 2 * frame if self._is_torn else max(frame, Fraction(1, 2))
            end = self._start + self._end  # what is promised counts from 0
            self.cut_off = 0 if promised - end > doubt else None
        if self._broken_end and self.cut_off is None:
            self.cut_off = 0


class Timeline:
    """Tells which packets came out of the decoder as pictures and which were lost.

    Decoders hand pictures out in the order of display. With reliable stamps a picture stamped s
    proves that every earlier packet that has not come out never will. `decode_order` says that
    stamps are right as a set but not one by one: then the n-th picture gets the n-th stamp.
    Silence of the decoder means loss only after it complained, and never in streams where packets
    without a picture are normal (single fields, invisible reference pictures).
    """

    def __init__(self, decode_order: bool = False) -> None:
        """Nothing sent, nothing shown."""
        self._decode_order = decode_order
        self._waiting: list[int] = []  # heap of stamps sent and not yet accounted for
        self._failed: set[int] = set()
        self._trouble = False  # the decoder complained
        self._silence_is_normal = False
        self._last: int | None = None

    def sent(self, stamp: int) -> None:
        """A packet went into the decoder."""
        heapq.heappush(self._waiting, stamp)

    def failed(self, stamp: int | None) -> None:
        """The decoder refused a packet."""
        self._trouble = True
        if stamp is not None:
            self._failed.add(stamp)

    def shown(self, stamp: int | None) -> tuple[list[int], int | None]:
        """A picture came out: the stamps lost before it, and its own stamp."""
        if stamp is not None and self._last is not None and stamp < self._last:
            self._decode_order = True
        lost: list[int] = []
        while self._waiting:
            first = self._waiting[0]
            if self._decode_order and first not in self._failed:
                stamp = heapq.heappop(self._waiting)
                break
            if not self._decode_order and (stamp is None or first >= stamp):
                if first == stamp:
                    heapq.heappop(self._waiting)
                break
            lost.append(heapq.heappop(self._waiting))
        # Before the first picture lie, at most, pictures of a group that begins before the file.
        self._silence_is_normal |= bool(lost) and not self._trouble and self._last is not None
        self._last = stamp if stamp is not None else self._last
        return self._truly_lost(lost), stamp

    def rest(self) -> list[int]:
        """At the end: the stamps that never came out."""
        lost, self._waiting = sorted(self._waiting), []
        return self._truly_lost(lost)

    def _truly_lost(self, lost: list[int]) -> list[int]:
        if not self._trouble:
            return []
        return [s for s in lost if s in self._failed] if self._silence_is_normal else lost


def orientation(picture: av.VideoFrame) -> NDArray[np.int64]:
    """(2, 2) matrix of 0, 1, -1 that turns stored into upright directions (x right, y down)."""
    for data in cast(Iterable[SideData], picture.side_data):
        if data.type is not SideDataType.DISPLAYMATRIX:
            continue
        fixed = np.frombuffer(bytes(data), np.int32)
        found = np.array([[fixed[0], fixed[3]], [fixed[1], fixed[4]]]) / 65536
        turn = np.where(np.abs(found) > 0.5, np.sign(found), 0).astype(np.int64)
        if (np.abs(turn).sum(0) == 1).all() and (np.abs(turn).sum(1) == 1).all():
            return turn
    return UPRIGHT


def orient(pixels: Image, turn: NDArray[np.int64]) -> Image:
    """Apply an `orientation`: the picture as it should be seen."""
    if turn[0, 0] == 0:  # x and y change places
        pixels = pixels.transpose(1, 0, 2)
        turn = turn[:, ::-1]
    return pixels[:: turn[1, 1], :: turn[0, 0]]


def open_media(path: Path, options: Mapping[str, str] | None = None) -> InputContainer:
    """Open a media file that may be anybody's. Errors as `av.open` raises them.

    An absolute path, since 'a:b.mp4' would be read as a protocol; no other protocol, nor any other
    file, at all. Texts in it, such as titles, may be in any encoding.
    """
    allowed = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    return av.open(
        str(path.absolute()), options={**allowed, **(options or {})}, metadata_errors="replace"
    )


def _refuse_large(path: Path, context: av.VideoCodecContext) -> None:
    """UserError where frames are larger than allowed, as far as the decoder knows them by now."""
    depth = context.format
    bits = USUAL_BITS if depth is None else depth.padded_bits_per_pixel
    most = most_frame_pixels_of(path.stat().st_size, bits, context.codec.intra_only)
    if context.width * context.height > most:
        raise UserError(frames_too_large(path, most))


def _form(context: av.VideoCodecContext) -> tuple[int, int, str | None]:
    """Width, height and kind of pixels, where the decoder knows them."""
    return context.width, context.height, context.pix_fmt


def _announced(path: Path) -> int:
    """Pixels of a frame as the file says; 0: it does not. Nothing is decoded where it does."""
    try:
        with open_media(path, {"probesize": "32", "analyzeduration": "1"}) as container:
            contexts = [stream.codec_context for stream in container.streams.video]
            return max((c.width * c.height for c in contexts if c is not None), default=0)
    except (OSError, av.FFmpegError):
        return 0


def _open(path: Path) -> InputContainer:
    if not path.exists():
        raise UserError(f"{path} does not exist; check the name")
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a video")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty (0 bytes); copy or record it again")
    try:
        return open_media(path, {"max_pixels": str(SLACK * most_frame_pixels())})
    except (av.InvalidDataError, av.ArgumentError) as error:  # the latter: none of FORMATS
        with path.open("rb") as file:
            is_mp4 = file.read(12)[4:8] in (b"ftyp", b"mdat", b"moov", b"wide")
        if is_mp4:
            fact = "its index is missing, as when a recording is cut off; copy or record it again"
        else:
            fact = "it is no video that this program knows; check that another player shows it"
        raise UserError(f"{path} could not be read: {fact}") from error
    except (OSError, av.FFmpegError) as error:
        raise UserError(f"{path} could not be opened: {error.strerror}; check the file") from error


def _video_stream(path: Path, container: InputContainer) -> av.VideoStream:
    name = container.format.name
    if name.endswith("_pipe") or name == "image2":
        raise UserError(f"{path} is a picture, not a video; use 'tracker image'")
    for stream in container.streams.video:
        if stream.disposition & av.stream.Disposition.attached_pic or name == "tty":
            continue
        if stream.codec_context is None:
            raise UserError(
                f"{path} could not be read: its video format is unknown here; convert it to H.264"
            )
        return stream
    raise UserError(f"{path} holds no video; give a file that does")


def _time_base(stream: av.VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90000)
