from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import Clip as Recipe
from tests.helpers.clips import cut, damage, make
from tests.helpers.teaching import new_project, with_clip
from tracker.errors import UserError
from tracker.sources.video_file import VideoReader
from tracker.types import Image
from train.project.adding import add_clips, sources
from train.project.clips import ClipFrames, clip_path, measured_rate, read_clips


def test_a_clip_is_copied_byte_for_byte_and_measured(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    source = make(tmp_path / "a.mp4", Recipe(frames=12, rotation=90))
    (clip,) = add_clips(project, [source])
    assert clip_path(project, clip).read_bytes() == source.read_bytes()
    assert (clip.name, clip.frames, clip.fps, clip.variable) == ("a.mp4", 12, 25.0, False)
    assert clip.size_wh == (64, 96)  # turned upright
    assert clip.seconds == pytest.approx(0.48)
    assert read_clips(project) == (clip,)
    assert not list(project.root.rglob("*.part"))


def test_the_rate_is_measured_not_rounded(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    times = [1001 * i for i in range(30)]
    recipe = Recipe(times=times, time_base=Fraction(1, 30000), rate=Fraction(30000, 1001))
    (clip,) = add_clips(project, [make(tmp_path / "ntsc.mp4", recipe)])
    assert clip.fps == pytest.approx(30000 / 1001, abs=1e-3) and not clip.variable


def test_a_varying_rate_is_told(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    recipe = Recipe(times=[0, 40, 80, 200, 240])
    (clip,) = add_clips(project, [make(tmp_path / "v.mp4", recipe)])
    assert clip.variable
    assert clip.fps == pytest.approx(4 / 0.24, abs=1e-3)
    assert measured_rate(np.array([0, 0.033, 0.067, 0.1]))[2] is False  # rounded to milliseconds
    assert measured_rate(np.array([0.5])) == (25.0, 0.04, False)


def test_names_and_doubles(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    for folder in "wxyz":
        (tmp_path / folder).mkdir()
    for folder, frames in (("x", 5), ("y", 6)):
        make(tmp_path / folder / "a.mp4", Recipe(frames=frames))
    shutil.copy(tmp_path / "x" / "a.mp4", tmp_path / "z")  # an encoder need not repeat itself
    make(tmp_path / "w" / "a.mkv", Recipe(frames=7))
    added = add_clips(project, [tmp_path / f / "a.mp4" for f in "xyz"])
    added += add_clips(project, [tmp_path / "w" / "a.mkv"])
    # z holds the same as x; the pictures of a.mkv and a.mp4 would lie in one folder
    assert [c.name for c in added] == ["a.mp4", "a_2.mp4", "a_3.mkv"]
    assert sorted(c.name for c in read_clips(project)) == ["a.mp4", "a_2.mp4", "a_3.mkv"]
    clip_path(project, "a.mp4").unlink()  # its labels still wait for it: the name is taken
    (other,) = add_clips(project, [make(tmp_path / "a.mp4", Recipe(frames=9))])
    assert other.name == "a_4.mp4"


def test_a_link_is_a_link(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    (clip,) = add_clips(project, [make(tmp_path / "a.mp4")], link=True)
    path = clip_path(project, clip)
    assert path.is_symlink() and path.samefile(tmp_path / "a.mp4")


def test_a_file_put_there_by_hand_and_one_that_went_missing(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    path = make(project.clips_dir / "b.mp4")
    (clip,) = add_clips(project, [path])
    assert clip.name == "b.mp4" and add_clips(project, [path]) == []
    kept = path.rename(tmp_path / "other.mp4")
    (back,) = add_clips(project, [kept])
    assert back == clip and path.is_file()


def test_flags_folders_and_what_is_none(tmp_path: Path) -> None:
    flag = tmp_path / "flags" / "20260101_101010_123"
    flag.mkdir(parents=True)
    make(flag / "clip.mp4")
    (flag / "flag.json").write_text("{}")
    project = new_project(tmp_path / "p")
    assert [s.name for s in sources(flag)] == ["flag_20260101_101010_123.mp4"]
    (clip,) = add_clips(project, [flag.parent])
    assert clip.name == "flag_20260101_101010_123.mp4"
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UserError, match="holds no clip and no picture"):
        sources(tmp_path / "pictures")
    (tmp_path / "pictures" / "a.png").write_bytes(b"")
    assert [s.name for s in sources(tmp_path / "pictures")] == ["pictures"]


@pytest.mark.parametrize("what", ["missing", "text", "empty", "half"])
def test_a_bad_file_leaves_nothing_behind(tmp_path: Path, what: str) -> None:
    project = new_project(tmp_path / "p")
    path = tmp_path / "bad.mp4"
    if what == "half":
        cut(make(path), 0.5)
    elif what != "missing":
        path.write_text("no video" if what == "text" else "")
    with pytest.raises(UserError):
        add_clips(project, [path])
    assert list(project.clips_dir.iterdir()) == [] and read_clips(project) == ()


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(frames=150),
        Recipe(frames=150, options={"g": "30", "bf": "3", "x264-params": "open-gop=1"}),
        Recipe(frames=150, times=[i * 40 + i % 3 for i in range(150)], options={"g": "20"}),
        Recipe(frames=150, rotation=90, options={"g": "25"}),
    ],
    ids=["one key frame", "open groups", "varying", "turned"],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_any_frame_is_the_one_read_in_order(tmp_path: Path, recipe: Recipe, suffix: str) -> None:
    if suffix != "mp4" and recipe.rotation:
        pytest.skip("only MP4 keeps it")
    if suffix == "avi" and recipe.times is not None:
        pytest.skip("AVI has one rate")
    project = new_project(tmp_path / "p")
    (clip,) = add_clips(project, [make(tmp_path / f"c.{suffix}", recipe)])
    reader = VideoReader(clip_path(project, clip))
    true = list(reader.frames())
    reader.close()
    with ClipFrames(project, clip) as frames:
        assert len(frames) == len(true) == clip.frames
        assert frames.times.tolist() == [f.t for f in true]
        for i in [149, 148, 3, 77, 78, 120, 76, 60, 0, 149, 61, 59, 58]:
            i = min(i, len(true) - 1)
            found = frames.frame(i)
            assert (found.index, found.t) == (i, true[i].t)
            assert found.bgr is not None and np.array_equal(found.bgr, true[i].bgr)
        with pytest.raises(IndexError):
            frames.frame(len(true))


def test_a_jump_that_shows_other_pixels_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project(tmp_path / "p")
    clip = with_clip(project, frames=90)
    with ClipFrames(project, clip) as frames:
        true = [frames.frame(i).bgr for i in range(90)]

    def gray(_: VideoReader, t: float, since: float) -> Iterator[tuple[float, Image]]:
        for i in range(round(since * 25), 90):
            yield i / 25, np.full((64, 96, 3), 128, np.uint8)

    monkeypatch.setattr(VideoReader, "near", gray)
    with ClipFrames(project, clip) as frames:
        for i in (80, 60, 89):
            found, right = frames.frame(i).bgr, true[i]
            assert found is not None and right is not None and np.array_equal(found, right)


def test_frames_that_cannot_be_decoded_are_told(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    path = make(tmp_path / "d.mp4", Recipe(frames=60, codec="mpeg4", options={"g": "5"}))
    (clip,) = add_clips(project, [damage(path, [12])])
    reader = VideoReader(clip_path(project, clip))
    true = list(reader.frames())
    reader.close()
    lost = [f.index for f in true if f.bgr is None]
    assert clip.lost == len(lost)
    with ClipFrames(project, clip) as frames:
        for i in [59, 50, *lost, 20, 14]:
            found = frames.frame(i).bgr
            assert (found is None) == (true[i].bgr is None)
            assert found is None or np.array_equal(found, true[i].bgr)


def test_a_lost_or_damaged_cache_is_made_again(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    clip = with_clip(project)
    (kept,) = (project.cache_dir / "scans").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    with ClipFrames(project, clip) as frames:
        assert len(frames) == 12 and frames.frame(5).bgr is not None


def test_another_file_under_the_name_is_refused(tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    clip = with_clip(project)
    make(clip_path(project, clip), Recipe(frames=20))
    with pytest.raises(UserError, match="not the file that was added"):
        ClipFrames(project, clip)
    clip_path(project, clip).unlink()
    with pytest.raises(UserError, match="is missing"):
        ClipFrames(project, clip)
