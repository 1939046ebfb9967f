"""Which files are read and written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import UserError
from tracker.files.targets import Planned, expand, plan, plan_images, usual_out

SUFFIXES = frozenset({".mp4"})


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_folders_stand_for_their_videos(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "A.MP4", "c.txt", ".hidden.mp4")
    (tmp_path / "sub.mp4").mkdir()
    assert [p.name for p in expand([tmp_path], SUFFIXES, "video")] == ["A.MP4", "b.mp4"]
    assert expand([Path("any.thing")], SUFFIXES, "video") == [Path("any.thing")]


def test_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no video"):
        expand([tmp_path], SUFFIXES, "video")


def test_one_file_keeps_the_names_given(tmp_path: Path) -> None:
    source = tmp_path / "in.mov"
    (done,) = plan([source], [source], Path("o.mp4"), Path("o.jsonl"), None)
    assert done == Planned(source, Path("o.mp4"), Path("o.jsonl"), None)
    (inside,) = plan([source], [source], tmp_path)
    assert inside.out == tmp_path / "in.mp4"


def test_several_inputs_go_into_folders(tmp_path: Path) -> None:
    sources = touch(tmp_path, "a.mp4", "b.mov")
    done = plan(sources, sources, tmp_path / "o", tmp_path / "j", tmp_path / "o")
    assert [p.out for p in done] == [tmp_path / "o/a.mp4", tmp_path / "o/b.mp4"]
    assert [p.json for p in done] == [tmp_path / "j/a.jsonl", tmp_path / "j/b.jsonl"]
    assert done[1].csv == tmp_path / "o/b.csv" and (tmp_path / "o").is_dir()


def test_outputs_never_share_a_name(tmp_path: Path) -> None:
    sources = [Path("x/a.mp4"), Path("y/a.mp4"), Path("x/a.mov"), Path("x/a_2.mp4")]
    names = [p.out and p.out.stem for p in plan(sources, sources, tmp_path)]
    assert names == ["a", "a_2", "a_3", "a_2_2"]
    pictures = [Path("x/a.png"), Path("y/a.png")]
    assert len({out for _, out in plan_images(pictures, pictures, tmp_path)}) == 2


def test_a_folder_of_one_is_still_a_folder(tmp_path: Path) -> None:
    (source,) = touch(tmp_path, "a.mp4")
    (done,) = plan([tmp_path], [source], tmp_path / "o")
    assert done.out == tmp_path / "o/a.mp4"


def test_a_file_where_a_folder_is_needed_is_said(tmp_path: Path) -> None:
    sources = touch(tmp_path, "a.mp4", "b.mp4", "out.mp4")
    with pytest.raises(UserError, match="name a folder"):
        plan(sources[:2], sources[:2], sources[2])


def test_pictures_keep_their_names(tmp_path: Path) -> None:
    sources = touch(tmp_path, "a.jpg", "b.png")
    done = plan_images(sources, sources, tmp_path / "o")
    assert [out for _, out in done] == [tmp_path / "o/a.jpg", tmp_path / "o/b.png"]


def test_a_name_that_the_system_refuses_is_said_shortly() -> None:
    with pytest.raises(UserError, match=r"cannot be read: .*too long; check its name") as told:
        expand([Path("x" * 5000)], SUFFIXES, "video")
    assert len(str(told.value)) < 400


def test_names_of_other_kinds_of_files_are_refused() -> None:
    source = [Path("a.mp4")]
    for option, name in (
        ("json", "o.CSV"),
        ("json", "o.mp4"),
        ("csv", "o.jsonl"),
        ("csv", "o.png"),
    ):
        with pytest.raises(UserError, match=f"--{option} {name} would hold"):
            plan(source, source, None, **{option: Path(name)})
    for option, name in (("json", "o.json"), ("json", "o"), ("json", "o.txt"), ("csv", "o.tsv")):
        plan(source, source, None, **{option: Path(name)})


def test_where_it_goes_without_a_name(tmp_path: Path) -> None:
    assert usual_out([Path("x/a.mov")], ".mp4") == Path("a_annotated.mp4")
    assert usual_out([tmp_path], ".mp4") == Path("annotated")
    assert usual_out([Path("a.mp4"), Path("b.mp4")], ".mp4") == Path("annotated")
