"""Two new gestures from 30 s of labelled ranges each, tested on another clip.

    python -m docs.studies.gestures.from_ranges --data FOLDER --out runs/new_gestures

FOLDER holds hands21/. One clip shows the pictures of `sign_digits` (many people) of two digits, 200
pictures each in 30 s; the other those of `asl_cutout` (other people). No landmark is labelled: the
project has time ranges alone, so the localiser stays and the gesture head learns from landmarks.
Everything goes the user's way: clips, ranges, `train finetune`, hold-out by clip. The pairs are
all of 6, 7, 8, 9 (thumb to the little, ring, middle or index finger), and the four together.
"""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from tracker.find.markups import find_markup
from tracker.find.model_file import is_project
from tracker.outputs.out_file import OutFile
from tracker.outputs.video_writer import VideoWriter
from tracker.sources.video_file import VideoFacts
from tracker.whole_files import write_table
from train.finetune.choices import Budget
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Wish, plan_run
from train.project.adding import add_clips
from train.project.labels import Range
from train.project.layout import Project, create_project, open_project
from train.project.store import Store

DIGITS = ("6", "7", "8", "9")
NAMES = {"6": "six", "7": "seven", "8": "eight", "9": "nine"}
SECONDS = 30.0  # a class
SIDE = 384  # pixels of the clip: the pictures are 192 px and stand in its middle
SOURCES = {"training.mp4": "sign_digits", "other_people.mp4": "asl_cutout"}


def make_clip(data: Path, source: str, digits: tuple[str, ...], path: Path) -> list[Range]:
    """A clip of the pictures of these digits, 30 s each at most, and its ranges."""
    folder = data / "hands21"
    coco = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    stills = {
        d: [i for i in coco["images"] if i["source"] == source and i["gesture"] == d]
        for d in digits
    }
    rate = max(len(s) for s in stills.values()) / SECONDS
    form = VideoFacts((SIDE, SIDE), Fraction(1, 1000), Fraction(round(rate)), None, Fraction(1))
    video = VideoWriter(OutFile(path), form)
    ranges, t = [], 0.0
    for digit, images in stills.items():
        start = t
        for image in images:
            bgr = cv2.imread(str(folder / image["file_name"]))
            if bgr is None:
                raise ValueError(f"{folder / image['file_name']} cannot be read")
            canvas = np.full((SIDE, SIDE, 3), 96, np.uint8)
            low = (SIDE - bgr.shape[0]) // 2
            canvas[low : low + bgr.shape[0], low : low + bgr.shape[1]] = bgr
            video.write(canvas, t)
            t += 1 / rate
        ranges.append(Range(path.name, start, t - 0.5 / rate, "gesture", NAMES[digit]))
    video.finish()
    return ranges


def make_project(data: Path, root: Path, digits: tuple[str, ...]) -> Project:
    """The project of a set of digits; its second clip is held out."""
    if is_project(root):
        return open_project(root)
    sources = root.with_name(f"{root.name}_clips")
    sources.mkdir(parents=True, exist_ok=True)
    ranges = []
    for name, source in SOURCES.items():
        ranges += make_clip(data, source, digits, sources / name)
    project = create_project(root, find_markup("hand21"), "", [NAMES[d] for d in digits])
    add_clips(project, [sources / name for name in SOURCES])
    with Store.open(project) as store:
        store.set_ranges(ranges)
        store.save()
    project.split_path.write_text(json.dumps({"hold": ["other_people.mp4"], "why": "other people"}))
    return project


def main(
    data: Annotated[Path, typer.Option(help="Folder with hands21/.")],
    out: Annotated[Path, typer.Option(help="Folder of the projects.")] = Path("runs/new_gestures"),
    steps: Annotated[int, typer.Option(help="Training steps.")] = 400,
) -> None:
    """Train what is missing, print the accuracies."""
    out.mkdir(parents=True, exist_ok=True)
    table = []
    for digits in [*combinations(DIGITS, 2), DIGITS]:
        root = out / "".join(digits)
        make_project(data, root, digits)
        done = root / "models" / "run" / "comparison.json"
        if not done.is_file():
            hooks = Hooks(say=lambda text: print(f"  {text}", flush=True))
            plan = plan_run(root, Wish(budget=Budget(steps=steps), threads=1, name="run"), hooks)
            run_plan(plan, hooks)
        found = json.loads(done.read_text(encoding="utf-8"))["tuned"]["attributes"]["gesture"]
        table.append({
            "gestures": " ".join(NAMES[d] for d in digits), "hold_out_frames": found["count"],
            "accuracy": round(found["accuracy"], 4),
        })  # fmt: skip
        print(table[-1], flush=True)
    write_table(out / "new_gestures.csv", table)


if __name__ == "__main__":
    typer.run(main)
