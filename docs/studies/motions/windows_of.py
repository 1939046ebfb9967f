"""Windows of composed films with the motion that each holds, to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from docs.studies.motions.people import WAYS, Done, Stream
from tracker.gestures.motions.windows import LENGTHS, Path, features, is_whole, path_of, windows
from tracker.types import Floats

SOON = (0.11, 0.27)  # s after its end in which a motion is to be told,
UNCLEAR = (-0.1, 0.45)  # and in which nothing is learnt of a window
NEAR, FAR = 0.2, 0.55  # logarithms: how much longer or shorter than the motion a window is
AMBIGUOUS = -1


def labelled(done: Sequence[Done], names: Sequence[str], ends: Floats, lengths: Floats) -> Floats:
    """(M,) which motion each window holds: 0 none, 1 + its place in `names`, AMBIGUOUS."""
    found = np.zeros(len(ends), int)
    for one in done:
        if one.name in names:  # one that is not asked for is anything else
            clear, unclear = _held(one, ends, lengths)
            found[unclear & (found == 0)] = AMBIGUOUS
            found[clear] = 1 + names.index(one.name)
    return found


def _held(one: Done, ends: Floats, lengths: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which windows hold it clearly, and which perhaps."""
    late = ends - one.end
    if one.name in WAYS or one.name == "pinch_pull":
        longer = np.abs(np.log(lengths / np.maximum(ends - one.start, 1e-3)))
        longer[ends <= one.start] = np.inf
        clear = (late >= SOON[0]) & (late <= SOON[1]) & (longer < NEAR)
        unclear = (late >= UNCLEAR[0]) & (late <= UNCLEAR[1]) & (longer < FAR)
        return clear, unclear
    inside = np.minimum(ends, one.end) - np.maximum(ends - lengths, one.start)
    clear = (inside >= 0.95 * one.once) & (inside >= 0.75 * lengths) & (late <= SOON[1])
    if one.name == "circle":
        clear &= lengths <= 2.2 * one.once
    unclear = (inside >= 0.6 * one.once) & (inside > 0.35 * lengths)
    return clear, unclear


def sample(
    stream: Stream, names: Sequence[str], rng: np.random.Generator, most: int = 60
) -> tuple[Floats, NDArray[np.intp]]:
    """Features (M, F) and classes (M,): windows of each motion, and as many others or `most`."""
    path = path_of(stream.t, stream.xy, stream.is_mirrored)
    ends = np.repeat(path.t[2:], len(LENGTHS))
    lengths = np.tile(LENGTHS, len(path.t) - 2)
    whole = is_whole(path, ends, lengths)
    ends, lengths = ends[whole], lengths[whole]
    classes = labelled(stream.done, names, ends, lengths)
    chosen = [_some(np.flatnonzero(classes == 1 + k), 14, rng) for k in range(len(names))]
    chosen.append(_some(np.flatnonzero(classes == 0), most, rng))
    rows = np.concatenate(chosen)
    return rows_of(path, ends[rows], lengths[rows]), classes[rows]


def rows_of(path: Path, ends: Floats, lengths: Floats) -> Floats:
    """(M, F) features of these windows."""
    return features(windows(path, ends, lengths), lengths)


def _some(found: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.permutation(found)[:most]
