"""`lsl:NAME`: an outlet of the Lab Streaming Layer, one float32 sample a frame.

Channels are fixed for the stream: for each hand (left, right) its presence and x, y (pixels), score
of each landmark; the same for the face, its pose, and its expressions by ARKit's names where the
model gives them (`_neutral` first); the same for an object. Who is not seen is NaN.
A time stamp is the frame's capture on LSL's clock. The labels and units of the channels, the
picture's size and the models are in the stream's description. Who listens on other computers finds
it only where LSL's own configuration (LSLAPICFG, or lsl_api.cfg) says so; by itself it is for this
computer.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engines.installation import install
from tracker.errors import UserError
from tracker.find.expressions import EXPRESSIONS
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.output import About
from tracker.outputs.streams.names import Names
from tracker.result import Result
from tracker.types import Floats, Frame, Track

if TYPE_CHECKING:
    from pylsl import StreamInfo, StreamOutlet

KIND = "Landmarks"
POSE = ("yaw", "pitch", "roll", "x", "y", "z")
FAREWELL = 0.2  # s for the last sample to go out: an outlet that ends takes what waits with it
SAME_CLOCK = 10.0  # s: a live frame's time that is so near to now is of the monotonic clock
# And it says on the terminal only what went wrong.
MACHINE_ONLY = "[multicast]\nResolveScope = machine\n[log]\nlevel = -2\n"


class LslOutlet:
    """Pushes a sample a frame."""

    def __init__(self, target: str, about: About) -> None:
        """Open the outlet. UserError where pylsl is not there, or the name is missing."""
        name = target.partition(":")[2].strip("/")
        if not name:
            raise UserError(f"{target} names no stream; give one such as lsl:landmarks")
        try:
            import pylsl
        except (ImportError, RuntimeError) as error:  # RuntimeError: its library is missing
            raise UserError(f"pylsl is not installed; run: {install('outputs')}") from error
        _stay_here()
        self._clock, self._about, self._names = pylsl.local_clock, about, Names()
        self._target, self._used = target, about.models_now()
        self._blocks = blocks(self._used)
        labels = [label for _, found in self._blocks for label, _ in found]
        info = pylsl.StreamInfo(name, KIND, len(labels), pylsl.IRREGULAR_RATE, "float32", name)
        self._describe(info)
        self._outlet: StreamOutlet | None = pylsl.StreamOutlet(info)
        self._offset: float | None = None  # LSL's clock less the frames' time

    def put(self, frame: Frame, result: Result | None) -> None:
        """Push what is seen; who is lost is NaN. UserError where channels do not fit any more."""
        if self._offset is None:
            self._offset = self._clock() - self._reference(frame)
        used = self._about.models_now()
        if used != self._used:
            self._change(used)
        seen = self._names.given(result)
        sample = [values_of(seen.get(name), len(found)) for name, found in self._blocks]
        assert self._outlet is not None
        self._outlet.push_sample(np.concatenate(sample).tolist(), self._stamp(frame))

    def heard(self) -> str:
        """Whether anybody records."""
        outlet = self._outlet
        return "" if outlet is None else "received" if outlet.have_consumers() else "nobody listens"

    def close(self, whole: bool) -> None:
        """Everybody is lost, and the stream ends."""
        if self._offset is not None and self._outlet is not None:
            count = sum(len(found) for _, found in self._blocks)
            self._outlet.push_sample([float("nan")] * count, self._clock())
            if self._outlet.have_consumers():
                time.sleep(FAREWELL)
        self._outlet = None

    def _change(self, used: tuple[UsedModel, ...]) -> None:
        """Other models are used from here on; whoever records keeps the channels."""
        self._used, now = used, dict(blocks(used))
        if any(now.get(name, found) != found for name, found in self._blocks):
            raise UserError(
                f"{self._target} cannot go on: another model has other landmarks; switch it off "
                "and on again for a stream with its channels"
            )

    def _stamp(self, frame: Frame) -> float:
        """The frame's capture on LSL's clock."""
        assert self._offset is not None
        if frame.captured is not None:  # both clocks run alike, and may be far apart
            now: float = self._clock()
            return now - time.monotonic() + frame.captured
        return frame.t + self._offset

    def _reference(self, frame: Frame) -> float:
        """The frames' time now: that of the monotonic clock, or of a stream that begins now."""
        now = time.monotonic()
        return now if abs(now - frame.t) < SAME_CLOCK else frame.t

    def _describe(self, info: StreamInfo) -> None:
        found = [channel for _, block in self._blocks for channel in block]
        info.set_channel_labels([label for label, _ in found])
        info.set_channel_units([unit for _, unit in found])
        models = info.desc().append_child("models")
        for model in self._about.models_now():
            one = models.append_child("model")
            one.append_child_value("kind", model.info.kind)
            one.append_child_value("file", model.file)
            one.append_child_value("sha256", model.sha256)
        info.desc().append_child_value("source", self._about.source)


def blocks(models: tuple[UsedModel, ...]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Whom there are channels for, by name, and their labels and units."""
    found = []
    for model in models:
        names = ("left", "right") if model.info.kind == "hand" else (model.info.kind,)
        for name in names:
            channels = [(f"{name}_presence", "share")]
            for landmark in model.info.landmarks:
                channels += [(f"{name}_{landmark}_{a}", "pixels") for a in "xy"]
                channels.append((f"{name}_{landmark}_score", "share"))
            if model.info.kind == "face":
                units = ("degrees",) * 3 + ("centimetres",) * 3
                channels += [
                    (f"{name}_{part}", unit) for part, unit in zip(POSE, units, strict=True)
                ]
                if "expressions" in model.info.gives:
                    channels += [(f"{name}_{expression}", "share") for expression in EXPRESSIONS]
            found.append((name, channels))
    return found


def values_of(track: Track | None, count: int) -> Floats:
    """The channels (count,) of one track; NaN where there is none."""
    values = np.full(count, np.nan, np.float32)
    if track is None:
        return values
    values[0] = track.presence
    points = np.column_stack([track.xy, track.score]).ravel()
    values[1 : 1 + len(points)] = points
    rest = values[1 + len(points) :]  # a view: a face's pose, then what it expresses
    if track.pose is not None and len(rest) >= len(POSE):
        rest[:3] = track.pose.yaw, track.pose.pitch, track.pose.roll
        if track.pose.xyz_cm is not None:
            rest[3:6] = track.pose.xyz_cm
    if track.expressions is not None and len(rest) == len(POSE) + len(EXPRESSIONS):
        rest[len(POSE) :] = track.expressions
    return values


def _stay_here() -> None:
    """Unless the user has a configuration of LSL's, streams are found on this computer alone."""
    import pylsl

    own = [Path("lsl_api.cfg"), Path.home() / "lsl_api" / "lsl_api.cfg", Path("/etc/lsl_api")]
    if "LSLAPICFG" not in os.environ and not any(path.exists() for path in own):
        pylsl.set_config_content(MACHINE_ONLY)
