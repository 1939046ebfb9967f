"""`osc://HOST:PORT`: plain OSC over UDP, an address for each hand, face, gesture and point.

Each frame is one or more bundles of messages:

    /frame                 i number, f seconds since the first frame
    /NAME/found            i 1 while it is seen; 0 when lost, in every frame, and nothing else of it
    /NAME/point/LANDMARK   f x, f y, f score: x, y as shares of the picture, 0 0 its top left corner
    /NAME/gesture          s gesture, f probability; hands of models with gestures
    /NAME/gesture/GESTURE  f averaged probability, of each gesture the model knows
    /NAME/attribute/CLASS  f averaged value, of each class of the model's other attributes
    /NAME/motion           s motion, f probability; once, in the frame in which it ended
    /NAME/bend             f f f f f  thumb to little finger: 0 straight, 1 bent by 180 degrees
    /NAME/pose             f yaw, f pitch, f roll, degrees; faces
    /NAME/place            f x, f y, f z, cm; faces
    /NAME/iris/SIDE        f x, f y, f score, as a point; SIDE: the person's own, right or left
    /NAME/expression/EXPRESSION  f 0 to 1, ARKit's names; faces of models that give them

NAME is `left` or `right` (the person's own hand), `face` or `object`; a second one is `left2`,
`face2`. LANDMARK is the model's name of it; letters that an address cannot hold are `_`. See
`tracker.find.head_pose` for signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from tracker.find.expressions import by_name
from tracker.find.hand_bones import BoneLengths, finger_bends, hand_bones
from tracker.outputs.output import About
from tracker.outputs.streams.address import Datagrams
from tracker.outputs.streams.names import Names
from tracker.outputs.streams.osc_packets import bundles, message, need_osc, rows
from tracker.result import Result
from tracker.types import Frame, Track

PORT = 9000


class Osc:
    """Sends bundles to one address."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where that is no address, or python-osc is not there."""
        need_osc()
        self._about, self._out = about, Datagrams(target, PORT)
        self._names, self._lengths = Names(), dict[str, BoneLengths]()
        self._start: float | None = None
        self._size_wh = (1, 1)

    def put(self, frame: Frame, result: Result | None) -> None:
        """Send what is seen, and who is lost."""
        if self._start is None:
            self._start = frame.t
        if frame.bgr is not None:
            self._size_wh = (frame.bgr.shape[1], frame.bgr.shape[0])
        seen = self._names.given(result)
        messages = [message("/frame", frame.index, frame.t - self._start)]
        messages += [message(f"/{name}/found", int(name in seen)) for name in self._names.known]
        for name, track in seen.items():
            messages += self._about_track(name, track)
        for datagram in bundles(messages):
            self._out.send(datagram)

    def close(self, whole: bool) -> None:
        """All are lost from here on."""
        for datagram in bundles(message(f"/{name}/found", 0) for name in self._names.known):
            self._out.send(datagram)
        self._out.close()

    def _about_track(self, name: str, track: Track) -> Iterator[bytes]:
        points = np.column_stack([track.xy / self._size_wh, track.score])
        yield from rows(point_addresses(name, self._landmarks(track)), points)
        if track.gesture is not None:
            yield message(f"/{name}/gesture", track.gesture, track.gesture_p)
        for gesture, p in track.gestures:
            yield message(gesture_address(name, gesture), float(p))
        if track.happened is not None:
            yield message(f"/{name}/motion", track.happened.name, track.happened.p)
        for attribute, value in track.attributes:
            yield message(attribute_address(name, attribute), float(value))
        bones = hand_bones(track, self._lengths.setdefault(name, BoneLengths()))
        if bones is not None:
            yield message(f"/{name}/bend", *finger_bends(bones).tolist())
        pose = None if track.pose is None else self._about.centred(track.pose)
        if pose is not None:
            yield message(f"/{name}/pose", pose.yaw, pose.pitch, pose.roll)
            if pose.xyz_cm is not None:
                yield message(f"/{name}/place", *pose.xyz_cm.tolist())
        if track.irises is not None:
            for side, (x, y, score) in zip(("right", "left"), track.irises, strict=True):
                spot = np.array([x, y]) / self._size_wh
                yield message(f"/{name}/iris/{side}", *spot.tolist(), float(score))
        if track.expressions is not None:
            for expression, value in by_name(track.expressions).items():
                yield message(f"/{name}/expression/{expression}", value)

    def _landmarks(self, track: Track) -> tuple[str, ...]:
        for model in self._about.models_now():
            if model.info.kind == track.kind:
                return model.info.landmarks
        return tuple(str(i) for i in range(len(track.xy)))


@lru_cache(maxsize=64)
def point_addresses(name: str, landmarks: tuple[str, ...]) -> list[str]:
    """Those of all points of a hand or face."""
    return [f"/{name}/point/{_part(landmark)}" for landmark in landmarks]


@lru_cache(maxsize=256)
def gesture_address(name: str, gesture: str) -> str:
    """That of a gesture's probability."""
    return f"/{name}/gesture/{_part(gesture)}"


@lru_cache(maxsize=256)
def attribute_address(name: str, attribute: str) -> str:
    """That of a class of any other attribute, such as an expression."""
    return f"/{name}/attribute/{_part(attribute)}"


def _part(name: str) -> str:
    """A name as part of an address."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)
