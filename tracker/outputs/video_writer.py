"""Write an annotated video: H.264 that browsers play, the source's own times, its sound."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from tracker.errors import UserError, writing
from tracker.outputs.out_file import OutFile, Target
from tracker.outputs.sound import SoundCopy
from tracker.sources.video_file import VideoFacts, open_media
from tracker.types import Image
from tracker.whole_files import part_of

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
X264 = {"preset": "veryfast", "crf": "20", "g": "60"}
# Half the work, twice the size; no frame waits in the encoder.
LIVE_X264 = {"preset": "superfast", "crf": "20", "g": "60", "tune": "zerolatency"}
# For frames larger than 4K: none waits in the encoder, which else holds some thirty of them.
LARGE = 4096 * 2304
LARGE_X264 = {"preset": "ultrafast", "crf": "20", "g": "60", "tune": "zerolatency", "threads": "1"}
# While they grow, files can be played up to a moment ago, whatever happens: each frame of Matroska
# is written out when the next one comes, MP4 is cut into fragments of a quarter of a second.
GROWING_MATROSKA = {"flush_packets": "1", "cluster_time_limit": "1"}
GROWING_MP4 = {
    "flush_packets": "1",
    "frag_duration": "250000",
    "movflags": "+delay_moov+default_base_moof",
}
WHOLE_MP4 = {"movflags": "+faststart"}
BT709 = 1


def check_container(path: Path) -> None:
    """Raise UserError when `path` does not end in a container this program writes."""
    if path.suffix.lower() not in CONTAINERS:
        known = ", ".join(CONTAINERS)
        raise UserError(f"{path} could not be written: give --out a name that ends in {known}")


class VideoWriter:
    """Frames in, a playable file out; nothing at the final name before `finish`.

    Odd sizes get one more column or row at the right or bottom: H.264 needs even ones, and
    coordinates stay what they were. Errors while writing are UserErrors; call `discard` then.
    """

    def __init__(
        self, out: Target, facts: VideoFacts, sound_of: Path | None = None, live: bool = False
    ) -> None:
        """Open the encoder. `sound_of`: a video whose sound is carried over.

        `live` costs less time and writes each frame out soon; for .mkv.
        """
        check_container(out.path)
        self._out, self._facts = out, facts
        self._last_t, self._tick = 0.0, -1  # of the last frame
        self._sound: SoundCopy | None = None
        name = CONTAINERS[out.path.suffix.lower()]
        self._in_fragments = name != "matroska"
        options = GROWING_MP4 if self._in_fragments else GROWING_MATROSKA
        with writing(out.path):
            self._container = av.open(str(out.temp.absolute()), "w", name, options)
            is_large = facts.size_wh[0] * facts.size_wh[1] > LARGE
            options = LARGE_X264 if is_large else LIVE_X264 if live else X264
            self._stream = self._add_stream(facts, options)
        if sound_of is not None:
            self._sound = SoundCopy(sound_of, self._container)

    @property
    def sound_note(self) -> str | None:
        """What became of the source's sound; None: it has none."""
        return None if self._sound is None else self._sound.note

    def write(self, bgr: Image, t: float) -> None:
        """Add a frame of the announced size at `t` seconds; times must rise, be it by no tick."""
        frame = av.VideoFrame.from_numpy_buffer(
            np.ascontiguousarray(even(bgr)), format="bgr24"
        ).reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.time_base = self._facts.time_base
        self._tick = max(round(Fraction(t) / self._facts.time_base), self._tick + 1)
        frame.pts = self._tick
        with writing(self._out.path):
            self._container.mux(self._stream.encode(frame))
            if self._sound is not None:
                self._sound.until(t)
        self._last_t = t

    def finish(self, whole: bool = True) -> None:
        """End the file and give it its name. Not `whole`: the sound ends with the last frame."""
        with writing(self._out.path):
            self._container.mux(self._stream.encode(None))
            if self._sound is not None:
                self._sound.until(None if whole else self._last_t)
                self._sound.flush()
            self._container.close()
        self._close_sound()
        if self._in_fragments:
            self._join_fragments()
        self._out.commit()

    def discard(self) -> None:
        """Give up: remove what was written."""
        with suppress(OSError, av.FFmpegError):  # the file is removed anyway
            self._container.close()
        self._close_sound()
        self._out.discard()

    def _join_fragments(self) -> None:
        """One table of all frames, at the file's start, as players like it.

        Where there is no room for both, the fragments stay: they are a playable file, too.
        """
        joined = part_of(self._out.path, "joined")
        try:
            with writing(self._out.path):
                copy_packets(self._out.temp, joined, CONTAINERS[self._out.path.suffix.lower()])
                joined.replace(self._out.temp)
        except UserError:
            joined.unlink(missing_ok=True)

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()

    def _add_stream(self, facts: VideoFacts, options: Mapping[str, str]) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=facts.rate, options=dict(options))
        width, height = facts.size_wh
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = facts.time_base
        context.sample_aspect_ratio = facts.pixel_aspect
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        return stream


def remux(source: Path, out: OutFile) -> None:
    """Put the packets of a video into another container, unchanged; `out` gets its name.

    UserError when that cannot be written or the source cannot be read; the source is kept.
    """
    try:
        with writing(out.path):
            copy_packets(source, out.temp, CONTAINERS[out.path.suffix.lower()])
    except UserError:
        out.discard()
        raise
    out.commit()


def copy_packets(source: Path, target: Path, container: str) -> None:
    """All pictures and sounds of a file, as they are, in a new one. Errors of `av` and the disk."""
    options = {} if container == "matroska" else WHOLE_MP4
    with open_media(source) as old, av.open(str(target.absolute()), "w", container, options) as new:
        kept = [*old.streams.video, *old.streams.audio]
        copies = {stream.index: new.add_stream_from_template(stream) for stream in kept}
        for packet in old.demux(*kept):
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                new.mux(packet)


def even(bgr: Image) -> Image:
    """The picture with even width and height: the last column or row is repeated where needed."""
    height, width = bgr.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return bgr
    padded = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)
