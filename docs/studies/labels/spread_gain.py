"""What do labels bring that spread? Six labelled frames a clip, with and without spreading.

    python -m docs.studies.labels.spread_gain reference CLIP... --bundle TASK --out REF
    python -m docs.studies.labels.spread_gain accuracy CLIPS REF --out runs/spread
    python -m docs.studies.labels.spread_gain gain CLIPS REF --out runs/spread --own

TASK is MediaPipe's hand_landmarker.task.

CLIPS is a folder of clips of one hand. Nobody labelled them by hand: the reference is MediaPipe's
HandLandmarker over turned and scaled crops, the median of the views; frames in which these disagree
are left out (it wants the package mediapipe). Of every clip six frames, one at random in each sixth
of its time, take the place of labels by hand.

`accuracy` spreads from them and compares with all other frames of the reference. `gain` fine-tunes
from the bundled model and measures on frames of the clip that was left out. Landmarks alone (L) are
learnt from, in every arm with the same steps and seed. With `--own` the landmarks are the wrist and
the five tips under names that the model does not know: a markup of one's own, followed by flow
alone.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
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


OWN = (0, 4, 8, 12, 16, 20)  # of the 21 points: wrist and tips


def own_markup() -> Any:
    """Wrist and tips, under names that no model knows."""
    from tracker.find.markups import Markup

    names = tuple(f"own_{i}" for i in OWN)
    edges = tuple((0, i) for i in range(1, len(OWN)))
    return Markup("own", "hand", "hand21", names, edges, (), ())


def make_project(clips: Path, found: list[Reference], folder: Path, own: bool = False) -> Any:
    """A project of hands with these clips, linked."""
    from tracker.find.markups import find_markup
    from tracker.find.model_file import is_project
    from train.project.adding import add_clips
    from train.project.layout import create_project, open_project

    if is_project(folder):
        return open_project(folder)
    project = create_project(folder, own_markup() if own else find_markup("hand21"))
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
            xy = found.xy[n] if len(project.landmarks) == 21 else found.xy[n][list(OWN)]
            thing = ObjectLabel(1, xy, np.full(len(xy), 2, np.uint8), None, "user")
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


ARMS = ("labels", "spread", "flat")  # without proposals; weighted by confidence; all weighing 1


@app.command()
def gain(
    clips: Clips,
    references: References,
    out: Annotated[Path, typer.Option(help="Folder of the cells; those that are there stay.")],
    seeds: Annotated[int, typer.Option(help="Choices of frames, and of the training.")] = 3,
    steps: Annotated[int, typer.Option(help="Of each training.")] = 100,
    hold: Annotated[list[str] | None, typer.Option(help="Clips left out in turn.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Only these (repeatable).")] = None,
    held: Annotated[int, typer.Option(help="Frames of the clip left out, about.")] = 24,
    own: Annotated[bool, typer.Option("--own", help="Landmarks the model does not know.")] = False,
) -> None:
    """Fine-tune, each clip left out in turn; print NME on frames of its reference."""
    truth = [read_reference(p) for p in sorted(references.glob("*.json"))]
    cells: dict[str, dict[str, Any]] = {}
    for seed in range(seeds):
        for left_out in hold or [r.clip for r in truth]:
            for name in arm or ARMS:
                cell = f"{Path(left_out).stem}_{seed}_{name}"
                path = out / f"{cell}.json"
                if not path.is_file():
                    found = one_cell(clips, truth, (left_out, seed, name), out, (steps, own, held))
                    write_whole(path, json.dumps(found).encode())
                cells[cell] = json.loads(path.read_text(encoding="utf-8"))
                typer.echo(f"{cell}: {cells[cell]}")
    summarise(cells, arm or list(ARMS))


def one_cell(
    clips: Path, truth: list[Reference], cell: tuple[str, int, str], out: Path,
    how: tuple[int, bool, int],
) -> dict[str, Any]:  # fmt: skip
    """One training: NME (%) of the start and of the result, labels and proposals learnt from."""
    from train.data.cutouts import Wanted
    from train.data.from_project import Split, write_split
    from train.finetune.choices import Budget
    from train.finetune.finetune import run_plan
    from train.finetune.plan import Hooks, Wish, plan_run
    from train.project.store import Store

    left_out, seed, arm = cell
    steps, own, many = how
    project = make_project(clips, truth, out / Path(left_out).stem, own)
    with Store.open(project) as store:
        for key in [*store.labels.frames]:
            store.remove_frame(*key)
        for found in truth:
            every = sorted(found.xy)
            held = found.clip == left_out
            put_labels(
                project,
                store,
                found,
                every[:: max(1, len(every) // many)] if held else chosen(found, seed),
            )
        write_split(project, Split((left_out,), None, "the study's"))
        if arm != "labels":
            spread_all(project, store, left_out, arm == "flat")
    run = f"seed{seed}_{arm}"
    wish = Wish(None, Budget(steps=steps), ("L",), seed, 1, "cpu", run, Wanted(40, 0),
                before=0.0, spread=arm != "labels")  # fmt: skip
    hooks = Hooks(typer.echo)
    plan = plan_run(project.root, wish, hooks)
    done = run_plan(plan, hooks)
    return {
        "base": done.get("base", {}).get("nme"), "tuned": done["tuned"]["nme"],
        "held": plan.census.labelled.get("hold", 0),
        "labels": plan.census.labelled.get("train", 0), "spread": plan.census.spread,
    }  # fmt: skip


def spread_all(project: Any, store: Any, left_out: str, flat: bool) -> None:
    """Spread in the clips that are learnt from; `flat`: as if every point were sure."""
    from tracker.find.locate import load_model
    from tracker.find.model_file import bundled_file
    from train.project.clips import read_clips
    from train.spread.spread import spread
    from train.spread.stretches import SpreadSpec, plan_of

    clips, spec = [c for c in read_clips(project) if c.name != left_out], SpreadSpec()
    model = load_model(bundled_file(project.kind), 1)  # in every arm the same
    plan = plan_of(project, store.labels, clips, spec, model)
    for part in spread(project, plan.stretches, model, spec, lambda *_: None, lambda: False):
        made = part.proposals
        if flat:
            made = {k: None if f is None else sure_of(f) for k, f in made.items()}
        store.propose(made, {part.stretch.name: True}, plan.group)


def sure_of(frame: Any) -> Any:
    """The same proposal, every point with a confidence of 1."""
    objects = (replace(o, confidence=np.ones_like(o.confidence)) for o in frame.objects)
    return replace(frame, objects=tuple(objects))


def summarise(cells: dict[str, dict[str, Any]], arms: list[str]) -> None:
    """Mean change (%) of the hold-out's NME against the start, and against labels alone."""
    for name in arms:
        mine = {k.removesuffix(f"_{name}"): c for k, c in cells.items() if k.endswith(f"_{name}")}
        change = [100 * (c["tuned"] / c["base"] - 1) for c in mine.values() if c["base"]]
        text = f"{name:8} NME {np.mean([c['tuned'] for c in mine.values()]):.2f} %"
        text += f", {np.mean(change):+.1f} % against the start" if change else ""
        rest = [
            100 * (c["tuned"] / cells[f"{k}_labels"]["tuned"] - 1)
            for k, c in mine.items() if f"{k}_labels" in cells
        ]  # fmt: skip
        if name != "labels" and rest:
            each = ", ".join(f"{v:+.1f}" for v in rest)
            text += f"; against labels alone {np.mean(rest):+.1f} % ({each})"
        typer.echo(text)


if __name__ == "__main__":
    app()
