"""Faces taught from a base of the new shape: irises and finer heat beside the 68 landmarks."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.clips import face_xy
from tracker.find.locate import load_model
from tracker.find.markups import IRISES, find_markup
from tracker.find.model_file import Attribute
from tracker.outputs.out_file import OutFile
from tracker.outputs.video_writer import VideoWriter
from tracker.sources.video_file import VideoFacts
from train.config import FitSpec
from train.data.pictures import Markup
from train.finetune.choices import Budget
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Plan, Wish, plan_run, resume_plan
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint
from train.loop.warm_start import adapt, fitting_net
from train.networks import NetSpec
from train.networks.model import Head
from train.project.adding import add_clips
from train.project.clips import ClipFrames, read_clips
from train.project.labels import FrameLabel, ObjectLabel
from train.project.layout import create_project
from train.project.store import Store

SIZE, FACE = 96, find_markup("face68")
NET = NetSpec(size=64, stem=4, widths=(8, 8, 8, 8), gist=8, fine=(36, 60, 68, 69), fine_width=8)
HEADS = (
    Head(Attribute("pose", size=3), hidden=8),
    Head(Attribute("expressions", size=52), hidden=8),
    Head(Attribute("visible", size=70), "both", hidden=8),
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A checkpoint of 68 landmarks and two irises."""
    markup = Markup((*FACE.landmarks, *IRISES), FACE.edges, (*FACE.flip_pairs, (68, 69)))
    spec = FitSpec(kind="face", net=NET, heads=HEADS)
    torch.manual_seed(0)
    path = tmp_path / "face.safetensors"
    save_checkpoint(path, spec, markup, 0, None, build_model(spec, markup), None)
    return path


def project(folder: Path) -> Path:
    """Two clips of nothing, in which some frames are labelled."""
    made = create_project(folder / "p", FACE)
    for number, name in enumerate(("a.mp4", "b.mp4")):
        form = VideoFacts((SIZE, SIZE), Fraction(1, 1000), Fraction(25), None, Fraction(1))
        video = VideoWriter(OutFile(folder / name), form)
        for i in range(8):
            video.write(np.full((SIZE, SIZE, 3), 40 + 10 * i + 50 * number, np.uint8), i / 25)
        video.finish()
    add_clips(made, [folder / "a.mp4", folder / "b.mp4"])
    xy = face_xy((48, 48), 24)
    with Store.open(made) as store:
        for clip in read_clips(made):
            with ClipFrames(made, clip) as frames:
                for i in range(0, 8, 2):
                    frame = frames.frame(i)
                    store.keep_picture(clip.name, i, frame.bgr)
                    one = ObjectLabel(1, xy, np.full(68, 2, np.uint8), None, "user")
                    store.set_frame(FrameLabel(clip.name, i, frame.t, (SIZE, SIZE), (one,), False))
        store.save()
    return made.root


def plan(root: Path, base: Path) -> Plan:
    wish = Wish(base=str(base), budget=Budget(steps=2), threads=1, name="x", losses=("L",))
    return plan_run(root, wish, Hooks())


def test_faces_keep_irises_and_what_the_base_tells(tmp_path: Path, base: Path) -> None:
    made = plan(project(tmp_path), base)
    assert made.data.markup.landmarks[-2:] == IRISES and made.spec.net == NET
    assert not any(e.labelled[-2:].any() for e in made.data.examples)
    assert {h.attribute.name for h in made.spec.heads} == {"pose", "expressions", "visible"}
    before, after = (load_checkpoint(path).part("ema") for path in (base, made.start))
    assert all(torch.equal(before[name], after[name]) for name in before)
    again = resume_plan(made.project.root, Wish(), Hooks())
    assert again.data.markup.landmarks == made.data.markup.landmarks
    comparison = run_plan(made, Hooks())
    assert {"base", "tuned"} <= set(comparison)
    info = load_model(made.out / "model.onnx").info
    assert info.landmarks == FACE.landmarks and info.markup is not None
    assert [a.name for a in info.attributes] == ["pose", "expressions", "visible", "iris"]


def test_other_landmarks_have_finer_heat_where_the_base_has_it(tmp_path: Path, base: Path) -> None:
    """By name, and with its weights."""
    known = load_checkpoint(base)
    names = ("tip", FACE.landmarks[60], FACE.landmarks[0], FACE.landmarks[36])
    net = fitting_net(known, names)
    assert net == replace(NET, fine=(1, 3)) and fitting_net(known, ("tip", "end")).fine == ()
    spec = FitSpec(kind="face", net=net, heads=())
    start = adapt(spec, Markup(names), known, tmp_path / "start.safetensors")
    assert start.landmarks == 3
    before, after = known.part("ema"), load_checkpoint(tmp_path / "start.safetensors").part("ema")
    rows = before["net.fine.head.weight"], after["net.fine.head.weight"]  # of 36, 60, ...
    assert torch.equal(rows[1][0], rows[0][1]) and torch.equal(rows[1][1], rows[0][0])
    # the others': of 0 to 35, 37 to 59, 61 to 67; `tip` starts fresh
    assert torch.equal(after["net.head.weight"][1], before["net.head.weight"][0])


def test_a_mouth_is_taught_from_it(tmp_path: Path, base: Path) -> None:
    known = load_checkpoint(base)
    mouth = find_markup("mouth12")
    net = fitting_net(known, mouth.landmarks)
    assert net.fine == ()
    spec = FitSpec(kind="face", net=net, heads=())
    adapt(spec, Markup(mouth.landmarks), known, tmp_path / "start.safetensors")
