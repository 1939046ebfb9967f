"""Labelled time of another project, or of a clip that was removed, comes in and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helpers.teaching import label, new_project, with_clip
from tracker.errors import UserError
from train.exchange.ranges import bring_ranges, is_ranges
from train.project.clips import ClipFrames, read_clips
from train.project.journal import read_labels
from train.project.labels import Range, ranges_to_csv
from train.project.layout import Project
from train.project.store import Store
from ui.commands.train import app

OURS = Range("a.mp4", 0.1, 0.2, "gesture", "fist")


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """One clip of 0.48 s with one range."""
    project = new_project(tmp_path / "p")
    with_clip(project)
    with Store.open(project) as store:
        store.set_ranges([OURS])
    return project


def theirs(folder: Path, *ranges: Range) -> Path:
    path = folder / "ranges.csv"
    path.write_text(ranges_to_csv(ranges), encoding="utf-8")
    return path


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_what_fits_comes_in_and_the_rest_is_told(made: Project, tmp_path: Path) -> None:
    path = theirs(
        tmp_path, OURS,
        Range("a.mp4", 0.2, 0.3, "gesture", "point"),  # touches ours, which is no overlap
        Range("a.mp4", 0.0, 0.48, "pose", "front"),  # another kind may overlap
        Range("a.mp4", 0.35, 0.9, "gesture", "fist"),  # cut at the clip's end
        Range("a.mp4", 0.15, 0.18, "gesture", "point"),
        Range("a.mp4", 0.31, 0.33, "gesture", "wave"),
        Range("other.mp4", 0.0, 0.1, "gesture", "fist"),
        Range("a.mp4", 3.0, 4.0, "gesture", "fist"),
    )  # fmt: skip
    done = bring_ranges(made, [path])
    assert (done.new, done.known, len(done.left_out)) == (3, 1, 4)
    said = "\n".join(done.left_out)
    for part in ("'fist' is labelled from 0.1 to 0.2 s", "the gesture 'wave' is unknown",
                 "other.mp4", "begins after the clip's end"):  # fmt: skip
        assert part in said
    assert set(read_labels(made).ranges) == {
        OURS, Range("a.mp4", 0.2, 0.3, "gesture", "point"),
        Range("a.mp4", 0.0, 0.48, "pose", "front"), Range("a.mp4", 0.35, 0.48, "gesture", "fist"),
    }  # fmt: skip
    again = bring_ranges(made, [path])
    assert (again.new, again.known) == (0, 4)


def test_a_clip_may_be_named_as_macos_writes_it(made: Project, tmp_path: Path) -> None:
    with_clip(made, "h\u00e4nde.mp4", frames=13)
    apart = "ha\u0308nde"  # the same, its accent a letter of its own
    done = bring_ranges(made, [theirs(tmp_path, Range(f"{apart}.mp4", 0.1, 0.2, "pose", "front"))])
    assert (done.new, done.left_out) == (1, ())
    path = theirs(tmp_path, Range("x.mp4", 0.3, 0.4, "pose", "front"))
    assert bring_ranges(made, [path], clip=apart).new == 1
    assert {r.clip for r in read_labels(made).ranges} == {"a.mp4", "h\u00e4nde.mp4"}


def test_of_two_new_ranges_that_overlap_the_first_stays(made: Project, tmp_path: Path) -> None:
    path = theirs(tmp_path, Range("x.mp4", 0.3, 0.4, "gesture", "fist"),
                  Range("x.mp4", 0.35, 0.45, "gesture", "point"))  # fmt: skip
    done = bring_ranges(made, [path], clip="a")  # as frames are: by the name or the stem
    assert (done.new, len(done.left_out)) == (1, 1)
    assert set(read_labels(made).ranges) == {OURS, Range("a.mp4", 0.3, 0.4, "gesture", "fist")}


def test_ranges_that_differ_beyond_the_end_are_one(made: Project, tmp_path: Path) -> None:
    path = theirs(tmp_path, Range("a.mp4", 0.35, 0.7, "gesture", "fist"),
                  Range("a.mp4", 0.35, 0.9, "gesture", "fist"))  # fmt: skip
    done = bring_ranges(made, [path])
    assert (done.new, done.known, done.left_out) == (1, 1, ())
    assert read_labels(made).ranges == (OURS, Range("a.mp4", 0.35, 0.48, "gesture", "fist"))


def test_columns_that_no_range_has_are_told_and_a_missing_file_is(
    made: Project, tmp_path: Path
) -> None:
    path = tmp_path / "ranges.csv"
    path.write_text("who,clip,start_s,end_s,kind,label\nme,a.mp4,0.3,0.4,pose,front\n", "utf-8")
    said = run("import", path, "--project", made.root)
    assert "column 'who' is unknown" in said and "imported 1 time ranges; 0 were" in said
    with pytest.raises(UserError, match="does not exist"):
        bring_ranges(made, [tmp_path / "none.csv"])


def test_nothing_changes_where_a_line_is_none_or_another_labels(
    made: Project, tmp_path: Path
) -> None:
    path = theirs(tmp_path, Range("a.mp4", 0.3, 0.4, "gesture", "fist"))
    with Store.open(made), pytest.raises(UserError, match="no range was imported"):
        bring_ranges(made, [path])
    path.write_text(path.read_text(encoding="utf-8") + "a.mp4,soon,0.4,gesture,fist\n")
    with pytest.raises(UserError, match="line 3: 'soon' to"):
        bring_ranges(made, [path])
    assert read_labels(made).ranges == (OURS,)


def test_ranges_are_told_from_other_csv_files(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text, is_one in (
        ("clip;start_s;end_s;kind;label\n", True),
        ("scorer,me\n", False),
        ("", False),
        ('"clip","start_s","end_s","kind","label"\n', True),
        ("\ufeffLabel,Kind,END_S,start_s,clip,note\n", True),
    ):
        path.write_text(text, encoding="utf-8")
        assert is_ranges(path) == is_one, text
    path.write_bytes("scörer,me\n".encode("latin-1"))
    assert not is_ranges(path) and not is_ranges(tmp_path / "none.csv")


def test_a_removed_clip_comes_back_with_all_its_labels(made: Project) -> None:
    with Store.open(made) as store:
        with ClipFrames(made, read_clips(made)[0]) as frames:
            bgr = frames.frame(3).bgr
        assert bgr is not None
        store.keep_picture("a.mp4", 3, bgr)
        store.set_frame(label(3))
    before = read_labels(made)
    run("remove", "a.mp4", "--project", made.root)
    assert not read_labels(made).ranges
    gone = made.root / "removed" / "a"
    run("add", gone / "a.mp4", "--project", made.root)
    said = run("import", gone / "labels.json", gone / "ranges.csv", "--project", made.root)
    assert "1 new frames of clips" in said
    assert "imported 1 time ranges; 0 were there already, 0 left out" in said
    after = read_labels(made)
    assert after.ranges == before.ranges and after.frames.keys() == before.frames.keys()
