"""`train report`: a real small run, its page, its share curve, and what makes the numbers weak."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from jinja2 import UndefinedError

from tests.helpers.clips import picture
from tests.helpers.teaching import MARKUP, label, new_project, tiny_network, with_clip
from tracker.stop import Stopped
from tracker.whole_files import write_json
from train.config import FitSpec, spec_to_dict
from train.data.from_project import Split
from train.data.pictures import DataSet, Example, Markup
from train.evaluate.interval import change_between
from train.finetune.choices import Budget
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Wish, plan_run
from train.loop.runlog import write_split
from train.machine.provenance import command_line, provenance
from train.project.labels import FrameLabel, Labels, ObjectLabel, Range, ranges_to_csv, to_coco
from train.project.layout import Project, create_project, open_project
from train.project.store import Store
from train.report import page as page_of
from train.report.charts import ced_limit, plain
from train.report.findings import (
    Finished,
    change_of,
    examine,
    find_run,
    find_warnings,
    open_run,
    place_of,
)
from train.report.frames import choose_cases, overlay, zoom
from train.report.page import _changes, number, templates
from train.report.share_curve import (
    Curve,
    CurveWish,
    announce,
    cell_data,
    cell_spec,
    known_curve,
    parse_rows,
    parse_shares,
    possible_rows,
    run_curve,
)
from ui.commands import report as command

HERE = Path(__file__).parents[3]
NAME = "<script>alert(1)</script> & co"


def frame_label(clip: str, frame: int) -> FrameLabel:
    """Three landmarks, 20 px between left and right (the normaliser)."""
    x = 30.0 + frame
    xy = np.array([[x, 20], [x - 10, 40], [x + 10, 40]], np.float32)
    found = ObjectLabel(1, xy, np.full(3, 2, np.uint8), None, "user")
    return FrameLabel(clip, frame, frame / 25, (96, 64), (found,))


def teach(folder: Path) -> Project:
    """Two clips of 24 frames, eight labelled frames and a gesture range in each."""
    project = create_project(folder, MARKUP, NAME, ["fist <b>", "point"])
    names = ("a.mp4", "b.mp4")
    for clip, frames in zip(names, (24, 26), strict=True):
        with_clip(project, clip, frames)
    with Store.open(project) as store:
        for clip in names:
            for frame in range(0, 24, 3):
                store.keep_picture(clip, frame, picture(frame))
                store.set_frame(frame_label(clip, frame))
        store.set_ranges(
            Range(clip, start, start + 0.4, "gesture", label)
            for clip in names
            for start, label in ((0.0, "fist <b>"), (0.5, "point"))
        )
    return project


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished run; copy it before changing it."""
    root = tmp_path_factory.mktemp("report") / "project"
    teach(root)
    with pytest.MonkeyPatch.context() as patch:
        tiny_network(patch)
        plan = plan_run(root, Wish(budget=Budget(steps=6), threads=1, name="first"), Hooks())
    run_plan(plan, Hooks())
    return root


@pytest.fixture
def project(taught: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taught, tmp_path / "project"))


def report(root: Path, **options: object) -> None:
    """The command, in this process."""
    given: dict[str, object] = {
        "run": None, "shares": "1", "rows": "L", "budget": "3it", "seeds": 1, "no_curve": False,
        "threads": 1, "out": None,
    }  # fmt: skip
    command.report(root, **{**given, **options})  # type: ignore[arg-type]


def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report's charts and frames are not drawn: seconds, where the page is not looked at."""
    monkeypatch.setattr("train.report.page.draw_findings", lambda _: {})
    monkeypatch.setattr("train.report.page.plot_curve", lambda *_: None)


class Page(HTMLParser):
    """What stands in a page: tags, images, text; complains about tags that do not match."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words += data.replace("\u00a0", " ")


def test_the_page_is_whole_and_safe(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = project.parent / "there" / "page.html"
    report(project, no_curve=True, out=out)
    assert str(out) in capsys.readouterr().out.replace("\n", "")
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert not {"script", "link"} & page.tags
    assert "<script" not in text
    assert NAME in page.words
    assert "fist <b>" in page.words  # as text: escaped
    written = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)  # a picture may spell anything
    assert "http" not in written.replace("http-equiv", "")
    assert len(page.images) >= 2 * 5 + 8  # five charts in two themes, drawn frames
    for found in page.images:
        assert str(found["src"]).startswith("data:image/png;base64,")
        assert len(str(found["alt"])) > 20
    beside = project / "models" / "first" / "report"
    for name in ("ced", "landmarks", "confusion_gesture", "training_nme", "training_loss"):
        for path in (beside / f"{name}.png", beside / f"{name}_dark.png"):
            assert cv2.imread(str(path)).shape[0] > 200


def test_the_page_tells_what_the_run_found(project: Path) -> None:
    report(project, run="first", no_curve=True)
    run = project / "models" / "first"
    words = Page((run / "report" / "report.html").read_text(encoding="utf-8")).words
    compared = json.loads((run / "comparison.json").read_text())
    facts = json.loads((run / "run.json").read_text())
    assert f"{compared['tuned']['nme']:.2f} %" in words
    assert "base" not in compared  # from scratch: there is nothing to compare with
    assert "have changed since this run" not in words
    assert facts["provenance"]["versions"]["torch"] in words
    held = facts["split"]["hold"][0]
    assert f"NME in {held}" in words
    assert re.search(rf"{held}, frame \d+, 0\.\d\d s: NME", words)
    assert "only 8 labelled objects" in words.lower()


def test_worst_frames_are_the_worst(project: Path) -> None:
    told: list[tuple[int, int]] = []
    found = examine(open_run(project, None, Hooks()), lambda done, of: told.append((done, of)))
    assert found.tuned is not None
    rows = len(found.tuned.each)
    looks = rows * (1 if found.base is None else 2)
    assert told == [(done, looks) for done in range(rows, looks + 1, rows)]
    each = found.tuned.each
    assert len(each) == len(found.run.data.measured())
    known = np.isfinite(each)
    assert known.sum() == 8  # the others have a gesture alone
    worst, average = choose_cases(each, 9, 3)
    assert len(worst) == 4  # not more than half of them
    assert min(each[worst]) >= np.nanmax(np.delete(each, worst))
    assert len(average) == 3
    places = [place_of(found.run, int(i)) for i in found.tuned.outputs.rows[known]]
    assert sorted(p.frame for p in places) == list(range(0, 24, 3))
    assert all(p.t == pytest.approx(p.frame / 25) for p in places)


def test_few_objects_are_never_green_and_an_interval_is_told(project: Path) -> None:
    found = examine(open_run(project, None, Hooks()))
    assert found.tuned is not None
    assert found.change is None  # from scratch
    base = replace(
        found.tuned, each=2 * found.tuned.each,
        summary={**found.tuned.summary, "nme": 2 * found.tuned.summary["nme"]},
    )  # fmt: skip
    few = change_of(found.run, found.tuned, base)
    assert few is not None and few.objects == 8
    name, _, note, kind = page_of._tiles(replace(found, base=base, change=few))[0]
    assert (name, kind) == ("NME, fine-tuned", "")  # half the error, and not green
    assert "−50 %" in note and note.endswith("no difference shown")
    many = change_between(np.full(40, 8.0), np.tile([3.0, 5.0], 20), ["a"] * 40)
    assert many is not None
    _, _, note, kind = page_of._tiles(replace(found, base=base, change=many))[0]
    assert kind == "good"
    assert re.search(r"−50 % \(95 % interval −\d\d % to −\d\d %\)$", note)
    facts = page_of._result(replace(found, base=base, change=few))
    assert "too few to tell" in facts["change"] and "−50 %" in facts["change"]
    warned = " ".join(find_warnings(found.run, found.tuned, base, few))
    assert "rest on 8 held-out objects only, and no difference is shown" in warned


def test_curve_is_trained_once(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(project, shares="0.5,1", rows="L,L+A")
    assert "4 trainings of 3 steps" in capsys.readouterr().out
    folder = project / "models" / "first" / "report"
    rows = list(csv.DictReader((folder / "curve.csv").open()))
    assert [(r["row"], r["share"], r["labelled"]) for r in rows] == [
        ("L", "0.5", "4"), ("L", "1.0", "8"), ("L+A", "0.5", "4"), ("L+A", "1.0", "8"),
    ]  # fmt: skip
    assert all(math.isfinite(float(r["nme"])) for r in rows)
    assert [r["accuracy"] != "" for r in rows] == [False, False, True, True]
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert any("against the share of labels" in str(i["alt"]) for i in page.images)
    assert not list(folder.glob("cells/*/*.safetensors"))  # nothing large stays
    before = {p: p.stat().st_mtime_ns for p in folder.glob("cells/*/result.json")}
    assert len(before) == 4
    (folder / "cells" / "L_A_0.5_0" / "result.json").unlink()
    without_pictures(monkeypatch)
    report(project, shares="0.5,1", rows="L,L+A")
    assert "1 trainings of 3 steps (3 of 4 are done)" in capsys.readouterr().out
    kept = {p: p.stat().st_mtime_ns for p in before if p.parent.name != "L_A_0.5_0"}
    assert kept == {p: before[p] for p in kept}
    assert next(csv.DictReader((folder / "curve.csv").open())) == rows[0]


KILLED = """
import os, signal, sys
import train.loop.fit as loop
steps, step = [], loop.train_step
def killed(run, batch):
    steps.append(run.step)
    if len(steps) == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(run, batch)
loop.train_step = killed
import train.report.page
train.report.page.draw_findings = lambda found: {}  # seconds of charts
from ui.commands.train import main
main()
"""  # after the checkpoint of step 6


def test_killed_cell_goes_on_to_the_same_result(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = f"report {project} --rows L --shares 1 --budget 30it --threads 1"
    command = [sys.executable, "-c", KILLED, *options.split()]
    cell = project / "models" / "first" / "report" / "cells" / "L_1_0"
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=400)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (cell / "last.safetensors").is_file()
    assert not (cell / "result.json").exists()
    without_pictures(monkeypatch)
    report(project, budget="30it")
    cut = json.loads((cell / "result.json").read_text())["result"]
    assert cut["seconds"] is None
    (cell / "result.json").unlink()
    report(project, budget="30it")
    whole = json.loads((cell / "result.json").read_text())["result"]
    assert whole["seconds"] is not None
    assert {**whole, "seconds": None} == cut


def test_a_report_that_is_stopped_tells_what_was_done(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page said that no training of the curve was done yet."""
    without_pictures(monkeypatch)

    def stopped(run: Finished, wish: CurveWish, *_: object) -> Curve:
        one = replace(wish, shares=(1.0,))
        run_curve(run, one, lambda _: None, lambda _, __: None)
        raise Stopped

    monkeypatch.setattr("train.report.share_curve.run_curve", stopped)
    with pytest.raises(typer.Exit):
        report(project, shares="0.5,1", budget="2it")
    path = project / "models" / "first" / "report" / "report.html"
    words = Page(path.read_text(encoding="utf-8")).words
    assert "1 training of this curve is not done yet" in " ".join(words.split())
    assert "Each point is a training of its own" in words


def test_cells_of_other_data_or_budget_do_not_mix(project: Path) -> None:
    run = open_run(project, "first", Hooks(), 1)
    run.report.mkdir()
    wish = CurveWish(("L",), (1.0,), 1, Budget(steps=2))
    curve = run_curve(run, wish, lambda _: None, lambda _, __: None)
    assert [r.steps for r in curve.results] == [2]
    assert known_curve(replace(run, digest="other")).results == ()
    again = run_curve(
        run, replace(wish, budget=Budget(steps=3)), lambda _: None, lambda _, __: None
    )
    assert [r.steps for r in again.results] == [3]


def test_a_run_on_changed_labels_is_reported_as_it_was(project: Path) -> None:
    before = examine(open_run(project, None, Hooks()))
    with Store.open(open_project(project)) as store:
        store.remove_frame("a.mp4", 0)
        store.remove_frame("b.mp4", 0)
    after = examine(open_run(project, None, Hooks()))
    assert before.tuned is not None
    assert after.tuned is not None
    assert after.tuned.summary["nme"] == before.tuned.summary["nme"]
    assert after.run.notes == before.run.notes


@pytest.mark.parametrize(
    "option, message",
    [
        ({"run": "nobody"}, "--run takes first"),
        ({"shares": "0,1"}, "above 0 and up to 1"),
        ({"shares": "few"}, "--shares takes numbers"),
        ({"rows": "L+X"}, r"--rows takes L, L\+A, L\+ELT, L\+ELT\+A"),
        ({"budget": "soon"}, "--budget takes"),
        ({"budget": "0.01s"}, "are too few: a step takes"),
    ],
)
def test_mistakes_are_one_sentence(
    project: Path, option: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pictures(monkeypatch)
    with pytest.raises(ValueError, match=message):
        report(project, **option)


def test_clips_that_were_added_since_are_left_out(tmp_path: Path) -> None:
    project, out = new_project(tmp_path / "p"), tmp_path / "p" / "models" / "first"
    with_clip(project)
    facts = {
        "state": "finished", "spec": spec_to_dict(FitSpec()), "split": asdict(Split()), "data": "",
        "begun": datetime.now().astimezone().isoformat(), "clips": ["a.mp4"],
    }  # fmt: skip
    out.mkdir(parents=True)
    (out / "model.safetensors").touch()
    labels = Labels({("a.mp4", i): label(i) for i in (0, 10)})
    write_json(out / "labels.json", to_coco(project, labels))
    (out / "ranges.csv").write_text(ranges_to_csv(()))
    write_json(out / "run.json", facts)
    run = open_run(project.root, "first", Hooks())
    facts["data"] = run.digest
    write_split(out / "split.json", run.data)
    with_clip(project, "later.mp4", 14)
    for known in (facts, {k: v for k, v in facts.items() if k != "clips"}):  # of an older version
        write_json(out / "run.json", known)
        run = open_run(project.root, "first", Hooks())
        assert [c.name for c in run.clips] == ["a.mp4"] and run.notes == ()
    (out / "split.json").unlink()
    write_json(out / "run.json", {k: v for k, v in facts.items() if k != "clips"} | {"data": ""})
    run = open_run(project.root, "first", Hooks())
    assert [c.name for c in run.clips] == ["a.mp4", "later.mp4"]
    assert "which clips this run had is not known" in run.notes[-1]


def test_a_run_that_is_not_finished_says_so(project: Path) -> None:
    path = project / "models" / "first" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "started"}))
    with pytest.raises(ValueError, match="--resume' goes on"):
        find_run(open_project(project), "first")
    path.write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        find_run(open_project(project), "first")


def test_shares_and_rows_are_read() -> None:
    assert parse_shares("1, 0.3,10%") == (0.1, 0.3, 1.0)
    assert parse_rows("l+a+elt, L") == ("L", "L+ELT+A")


def test_how_long_the_curve_takes_is_told() -> None:
    assert announce(12, 12, Budget(seconds=120.0)) == "12 trainings of 120 s, about 24 min in all"
    assert announce(12, 2, Budget(seconds=40.0)) == (
        "2 trainings of 40 s, about 80 s in all (10 of 12 are done)"
    )


def example(labelled: bool, hold: bool = False, gesture: str = "") -> Example:
    xy = np.full((3, 2), 5.0 if labelled else np.nan, np.float32)
    known = np.full(3, labelled)
    attributes = {"gesture": gesture} if gesture else {}
    return Example(Path("x"), xy, known, None, False, attributes, "", "", "", hold, False)


def test_a_cell_keeps_what_its_terms_can_use() -> None:
    train_rows = [example(True) for _ in range(10)]
    train_rows += [example(False, gesture="fist") for _ in range(4)]
    train_rows += [example(False) for _ in range(7)]
    data = DataSet(Markup(("a", "b", "c")), (*train_rows, example(True, hold=True)))
    for row, share, kept in (
        ("L", 1.0, 10 + 1), ("L", 0.3, 3 + 1), ("L+A", 0.3, 3 + 4 + 1),
        ("L+ELT", 0.3, 10 + 4 + 7 + 1), ("L+ELT+A", 1.0, 10 + 4 + 7 + 1),
    ):  # fmt: skip
        found, labelled = cell_data(data, row, share, 0)
        assert (len(found.examples), labelled) == (kept, round(10 * share)), row
    few, _ = cell_data(data, "L", 0.3, 0)
    more, _ = cell_data(data, "L", 0.6, 0)
    assert {id(e.xy) for e in few.examples} < {id(e.xy) for e in more.examples}


def test_cell_terms(taught: Path) -> None:
    run = open_run(taught, None, Hooks())
    wanted = ("L", "L+A", "L+ELT", "L+ELT+A")
    assert possible_rows(run, wanted) == (wanted, [])
    bare = replace(run, census=replace(run.census, unlabelled={}, attributes={}))
    rows, notes = possible_rows(bare, wanted)
    assert rows == ("L",)
    assert [n.partition(" left out: ")[0] for n in notes] == [
        "L+A and L+ELT+A", "L+ELT and L+ELT+A",
    ]  # fmt: skip
    unheld = replace(run, census=replace(run.census, labelled={"train": 8}))
    assert possible_rows(unheld, wanted)[0] == ()
    alone = cell_spec(run, "L", 3)
    assert (alone.loss.attribute, alone.loss.alpha, alone.seed) == (0.0, 0.0, 3)
    assert (alone.keep, alone.patience) == ("last", 0)
    assert cell_spec(run, "L+A", 0).loss.attribute > 0


def test_zoom_keeps_points_on_their_pixels() -> None:
    image = np.zeros((80, 100, 3), np.uint8)
    cv2.circle(image, (40, 30), 2, (255, 255, 255), -1)
    xy = np.array([[40.0, 30.0], [60.0, 50.0]])
    seen, matrix = zoom(image, xy)
    at = matrix @ [40, 30, 1]
    bright = np.argwhere(seen[..., 0] > 128).mean(0)[::-1]
    assert bright == pytest.approx(at, abs=0.3)
    low, high = matrix @ [40, 30, 1], matrix @ [60, 50, 1]
    # 20 px with a margin of 35 % become 384 px
    assert (high - low)[0] == pytest.approx(384 / 1.35)


def test_overlay_draws_truth_and_guess() -> None:
    image = np.full((120, 120, 3), 60, np.uint8)
    truth, guess = np.array([[30.0, 30], [90, 90]]), np.array([[60.0, 30], [90, 60]])
    drawn = overlay(image, truth, guess, np.array([True, False]), ())
    assert drawn[30, 30 + 7].tolist() == [120, 255, 60]  # the ring around the labelled point
    assert drawn[30, 60].tolist() == [110, 40, 255]  # the dot of the predicted one
    assert drawn[30, 45].tolist() == [0, 225, 255]  # the line between them
    assert drawn[90, 90 + 7].tolist() == [60, 60, 60]  # nothing is labelled there
    assert (image == 60).all()


def test_what_reads_the_same_is_neither_better_nor_worse() -> None:
    """'wrist 4.5 → 4.5 %' stood among what got better."""
    before = {"a": 4.5, "b": 6.2, "c": 3.04, "d": 5.0}
    after = {"a": 4.46, "b": 6.0, "c": 3.01, "d": 5.3}
    found = _changes({"per_landmark_nme": before}, {"per_landmark_nme": after})
    assert found == {"better": ["b 6.2 → 6.0 %"], "worse": ["d 5.0 → 5.3 %"]}


def test_short_cells_stay_on_a_line() -> None:
    """'7.2e-' stood above '05', 'hold-' above 'out', and a wide head pushed a column away."""
    table = templates().get_template("parts.html").module.table
    made = table(("setting", "value", "n"), [("rate", "7.2e-05", "12")], (2,), (1,))
    assert '<td class="short">7.2e-05</td>' in made and '<td class="n">12</td>' in made
    assert "<td>rate</td>" in made
    css = (Path(page_of.__file__).parent / "report.css").read_text(encoding="utf-8")
    rules = dict(re.findall(r"([^{}]+)\{([^{}]*)\}", css.replace("\n", "")))
    kept = [names for names, rule in rules.items() if "white-space:nowrap" in rule]
    assert kept == ["td.n,td.short"], "the heads of columns may be broken"


def test_text_is_safe_and_short() -> None:
    shown = templates().from_string('<i title="{{ text }}">{{ text }}</i>')
    safe = "&lt;a href=&#39;x&#39;&gt; &#34;&amp; 5\u00a0%"
    assert shown.render(text="<a href='x'> \"& 5 %") == f'<i title="{safe}">{safe}</i>'
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        shown.render()
    assert number(None) == number(float("nan")) == "–"
    made = templates().get_template("parts.html").module.table(("<i>",), [("<b>",)])
    assert "&lt;i&gt;" in made and "&lt;b&gt;" in made and "<b>" not in made
    assert plain("a$b$" + "c" * 40, 10) == r"a\$b\$ccccc…"
    assert ced_limit([np.array([1.0, 2.4])]) == 3
    assert ced_limit([np.array([np.nan])]) == 5


def test_a_mean_that_few_large_errors_made_is_told(taught: Path) -> None:
    run = open_run(taught, None, Hooks())
    tuned = examine(run).tuned
    assert tuned is not None
    base = replace(tuned, each=tuned.each - 0.1, summary={**tuned.summary, "nme": 1e3})
    told = " ".join(find_warnings(run, tuned, base, change_of(run, tuned, base)))
    assert "only 0 of 8 held-out objects are nearer" in told
    worse = replace(tuned, summary={**tuned.summary, "nme": 1e4})
    change = change_of(run, worse, base)  # of 8 objects, which are too few to tell
    assert change is not None and change.verdict == "few"
    told = " ".join(find_warnings(run, worse, base, change))
    assert "is no better on average than the base" in told and "worse" not in told
    shown = replace(change, objects=40, low=1.0, high=3.0)
    assert "is worse than the base" in " ".join(find_warnings(run, worse, base, shown))
    same = " ".join(find_warnings(run, tuned, tuned, change_of(run, tuned, tuned)))
    assert "are those of the base" in same
    assert "nearer" not in same
    nothing = " ".join(find_warnings(run, None, None, None))
    assert "nothing is held out" in nothing


def test_provenance_tells_no_folder_and_no_host() -> None:
    import platform

    argv = ["/opt/x/bin/train", "finetune", str(HERE / "my hand"), "--seed", "3"]
    assert command_line(argv) == 'train finetune "my hand" --seed 3'
    told = json.dumps(provenance())
    assert platform.node() not in told.replace(platform.release(), "") or len(platform.node()) < 4
    assert set(provenance()) == {"command", "versions", "machine"}
