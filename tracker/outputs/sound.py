"""Carry the sound of a video over into the annotated one: packets as they are where possible."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol, cast

import av
from av.bitstream import BitStreamFilterContext

from tracker.sources.pixel_limit import most_frame_pixels
from tracker.sources.video_file import open_media

# What plays from an MP4 file in browsers and phones. Matroska takes everything.
MP4_SOUND = frozenset({"aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"})
ADTS = (b"\xff\xf0", b"\xff\xf1", b"\xff\xf8", b"\xff\xf9")  # begins of its packets' headers
AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})


class _Track(Protocol):
    def put(self, packet: av.Packet[av.AudioStream]) -> None: ...
    def flush(self) -> None: ...


class SoundCopy:
    """Feeds every sound stream of `source` into `out`, in step with the pictures.

    `note` tells the user what was done, None where the source has no sound. Only writing raises;
    a sound stream that cannot be carried over is left out and named in `note`.
    """

    def __init__(self, source: Path, out: av.container.OutputContainer) -> None:
        """Declare the streams in `out`; nothing is written yet."""
        self._container = open_media(source, {"max_pixels": str(most_frame_pixels())})
        self._start = Fraction(max(self._container.start_time or 0, 0), av.time_base)
        self._tracks: dict[int, _Track] = {}
        notes = []
        for stream in self._container.streams.audio:
            track, note = _track(stream, out, self._start)
            notes.append(note)
            if track is not None:
                self._tracks[stream.index] = track
        self.note = ", ".join(notes) or None
        for video in self._container.streams.video:
            video.discard = av.stream.Discard.all
        self._packets = self._read() if self._tracks else iter(())
        self._next = next(self._packets, None)

    def until(self, t: float | None) -> None:
        """Write what sounds before `t` seconds; None: all that is left."""
        while self._next is not None:
            when, packet = self._next
            if t is not None and when > t:
                return
            self._tracks[packet.stream_index].put(packet)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the source; the output belongs to the caller."""
        self._container.close()

    def flush(self) -> None:
        """Write what the encoders still hold."""
        for track in self._tracks.values():
            track.flush()

    def _read(self) -> Iterator[tuple[float, av.Packet[av.AudioStream]]]:
        streams = [self._container.streams[index] for index in self._tracks]
        packets = self._container.demux(*streams)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # a cut-off source: the sound ends here
                return
            if packet is None:
                return
            if packet.size and packet.pts is not None and packet.dts is not None:
                yield (
                    float(packet.pts * packet.time_base - self._start),
                    cast("av.Packet[av.AudioStream]", packet),
                )


class _Copied:
    """Packets go through as they are."""

    def __init__(
        self, stream: av.AudioStream, out: av.container.OutputContainer, start: Fraction
    ) -> None:
        self._stream = out.add_stream_from_template(stream)
        self._out, self._source = out, stream
        # MPEG streams head each packet of AAC by itself, which no other container takes. FFmpeg
        # puts this right by itself, but in fragmented MP4.
        self._headless: BitStreamFilterContext | None = None
        self._offset = round(start / (stream.time_base or Fraction(1, stream.rate)))
        self._last: int | None = None

    def put(self, packet: av.Packet[av.AudioStream]) -> None:
        """Write one packet; one that goes back in time is dropped."""
        assert packet.pts is not None and packet.dts is not None
        if self._last is not None and packet.dts <= self._last:
            return
        self._last = packet.dts
        if self._headless is None and self._has_header(packet):
            self._headless = BitStreamFilterContext("aac_adtstoasc", self._source)
        for whole in [packet] if self._headless is None else self._headless.filter(packet):
            self._mux(whole)

    def _has_header(self, packet: av.Packet[av.AudioStream]) -> bool:
        is_aac = self._source.codec_context.codec.canonical_name == "aac"
        return is_aac and bytes(packet)[:2] in ADTS

    def _mux(self, packet: av.Packet[av.AudioStream]) -> None:
        assert packet.pts is not None and packet.dts is not None
        packet.pts, packet.dts = packet.pts - self._offset, packet.dts - self._offset
        packet.stream = self._stream
        self._out.mux(packet)

    def flush(self) -> None:
        """Nothing is held back."""


class _Converted:
    """Decoded and encoded again as AAC."""

    def __init__(
        self, stream: av.AudioStream, out: av.container.OutputContainer, start: Fraction
    ) -> None:
        rate = stream.rate if stream.rate in AAC_RATES else 48000
        layout = "mono" if stream.layout.nb_channels == 1 else "stereo"
        self._stream = out.add_stream("aac", rate=rate, layout=layout)
        self._resample = av.AudioResampler("fltp", layout, rate)
        self._out = out
        self._decoder = stream.codec_context
        self._offset = round(start * rate)

    def put(self, packet: av.Packet[av.AudioStream]) -> None:
        """Convert one packet; one that cannot be decoded is dropped."""
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        self._encode(frames)

    def flush(self) -> None:
        """Write what decoder, resampler and encoder still hold."""
        self._encode(self._decoder.decode(None))
        self._encode([None])
        self._out.mux(self._stream.encode(None))

    def _encode(self, frames: list[av.AudioFrame] | list[None]) -> None:
        for frame in frames:
            for part in self._resample.resample(frame):
                if part.pts is not None:
                    part.pts -= self._offset
                self._out.mux(self._stream.encode(part))


def _track(
    stream: av.AudioStream, out: av.container.OutputContainer, start: Fraction
) -> tuple[_Track | None, str]:
    """How one sound stream is carried over, and what to tell the user."""
    if stream.codec_context is None:
        return None, "sound left out (unknown format)"
    name = stream.codec_context.codec.canonical_name
    if name in MP4_SOUND or "matroska" in out.format.name:
        try:
            return _Copied(stream, out, start), f"sound copied ({name})"
        except ValueError:  # this container refuses it
            pass
    return _Converted(stream, out, start), f"sound converted from {name} to AAC"
