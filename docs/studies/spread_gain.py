"""What do labels bring that spread? Six labelled frames a clip, with and without spreading.

    python -m docs.studies.spread_gain reference CLIP... --bundle hand_landmarker.task --out REF
    python -m docs.studies.spread_gain accuracy CLIPS REF --out runs/spread
    python -m docs.studies.spread_gain gain CLIPS REF --out runs/spread --steps 150

CLIPS is a folder of clips of one hand. Nobody labelled them by hand: the reference is MediaPipe's
HandLandmarker over turned and scaled crops, the median of the views; frames in which these disagree
are left out (it wants the package mediapipe). Of every clip six frames, one at random in each sixth
of its time, take the place of labels by hand.

`accuracy` spreads from them and compares with all other frames of the reference. `gain` fine-tunes
from the bundled model and measures on all reference frames of the clip that was left out.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from tracker.types import Floats, Image
from tracker.whole_files import write_whole

LABELS = 6  # frames of a clip that take the place of labels by hand
TURNS, WIDTHS = (0, -20, 20, 10), (2.2, 2.8)  # degrees; crop / longer side of the points' box
AGREED = 0.03  # sides; median distance of the views from their median
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Clips = Annotated[Path, typer.Argument(help="Folder of clips.")]
References = Annotated[Path, typer.Argument(help="Folder that `reference` wrote.")]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is taken for the truth of a clip."""

    clip: str
    xy: dict[int, Floats]  # of frames: (21, 2) pixels


def read_reference(path: Path) -> Reference:
    """A file that `reference` wrote."""
    body = json.loads(path.read_text(encoding="utf-8"))
    xy = {int(r["frame"]): np.array(r["xy"], np.float32) for r in body["rows"]}
    return Reference(str(body["clip"]), xy)


@app.command()
def reference(
    clips: Annotated[list[Path], typer.Argument(help="Clips of one hand.")],
    bundle: Annotated[Path, typer.Option(help="MediaPipe's hand_landmarker.task.")],
    out: Annotated[Path, typer.Option(help="Folder of the references.")],
    every: Annotated[int, typer.Option(help="Look at each so many-th frame.")] = 1,
) -> None:
    """Ask MediaPipe, from several sides."""
    from tracker.checkup.peers import HandPoints
    from tracker.sources.video_file import VideoReader

    hands = HandPoints(bundle, 1)
    out.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        rows = []
        for frame in VideoReader(clip).frames():
            found = None if frame.index % every or frame.bgr is None else agreed(hands, frame.bgr)
            if found is not None:
                rows.append({"frame": frame.index, "xy": found.round(3).tolist()})
        body = json.dumps({"clip": clip.name, "rows": rows})
        write_whole(out / f"{clip.stem}.json", body.encode())
        typer.echo(f"{clip.name}: {len(rows)} frames")
    hands.close()


def agreed(hands: Any, bgr: Image) -> Floats | None:
    """The median of the views (21, 2); None where there is no hand, or they disagree."""
    first = hands.find(bgr)
    if len(first) != 1:
        return None
    low, high = first[0].min(0), first[0].max(0)
    middle, side, views = (low + high) / 2, float((high - low).max()), list[Floats]()
    for turn in TURNS:
        for width in WIDTHS:
            matrix = cv2.getRotationMatrix2D(middle.tolist(), turn, 256 / (width * side))
            matrix[:, 2] += 127.5 - middle
            found = hands.find(
                cv2.warpAffine(bgr, matrix, (256, 256), borderMode=cv2.BORDER_REPLICATE)
            )
            if len(found) == 1:
                views.append((found[0] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
    if len(views) <= len(TURNS) * len(WIDTHS) // 2:
        return None
    every = np.stack(views)
    median = np.median(every, 0)
    apart = float(np.median(np.linalg.norm(every - median, axis=2))) / side
    return None if apart > AGREED else np.asarray(median, np.float32)


def chosen(found: Reference, seed: int) -> list[int]:
    """LABELS frames of a reference, one at random in each part of its time."""
    rng = np.random.default_rng([seed, *found.clip.encode()])
    return [int(rng.choice(part)) for part in np.array_split(sorted(found.xy), LABELS)]


def make_project(clips: Path, found: list[Reference], folder: Path) -> Any:
    """A project of hands with these clips, linked."""
    from tracker.find.markups import find_markup
    from train.project.adding import add_clips
    from train.project.layout import create_project, open_project

    if (folder / "project.toml").is_file():
        return open_project(folder)
    project = create_project(folder, find_markup("hand21"))
    add_clips(project, [clips / r.clip for r in found])
    return project


def put_labels(project: Any, store: Any, found: Reference, numbers: list[int]) -> None:
    """Label these frames of a clip."""
    from train.project.clips import ClipFrames, read_clips
    from train.project.labels import FrameLabel, ObjectLabel

    clip = next(c for c in read_clips(project) if c.name == found.clip)
    with ClipFrames(project, clip) as frames:
        for n in sorted(numbers):
            frame = frames.frame(n)
            assert frame.bgr is not None
            store.keep_picture(clip.name, n, frame.bgr)
            thing = ObjectLabel(1, found.xy[n], np.full(21, 2, np.uint8), None, "user")
            store.set_frame(FrameLabel(clip.name, n, frame.t, clip.size_wh, (thing,)))


@app.command()
def accuracy(
    clips: Clips,
    references: References,
    out: Annotated[Path, typer.Option(help="Folder of the projects.")],
    seeds: Annotated[int, typer.Option(help="Choices of the labelled frames.")] = 3,
    by_flow: Annotated[bool, typer.Option("--by-flow", help="Without the network.")] = False,
) -> None:
    """How far proposals lie from the reference, by how sure they are."""
    from train.project.clips import read_clips
    from train.project.store import Store
    from train.spread.spread import spread
    from train.spread.stretches import SpreadSpec, stretches
    from train.suggest.prelabel import current_model

    truth = [read_reference(p) for p in sorted(references.glob("*.json"))]
    spec, rows, missed = SpreadSpec(min_confidence=0.05), list[tuple[str, float, float, int]](), 0
    project = make_project(clips, truth, out / "accuracy")
    model = None if by_flow else current_model(project, threads=1)
    for seed in range(seeds):
        with Store.open(project) as store:
            for key in list(store.labels.frames):
                store.remove_frame(*key)
            for found in truth:
                put_labels(project, store, found, chosen(found, seed))
            labels = store.labels
        todo = stretches(project, labels, read_clips(project), spec, "")
        by_name = {r.clip: r for r in truth}
        for part in spread(project, todo, model, spec, lambda *_: None, lambda: False):
            for key, label in part.proposals.items():
                xy = by_name[key[0]].xy.get(key[1])
                if xy is None:
                    continue
                missed += label is None
                near = min(abs(key[1] - n) for name, n in labels.frames if name == key[0])
                rows += [] if label is None else measured(key[0], label.objects[0], xy, near)
    show(rows, missed)


def measured(clip: str, thing: Any, xy: Floats, near: int) -> list[tuple[str, float, float, int]]:
    """Of each point: clip, error in sides of the reference's box, confidence, frames to a label."""
    side = float(np.ptp(xy, axis=0).max())
    error = np.linalg.norm(thing.xy - xy, axis=1) / side
    return [
        (clip, float(e), float(c), near)
        for e, c, v in zip(error, thing.confidence, thing.v, strict=True) if v
    ]  # fmt: skip


def show(rows: list[tuple[str, float, float, int]], missed: int) -> None:
    """Tables by clip, by confidence and by the distance in frames."""
    error, sure = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    near = np.array([r[3] for r in rows])
    clips = np.array([r[0] for r in rows])
    typer.echo(f"{len(rows)} points; {missed} frames without a proposal")
    parts = [(name, clips == name) for name in sorted(set(clips.tolist()))]
    edges = (0.05, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
    parts += [
        (f"confidence {a:.2f} to {b:.2f}", (sure >= a) & (sure < b))
        for a, b in itertools.pairwise(edges)
    ]
    frames = (1, 3, 6, 11, 21, 51)
    parts += [
        (f"{a} to {b - 1} frames away", (near >= a) & (near < b))
        for a, b in itertools.pairwise(frames)
    ]
    for name, at in parts:
        if at.any():
            typer.echo(
                f"{name:28}  {at.sum():6} points  mean error {100 * error[at].mean():5.2f} %  "
                f"within 5 %: {100 * (error[at] < 0.05).mean():5.1f} %  "
                f"mean confidence {sure[at].mean():.2f}"
            )


if __name__ == "__main__":
    app()
