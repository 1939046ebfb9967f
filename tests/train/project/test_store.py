from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.teaching import label, new_project
from tracker.errors import UserError
from train.project.check_labels import check_labels
from train.project.journal import read_labels
from train.project.labels import FrameLabel, ObjectLabel, Range, box_of, range_rows
from train.project.layout import Project, open_project
from train.project.ranges import range_at
from train.project.store import Store

ROOT = Path(__file__).parents[3]
ONE = Range("a.mp4", 0.5, 1.25, "gesture", "fist")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "p")


def numbers(store: Store) -> list[int]:
    return sorted(frame for _, frame in store.labels.frames)


def crash(store: Store) -> None:
    """What is left when the process dies: the lock is free, nothing was folded in."""
    assert store._lock is not None and store._journal is not None
    store._lock.release()
    store._journal.close()


def test_labels_survive_a_save_to_the_last_digit_written(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(3, 10.1239))
        store.set_ranges([ONE])
    labels = read_labels(project)
    (found,) = labels.frames.values()
    assert (found.clip, found.frame, found.t, found.size_wh) == ("a.mp4", 3, 0.12, (96, 64))
    (thing,) = found.objects
    assert thing.v.tolist() == [2, 1, 0] and thing.box_xyxy is None and thing.source == "user"
    np.testing.assert_allclose(thing.xy[:2], [[10.124, 20], [20.124, 30.5]], atol=1e-5)
    assert np.isnan(thing.xy[2]).all()
    assert labels.ranges == (ONE,)
    coco = json.loads(project.labels_path.read_text())
    assert coco["images"][0]["file_name"] == "frames/a/frame000003.png"
    assert coco["annotations"][0]["keypoints"] == [10.124, 20.0, 2, 20.124, 30.5, 1, 0, 0, 0]
    assert coco["annotations"][0]["bbox"] == [10.124, 20.0, 10.0, 10.5]
    assert coco["categories"][0]["skeleton"] == [[1, 2], [1, 3]]
    assert project.ranges_path.read_text().splitlines() == [
        "clip,start_s,end_s,kind,label", "a.mp4,0.5,1.25,gesture,fist",
    ]  # fmt: skip


def test_times_are_the_same_before_and_after_a_save(project: Project) -> None:
    """Else a frame on the edge of a range may change sides, and a run cannot go on."""
    store = Store.open(project)
    store.set_frame(replace(label(1), t=1 / 3))
    store.set_ranges([Range("a.mp4", 1 / 3, 2 / 3, "gesture", "fist")])
    before = read_labels(project)  # of the journal
    store.close()
    after = read_labels(project)
    assert before.ranges == after.ranges == store.labels.ranges
    assert (after.ranges[0].start_s, after.ranges[0].end_s) == (0.333333, 0.666667)
    assert [f.t for f in before.frames.values()] == [f.t for f in after.frames.values()]
    assert after.frames["a.mp4", 1].t == 0.333333
    (kept,) = store.labels.ranges
    assert range_at([kept], "a.mp4", "gesture", 1 / 3) == kept
    assert range_at([kept], "a.mp4", "gesture", 2 / 3) is None


def test_undo_and_redo_have_no_end(project: Project) -> None:
    with Store.open(project) as store:
        for i in range(60):
            store.set_frame(label(i))
        store.set_ranges([ONE])
        store.remove_frame("a.mp4", 7)
        assert store.undo() == "a.mp4, frame 7" and 7 in numbers(store)
        assert store.undo() == "time ranges" and store.labels.ranges == ()
        while store.undo():
            pass
        assert numbers(store) == [] and not store.can_undo
        while store.redo():
            pass
        assert len(numbers(store)) == 59 and store.labels.ranges == (ONE,)
        store.undo()
        store.set_frame(label(500))
        assert not store.can_redo and store.redo() is None


def test_after_a_crash_everything_is_there_and_can_be_undone(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    store.save()
    store.set_frame(label(2))
    store.set_frame(label(3))
    store.undo()
    crash(store)
    assert sorted(read_labels(project).frames) == [("a.mp4", 1), ("a.mp4", 2)]
    with Store.open(project) as again:
        assert again.recovered == 3 and numbers(again) == [1, 2]
        again.redo()
        assert numbers(again) == [1, 2, 3]
        again.undo()
        again.undo()
        assert numbers(again) == [1]


def test_a_journal_that_was_saved_is_not_done_again(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    old = project.journal_path.read_bytes()
    store.remove_frame("a.mp4", 1)
    store.close()
    project.journal_path.write_bytes(old)  # a crash after labels.json, before the journal's end
    assert read_labels(project).frames == {}
    with Store.open(project) as again:
        assert again.recovered == 0 and numbers(again) == []


def test_a_torn_last_line_is_no_line(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    store.set_frame(label(2))
    crash(store)
    data = project.journal_path.read_bytes()
    project.journal_path.write_bytes(data[:-30])
    assert sorted(f for _, f in read_labels(project).frames) == [1]
    with Store.open(project) as again:
        assert numbers(again) == [1] and again.messages == ()
        again.set_frame(label(5))
        crash(again)
        with Store.open(project) as third:
            assert numbers(third) == [1, 5]
        again._lock = None


def test_a_journal_of_nothing_but_half_a_line(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    crash(store)
    project.journal_path.write_bytes(project.journal_path.read_bytes()[:40])
    second = Store.open(project)
    assert numbers(second) == []
    second.set_frame(label(2))  # must not be joined to the half line
    crash(second)
    assert list(read_labels(project).frames) == [("a.mp4", 2)]


def test_a_damaged_line_is_left_out_and_kept(project: Project) -> None:
    store = Store.open(project)
    for i in (1, 2, 3):
        store.set_frame(label(i))
    crash(store)
    lines = project.journal_path.read_bytes().split(b"\n")
    lines[1] = b"\0" * len(lines[1])
    project.journal_path.write_bytes(b"\n".join(lines))
    with Store.open(project) as again:
        assert numbers(again) == [1, 3]
        assert "1 damaged lines" in again.messages[0]
    assert len(list(project.backup_dir.glob("journal-*.jsonl"))) == 1


def test_the_second_one_may_only_look(project: Project, tmp_path: Path) -> None:
    with Store.open(project) as first:
        first.set_frame(label(1))
        second = Store.open(project)
        assert second.read_only and "another window" in second.why and numbers(second) == [1]
        with pytest.raises(UserError, match="cannot be changed"):
            second.set_frame(label(2))
        with pytest.raises(UserError, match="cannot be changed"):
            second.save()
        first.set_frame(label(2))
        assert second.reload() and numbers(second) == [1, 2] and not second.reload()
        second.close()
        shutil.copytree(project.root, tmp_path / "copy")
        with Store.open(open_project(tmp_path / "copy")) as copy:  # the lock stays behind
            assert not copy.read_only and numbers(copy) == [1, 2]
    with Store.open(project) as third:
        assert not third.read_only


def test_ten_backups_are_kept(project: Project) -> None:
    with Store.open(project) as store:
        for i in range(13):
            store.set_frame(label(i))
            store.save()
            store.save()  # nothing new: no backup
            time.sleep(0.002)
    kept = sorted(project.backup_dir.glob("labels-*.json"))
    assert len(kept) == 10 and len(list(project.backup_dir.glob("labels-*.csv"))) == 10
    assert [len(json.loads(p.read_text())["images"]) for p in kept] == list(range(4, 14))
    assert kept[-1].read_bytes() == project.labels_path.read_bytes(), "nothing of a save is lost"


def test_backups_are_counted_whatever_the_clock_says(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of an older version, which has no number; then a clock that is set back at each save."""
    project.backup_dir.mkdir()
    (project.backup_dir / "labels-20990101_000000_000.json").write_text("{}")
    day = iter(range(28, 0, -1))

    class Backwards(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2026, 1, next(day))

    monkeypatch.setattr("train.project.store.datetime", Backwards)
    with Store.open(project) as store:
        for i in range(12):
            store.set_frame(label(i))
            store.save()
    kept = sorted(project.backup_dir.glob("labels-*.json"))
    assert [len(json.loads(p.read_text())["images"]) for p in kept] == list(range(3, 13))


def test_a_full_disk_leaves_no_part_of_a_backup(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(project) as store:
        store.set_frame(label(1))
        store.save()
        store.set_frame(label(2))
        project.labels_path.write_bytes(project.labels_path.read_bytes() + b" ")  # to be backed up
        with monkeypatch.context() as patch:
            patch.setattr("tracker.whole_files.shutil.copystat", no_space)
            with pytest.raises(UserError, match="disk is full"):
                store.save()
        assert not list(project.root.rglob("*.part"))
        assert store.unsaved == 1
    assert numbers_on_disk(project) == [1, 2]


def no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def numbers_on_disk(project: Project) -> list[int]:
    return sorted(f for _, f in read_labels(project).frames)


def test_the_newest_backup_is_the_last_save(project: Project) -> None:
    """What the advice on a damaged labels.json takes must not be one save older."""
    with Store.open(project) as store:
        store.set_frame(label(1))
        store.save()
        store.set_frame(label(2))
    project.labels_path.write_text("{")
    with pytest.raises(UserError, match="put the newest of"):
        read_labels(project)
    newest = max(project.backup_dir.glob("labels-*.json"))
    shutil.copy(newest, project.labels_path)
    assert numbers_on_disk(project) == [1, 2]


def test_a_lock_that_was_deleted_lets_no_second_writer_in(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    (project.labels_dir / ".lock").unlink()
    store.set_frame(label(2))  # nobody came meanwhile: it is claimed again
    assert Store.open(project).read_only
    (project.labels_dir / ".lock").unlink()
    with Store.open(project) as second:
        assert not second.read_only and numbers(second) == [1, 2]
        with pytest.raises(UserError, match=r"\.lock was deleted while this was open, and another"):
            store.set_frame(label(3))
        assert store.read_only
        second.set_frame(label(4))
    store.close()
    assert numbers_on_disk(project) == [1, 2, 4]


def test_a_lock_that_was_deleted_before_anything_was_done(project: Project) -> None:
    with Store.open(project) as store:
        (project.labels_dir / ".lock").unlink()
        assert store.undo() is None
        store.set_frame(label(1))
    store = Store.open(project)
    (project.labels_dir / ".lock").unlink()
    with Store.open(project) as second:
        store.close()  # which cannot save any more, and says nothing as there was nothing
        second.set_frame(label(2))
    assert numbers_on_disk(project) == [1, 2]


def test_a_lock_that_was_deleted_while_another_wrote_and_left(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    (project.labels_dir / ".lock").unlink()
    with Store.open(project) as second:
        second.set_frame(label(2))
    with pytest.raises(UserError, match="has changed them meanwhile"):
        store.set_frame(label(3))
    assert store.reload() and numbers(store) == [1, 2]
    store.close()
    assert numbers_on_disk(project) == [1, 2]


def test_a_journal_that_was_deleted_loses_nothing(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    project.journal_path.unlink()
    store.set_frame(label(2))
    crash(store)
    assert numbers_on_disk(project) == [1, 2]


def test_a_line_that_is_sound_json_and_not_what_was_written(project: Project) -> None:
    store = Store.open(project)
    for i in (1, 2):
        store.set_frame(label(i))
    crash(store)
    lines = project.journal_path.read_bytes().split(b"\n")
    assert b'"crc": "' in lines[0]
    lines[0] = lines[0].replace(b"10.0", b"90.0", 1)  # one bit: 0x31 and 0x39
    project.journal_path.write_bytes(b"\n".join(lines))
    with Store.open(project) as again:
        assert numbers(again) == [2] and "1 damaged lines" in again.messages[0]


def test_journals_of_older_versions_have_no_checksum(project: Project) -> None:
    store = Store.open(project)
    for i in (1, 2):
        store.set_frame(label(i))
    crash(store)
    old = re.sub(rb', "crc": "[0-9a-f]{8}"', b"", project.journal_path.read_bytes())
    assert b"crc" not in old
    project.journal_path.write_bytes(old)
    with Store.open(project) as again:
        assert numbers(again) == [1, 2] and again.messages == ()


def test_zeros_at_the_end_of_a_journal_are_told(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    crash(store)
    with project.journal_path.open("ab") as file:
        file.write(bytes(200))
    assert any("zeros" in p.what for p in check_labels(project, {}))
    with Store.open(project) as again:
        assert numbers(again) == [1]
        assert "ended in zeros, as after a power cut" in again.messages[0]
        again.set_frame(label(2))
    assert len(list(project.backup_dir.glob("journal-*.jsonl"))) == 1
    with Store.open(project) as third:
        assert numbers(third) == [1, 2] and third.messages == ()


def test_a_line_nested_deeply_is_a_damaged_line(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(label(1))
    crash(store)
    with project.journal_path.open("ab") as file:
        file.write(b"[" * 100_000 + b"]" * 100_000 + b"\n")
    with Store.open(project) as again:
        assert numbers(again) == [1] and "1 damaged lines" in again.messages[0]


def test_other_landmarks_are_refused(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(label(1))
    path = project.root / "project.toml"
    path.write_text(path.read_text().replace('"tip"', '"top"'))
    with pytest.raises(UserError, match="number 0 is 'tip' there and 'top' here"):
        Store.open(open_project(project.root))
    path.write_text(path.read_text().replace('"top"', '"tip"'))
    with Store.open(open_project(project.root)) as store:
        assert not store.read_only  # the failed one held no lock


def test_a_full_disk_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(project) as store:
        store.set_frame(label(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
            with pytest.raises(UserError, match="disk is full"):
                store.set_frame(label(2))
            with pytest.raises(UserError, match="disk is full"):
                store.save()
        assert numbers(store) == [1]
        assert list(read_labels(project).frames) == [("a.mp4", 1)]  # nor is it in the journal
        store.set_frame(label(3))
    assert sorted(f for _, f in read_labels(project).frames) == [1, 3]


def test_misfits_are_refused(project: Project) -> None:
    good = label(1)
    (thing,) = good.objects
    with Store.open(project) as store:
        for xy, v in ((thing.xy[:2], thing.v), (thing.xy, np.array([2, 1, 3], np.uint8)),
                      (thing.xy, np.array([2, 1, 1], np.uint8))):  # fmt: skip
            bad = type(thing)(1, xy, v, None, "user")
            with pytest.raises(ValueError):
                store.set_frame(type(good)("a.mp4", 1, 0.04, (96, 64), (bad,)))
        assert not store.can_undo


def test_ranges_are_read_tolerantly(project: Project) -> None:
    path = project.ranges_path
    path.write_text("\ufeffLabel;kind;clip;start_s;end_s;note\nfist;Gesture;a.mp4;0,5;1,25;hm\n\n")
    rows = range_rows(path)
    assert rows.ranges == (ONE,) and "column 'note'" in rows.messages[0]
    path.write_text("clip,start_s,end_s,kind,label\na.mp4,x,1,gesture,fist\n")
    with pytest.raises(UserError, match=r"line 2: 'x' to '1' are not seconds"):
        read_labels(project)
    path.write_text("a.mp4,0,1,gesture,fist\n")
    with pytest.raises(UserError, match="no column 'clip'"):
        read_labels(project)


LABELLING = """
import sys
from pathlib import Path
from tests.helpers.teaching import label
from train.project.layout import open_project
from train.project.labels import Range
from train.project.store import Store
store = Store.open(open_project(Path(sys.argv[1])))
assert not store.read_only, store.why
start = max((f for _, f in store.labels.frames), default=-1) + 1
print("ready", start, flush=True)
for i in range(start, 10**9):
    store.set_frame(label(i))
    print(i, flush=True)
    if i % 7 == 3:
        store.set_ranges([Range("a.mp4", 0.0, i + 1.0, "gesture", "fist")])
    if i % 5 == 0:
        store.save()
"""


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_loses_at_most_the_last_action(project: Project, seed: int) -> None:
    dice = random.Random(seed)
    said = -1
    for _ in range(6):
        command = [sys.executable, "-c", LABELLING, str(project.root)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            time.sleep(dice.uniform(0.0, 0.15))
            process.send_signal(signal.SIGKILL)
            lines = process.stdout.read().split("\n")[:-1]
        said = max([said, *map(int, lines)])
        frames = sorted(f for _, f in read_labels(project).frames)
        # All it had said, in order, and at most the one it was about to say.
        assert frames == list(range(len(frames))) and said <= len(frames) - 1 <= said + 1
        said = len(frames) - 1  # what a killed one did not come to say is there all the same
        for path in (project.labels_path, *project.backup_dir.glob("*.json")):
            if path.is_file():
                json.loads(path.read_text())
    assert said > 0
    with Store.open(project) as store:
        assert not store.read_only and numbers(store) == frames


def boxed(frame: int, box: list[float]) -> FrameLabel:
    """An object of which nothing but a box is known."""
    xy, v = np.full((3, 2), np.nan, np.float32), np.zeros(3, np.uint8)
    found = ObjectLabel(1, xy, v, np.array(box, np.float32), "user")
    return FrameLabel("a.mp4", frame, frame / 25, (96, 64), (found,))


def test_a_drawn_box_is_kept_as_coco_says(project: Project) -> None:
    with Store.open(project) as store:
        store.set_frame(boxed(3, [10.5, 20, 40.25, 50]))
        store.set_frame(label(4))
    first, second = json.loads(project.labels_path.read_text())["annotations"]
    assert first["bbox"] == [10.5, 20.0, 29.75, 30.0] and "box_of_points" not in first
    assert first["num_keypoints"] == 0 and first["keypoints"] == [0] * 9
    assert second["bbox"] == [10.0, 20.0, 10.0, 10.5] and second["box_of_points"]
    (found,) = read_labels(project).frames["a.mp4", 3].objects
    assert found.box_xyxy is not None and found.box_xyxy.tolist() == [10.5, 20, 40.25, 50]
    assert box_of(read_labels(project).frames["a.mp4", 4].objects[0]).tolist() == [10, 20, 20, 30.5]  # type: ignore[union-attr]


def test_the_journal_carries_boxes_through_a_crash_and_back(project: Project) -> None:
    store = Store.open(project)
    store.set_frame(boxed(3, [10, 20, 40, 50]))
    store.set_frame(boxed(3, [11, 20, 40, 50]))
    crash(store)
    with Store.open(project) as again:
        box = again.labels.frames["a.mp4", 3].objects[0].box_xyxy
        assert again.recovered == 2 and box is not None and box.tolist() == [11, 20, 40, 50]
        again.undo()
        box = again.labels.frames["a.mp4", 3].objects[0].box_xyxy
        assert box is not None and box.tolist() == [10, 20, 40, 50]


def test_a_box_must_be_four_numbers(project: Project) -> None:
    with Store.open(project) as store, pytest.raises(ValueError, match="a box is"):
        store.set_frame(boxed(3, [10, 20, np.nan, 50]))


def test_the_frame_that_was_edited_last_is_known(project: Project) -> None:
    with Store.open(project) as store:
        assert store.last_edited is None
        store.set_frame(label(3))
        store.set_frame(label(7))
        store.set_frame(label(3, 12.0))
        store.set_ranges([ONE])
        assert store.last_edited == ("a.mp4", 3), "ranges are of no frame"
    assert json.loads(project.labels_path.read_text())["info"]["last"] == ["a.mp4", 3]
    store = Store.open(project)
    assert store.last_edited == ("a.mp4", 3)
    store.set_frame(label(9))
    store.set_ranges([])
    crash(store)
    with Store.open(project) as again:
        assert again.last_edited == ("a.mp4", 9), "the journal knows"
        again.undo()
        again.undo()
        assert again.last_edited == ("a.mp4", 9), "undoing is editing as well"
    coco = json.loads(project.labels_path.read_text())
    coco["info"]["last"] = ["a.mp4"]
    project.labels_path.write_text(json.dumps(coco))
    with Store.open(project, read_only=True) as reader:
        assert reader.last_edited is None and numbers(reader) == [3, 7]
