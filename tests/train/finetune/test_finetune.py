"""`train finetune` on a tiny project, whole: from labels to a model that the tracker loads."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import assets
from tests.helpers.teaching import MARKUP, tiny_network
from tracker.find.locate import load_model
from tracker.find.model_file import newest_model
from tracker.outputs.out_file import OutFile
from tracker.outputs.video_writer import VideoWriter
from tracker.sources.video_file import VideoFacts
from train.data.cutouts import Wanted
from train.data.from_project import ONE_CLIP, read_split
from train.finetune.choices import Budget
from train.finetune.compare import compare
from train.finetune.finetune import run_plan
from train.finetune.plan import (
    Hooks,
    Wish,
    base_facts,
    base_of_run,
    plan_run,
    resume_plan,
    unfinished,
)
from train.project.adding import add_clips
from train.project.clips import ClipFrames, read_clips
from train.project.labels import FrameLabel, ObjectLabel, Range, whole_rows
from train.project.layout import create_project, open_project
from train.project.store import Store
from train.report.findings import labels_of_run
from ui.commands.train import app

SIZE = 96


def points(index, clip):
    """Three points that wander slowly."""
    shift = np.array([6 * np.sin(0.3 * index + clip), 5 * np.cos(0.2 * index + clip)])
    return (np.array([[48, 26], [30, 60], [66, 62]]) + shift).astype(np.float32)


def picture(xy):
    """A blob of its own colour at each point."""
    bgr = np.full((SIZE, SIZE, 3), 40, np.uint8)
    for (x, y), colour in zip(xy, ((255, 80, 80), (80, 255, 80), (80, 80, 255)), strict=True):
        cv2.circle(bgr, (round(float(x)), round(float(y))), 6, colour, -1)
    return bgr


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    tiny_network(monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two clips of three moving blobs, some frames labelled, two gestures."""
    from fractions import Fraction

    tmp_path = tmp_path_factory.mktemp("finetune")
    project = create_project(tmp_path / "p", MARKUP, "", ["fist", "point"])
    for number, name in enumerate(("a.mp4", "b.mp4")):
        form = VideoFacts((SIZE, SIZE), Fraction(1, 1000), Fraction(25), None, Fraction(1))
        video = VideoWriter(OutFile(tmp_path / name), form)
        for i in range(16):
            video.write(picture(points(i, number)), i / 25)
        video.finish()
    add_clips(project, [tmp_path / "a.mp4", tmp_path / "b.mp4"])
    with Store.open(project) as store:
        for number, clip in enumerate(read_clips(project)):
            with ClipFrames(project, clip) as frames:
                for i in range(0, 16, 3):
                    frame = frames.frame(i)
                    store.keep_picture(clip.name, i, frame.bgr)
                    one = ObjectLabel(1, points(i, number), np.full(3, 2, np.uint8), None, "user")
                    store.set_frame(FrameLabel(clip.name, i, frame.t, (SIZE, SIZE), (one,), False))
        store.set_ranges([
            Range(c, t, t + 0.25, "gesture", g)
            for c in ("a.mp4", "b.mp4") for t, g in ((0.0, "fist"), (0.3, "point"))
        ])  # fmt: skip
        store.save()
    return project.root


@pytest.fixture
def root(made, tmp_path):
    return shutil.copytree(made, tmp_path / "p")


def run_cli(*args):
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture(scope="module")
def taught(made, tmp_path_factory):
    """The project after a run of the command, and what that said; copied before it is changed."""
    root = shutil.copytree(made, tmp_path_factory.mktemp("taught") / "p")
    with pytest.MonkeyPatch.context() as patch:
        tiny_network(patch)
        args = ("--budget", "4it", "--threads", "1", "--name", "first")
        return root, run_cli("finetune", root, *args)


@pytest.fixture
def first(taught, root):
    """A copy of the project after that run."""
    assert taught[1].exit_code == 0, taught[1].output
    return shutil.copytree(taught[0], root, dirs_exist_ok=True)


def test_from_labels_to_a_model(taught, first):
    root, done = first, taught[1]
    assert done.exit_code == 0, done.output
    assert "hold-out: " in done.output
    assert "no time is labelled 'none'" in done.output
    out = root / "models" / "first"
    facts = json.loads((out / "run.json").read_text())
    assert facts["state"] == "finished"
    assert facts["census"]["labelled"] == {"hold": 6, "train": 6}
    assert facts["census"]["unlabelled"]["train"] > 0  # from between labelled frames
    assert json.loads((out / "comparison.json").read_text())["tuned"]["images"] == 6
    assert newest_model(root) == out / "model.onnx"
    info = load_model(out / "model.onnx").info
    assert info.landmarks == ("tip", "left", "right")
    assert info.kind == "object"
    assert [a.classes for a in info.attributes] == [("none", "fist", "point")]
    split = json.loads((root / "labels" / "split.json").read_text())
    assert len(split["hold"]) == 1
    again = run_cli("finetune", root, "--budget", "4it", "--name", "first")
    assert again.exit_code != 0
    assert "exists" in str(again.exception)


def test_rounds_by_the_command(root):
    args = ("--budget", "12it", "--threads", "1", "--name", "taught", "--losses", "L,rounds")
    done = run_cli("finetune", root, *args)
    assert done.exit_code == 0, done.output
    assert "self-training: rounds (while the hold-out gains)" in done.output
    assert "round 1: " in done.output and "pictures labelled" in done.output
    out = root / "models" / "taught"
    facts = json.loads((out / "run.json").read_text())
    assert (facts["state"], facts["course"]) == ("finished", "rounds")
    assert json.loads((out / "progress.json").read_text())["state"] == "done"
    assert not (out / "stages").exists()
    assert load_model(out / "model.onnx").info.landmarks == ("tip", "left", "right")


def test_the_hold_out_chooses_the_losses(root, monkeypatch):
    monkeypatch.setattr("train.finetune.choices.FEWEST_JUDGED", 6)
    monkeypatch.setattr("train.finetune.choices.FEWEST_TO_TRY", 12)
    said = []
    wish = Wish(budget=Budget(steps=12), threads=1, name="auto")
    plan = plan_run(root, wish, Hooks())
    assert (plan.course, plan.spec.loss.alpha) == ("auto", 0.0)
    again = resume_plan(root, Wish(), Hooks())
    assert again.course == "auto"
    run_plan(again, Hooks(say=said.append))
    facts = json.loads((plan.out / "run.json").read_text())
    told = facts["choices"][-1]
    assert told["what"] == "losses chosen" and "on 6 held-out objects" in told["why"]
    assert f"losses chosen: {told['value']} ({told['why']})" in said


def test_a_killed_run_goes_on_as_if_nothing_had_been(root, monkeypatch):
    monkeypatch.setattr(  # its numbers count here; from_labels looks at the exported model
        "train.finetune.finetune.export_model", lambda _, out: out.write_bytes(b"exported")
    )
    wish = Wish(budget=Budget(steps=6), threads=1)
    whole = run_plan(plan_run(root, Wish(budget=Budget(steps=6), threads=1, name="whole"), Hooks()),
                     Hooks())  # fmt: skip

    def kill(p):
        if p.step == 3:
            raise RuntimeError("killed")

    # the model that now exists must not change what the second run sees
    (root / "models" / "whole" / "model.onnx").rename(root / "kept.onnx")
    plan = plan_run(root, Wish(budget=Budget(steps=6), threads=1, name="cut"), Hooks())
    with pytest.raises(RuntimeError, match="killed"):
        run_plan(plan, Hooks(step=kill))
    assert [p.name for p in unfinished(plan.project)] == ["cut"]
    resumed = run_plan(resume_plan(root, wish, Hooks()), Hooks())
    assert resumed["tuned"]["nme"] == whole["tuned"]["nme"]
    assert unfinished(plan.project) == []
    with pytest.raises(ValueError, match="no unfinished run"):
        resume_plan(root, wish, Hooks())


def test_resume_takes_all_that_decides_the_weights_from_the_run(root, monkeypatch):
    wish = Wish(budget=Budget(steps=6), threads=1, seed=5, wanted=Wanted(7, 5), name="cut")
    plan = plan_run(root, wish, Hooks())
    again = resume_plan(root, Wish(), Hooks())
    assert again.spec == plan.spec and (plan.spec.threads, plan.spec.seed) == (1, 5)
    assert len(again.data.examples) == len(plan.data.examples)
    seen = []
    monkeypatch.setattr("train.finetune.finetune.run_plan", lambda plan, _: seen.append(plan) or {})
    monkeypatch.setattr("ui.commands.terminal.print_comparison", lambda _: None)
    done = run_cli("finetune", root, "--resume", "--seed", 9)
    assert done.exit_code == 0, done.output
    assert "note: --seed is for new runs; --resume goes on as the run began" in done.output
    assert run_cli("finetune", root, "--resume", "--threads", 2).exit_code == 0
    assert [p.spec.threads for p in seen] == [1, 2] and {p.spec.seed for p in seen} == {5}


def test_a_run_that_was_killed_before_it_began_leaves_its_name(root):
    (root / "models" / "x").mkdir()
    (root / "models" / "x" / "labels.json").write_text("{}")
    (root / "models" / "x" / ".start.safetensors.1.part").write_text("half")
    plan = plan_run(root, Wish(budget=Budget(steps=2), threads=1, name="x"), Hooks())
    assert not list(plan.out.glob(".*.part"))
    (plan.out / "notes.txt").write_text("mine")
    (plan.out / "run.json").unlink()
    with pytest.raises(ValueError, match="x exists; choose another --name"):
        plan_run(root, Wish(budget=Budget(steps=2), threads=1, name="x"), Hooks())
    for name in ("..", "../x", "/tmp/x"):
        with pytest.raises(ValueError, match="--name is the name of a folder in models"):
            plan_run(root, Wish(budget=Budget(steps=2), threads=1, name=name), Hooks())


@pytest.mark.parametrize(
    "change", [{"spec": 7}, {"spec": {}}, {"begun": 7}, {"split": {}}, {"choices": [7]},
               {"wanted": {"x": 1}}, {"split": None}]
)  # fmt: skip
def test_a_run_json_that_says_too_little(root, change):
    plan = plan_run(root, Wish(budget=Budget(steps=6), threads=1, name="cut"), Hooks())
    facts = json.loads((plan.out / "run.json").read_text())
    (plan.out / "run.json").write_text(json.dumps(facts | change))
    with pytest.raises(ValueError, match=r"run\.json is incomplete .*start a new run"):
        resume_plan(root, Wish(), Hooks())


def test_changed_labels_are_not_resumed(root):
    plan = plan_run(root, Wish(budget=Budget(steps=6), threads=1), Hooks())
    with Store.open(plan.project) as store:
        store.remove_frame("a.mp4", 0)
    with pytest.raises(ValueError, match="have changed since"):
        resume_plan(root, Wish(), Hooks())


def without(root, clip, first):
    """A copy of a project's labels as they were before a clip's frames from `first` on were."""
    project = open_project(root)
    with Store.open(project) as store:
        gone = {k: f for k, f in store.labels.frames.items() if k[0] == clip and k[1] >= first}
        for key in gone:
            store.remove_frame(*key)
    return project, gone


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (None, False),
        ({"hold": [], "stretch": ["a.mp4", 0.5, 0.6], "why": ONE_CLIP}, False),
        ({"hold": [], "why": "nothing is held out on purpose"}, True),
        ({"hold": []}, True),
        ({"hold": [], "stretch": ["a.mp4", 0.5, 0.6], "why": "the hard part"}, True),
    ],
)
def test_what_could_not_be_held_out_at_first_is_later(root, written, kept):
    """Three labels in one clip hold out nothing; the run says to label a second clip."""
    project, b = without(root, "b.mp4", 0)
    _, a = without(root, "a.mp4", 9)
    wish = Wish(budget=Budget(steps=2), threads=1, losses=("L",))
    if written is None:
        assert plan_run(root, replace(wish, name="few"), Hooks()).split.why.startswith("nothing")
    else:
        project.split_path.write_text(json.dumps(written))
    with Store.open(project) as store:
        for frame in (*a.values(), *b.values()):
            store.set_frame(frame)
    said = []
    plan = plan_run(root, replace(wish, name="more"), Hooks(say=said.append))
    assert (len(plan.split.hold) == 0) == kept
    assert any("chosen anew" in s for s in said) != kept
    assert read_split(project) == plan.split


def test_a_hold_out_that_the_project_has_not_is_said(root):
    """A slip of the pen in split.json would hold out nothing."""
    path = root / "labels" / "split.json"
    path.write_text(json.dumps({"hold": ["c.mp4"]}))
    wish = Wish(budget=Budget(steps=2), threads=1, losses=("L",))
    with pytest.raises(
        ValueError, match=r"holds out 'c\.mp4', which .* has a\.mp4, b\.mp4: correct"
    ):
        plan_run(root, replace(wish, name="c"), Hooks())
    path.write_text(json.dumps({"hold": ["b"]}))
    assert plan_run(root, replace(wish, name="b"), Hooks()).split.hold == ("b.mp4",)


def test_a_run_keeps_the_ranges_that_are_not_saved_yet(root):
    """One labels on while a training begins: the newest ranges are in the journal alone."""
    project = open_project(root)
    with Store.open(project) as store:
        ranges = [Range("a.mp4", 0.0, 0.2, "gesture", "fist")]
        store.set_ranges(ranges)
        plan = plan_run(root, Wish(budget=Budget(steps=2), threads=1, name="r"), Hooks())
    assert list(whole_rows(plan.out / "ranges.csv").ranges) == ranges
    assert labels_of_run(project, plan.out).ranges == tuple(ranges)


def test_what_cannot_be_is_said_and_leaves_nothing(root, monkeypatch):
    with pytest.raises(ValueError, match=r"s are too few: a step takes .* give --budget"):
        plan_run(root, Wish(budget=Budget(seconds=0.01), threads=1, name="x"), Hooks())
    assert not (root / "models" / "x").exists()
    with pytest.raises(ValueError, match="--from takes hand21, face68, face68_free, scratch"):
        plan_run(root, Wish(base="nothing.safetensors"), Hooks())
    usual = assets.path

    def path(name):
        if "face68_free" in name:
            raise FileNotFoundError(name)
        return usual(name)

    monkeypatch.setattr(assets, "path", path)
    with pytest.raises(ValueError, match=r"face68_free\.safetensors is not in this installation"):
        plan_run(root, Wish(base="face68_free"), Hooks())
    with Store.open(plan_project(root)) as store:
        store.set_ranges([])
    with pytest.raises(ValueError, match="no labelled time ranges outside the hold-out"):
        plan_run(root, Wish(losses=("L", "A")), Hooks())
    assert not list((root / "models").iterdir())


def plan_project(root):
    from train.project.layout import open_project

    return open_project(root)


def test_ranges_alone_freeze_the_localiser(root):
    project = plan_project(root)
    with Store.open(project) as store:
        for key in list(store.labels.frames):
            store.remove_frame(*key)
    hand = project.root / "project.toml"
    text = hand.read_text().replace('kind = "object"', 'kind = "face"')
    hand.write_text(text)
    # nothing of the kind is in the clips, so nothing can be learnt, and that is said
    with pytest.raises(ValueError, match="there is nothing to learn"):
        plan_run(root, Wish(base="face68", budget=Budget(steps=2), threads=1), Hooks())


def test_without_a_no_head_is_made_for_the_gestures(root):
    wish = Wish(budget=Budget(steps=2), threads=1, losses=("L", "ELT"), name="plain")
    plan = plan_run(root, wish, Hooks())
    assert plan.spec.heads == ()
    again = resume_plan(root, Wish(threads=1), Hooks())
    assert again.out == plan.out
    assert not any(e.attributes for e in again.data.examples)


def test_the_base_is_the_file_that_it_was_wherever_one_stands(first, tmp_path, monkeypatch):
    root = first
    base = tmp_path / "elsewhere" / "model.safetensors"
    base.parent.mkdir()
    shutil.copy(root / "models" / "first" / "model.safetensors", base)
    monkeypatch.chdir(base.parent)
    wish = Wish(base="model.safetensors", budget=Budget(steps=2), threads=1, name="second")
    plan = plan_run(root, wish, Hooks())
    monkeypatch.chdir(root / "models" / "first")  # another model.safetensors
    (root / "models" / "first" / "model.safetensors").write_bytes(b"no checkpoint")
    told = compare(plan, base)
    assert told["base"]["nme"] == told["tuned"]["nme"]
    facts = json.loads((plan.out / "run.json").read_text())
    assert base_of_run(plan.project, facts) == base.resolve()
    base.write_bytes(b"another one")
    assert "base" not in compare(plan, plan.start)
    with pytest.raises(ValueError, match=r"model\.safetensors, from which the run started, is no"):
        base_of_run(plan.project, facts)


def test_a_base_in_the_project_moves_with_it(root):
    project = plan_project(root)
    inside = project.models_dir / "a" / "model.safetensors"
    inside.parent.mkdir()
    inside.write_bytes(b"weights")
    facts = {"base": inside.name, **base_facts(project, inside.name, inside)}
    assert facts["base_file"] == "models/a/model.safetensors"
    moved = root.rename(root.with_name("q"))
    assert base_of_run(plan_project(moved), facts) == moved / facts["base_file"]
    assert base_facts(project, "scratch", None) == {}
    assert base_of_run(project, {"base": "scratch"}) is None
