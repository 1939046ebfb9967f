"""The store against a plain dictionary, through crashes, full disks and cleaned folders; and its
journal, bent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.fuzz.conftest import is_night
from tests.fuzz.strategies import bent_bytes
from tests.helpers.teaching import label, new_project
from tracker.errors import UserError
from train.project.journal import read_labels
from train.project.labels import Range
from train.project.layout import Project
from train.project.store import Store

FRAMES = st.integers(0, 5)
Whole = tuple[dict[int, float], float]  # x of the first landmark, by frame; end of the range


def crash(store: Store) -> None:
    """The process is gone: nothing is saved, the system takes the lock back."""
    assert store._journal is not None and store._lock is not None
    store._journal.close()
    store._lock.release()
    store._lock = None


def no_space(_: int) -> None:
    """The system call on a full disk."""
    raise OSError(28, "No space left on device")


class Labelling(RuleBasedStateMachine):
    """Whoever labels, and all that may happen meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="store"))
        self.project = new_project(self.folder / "p")
        self.store = Store.open(self.project)
        self.past: list[Whole] = []
        self.future: list[Whole] = []
        self.now: Whole = ({}, 0.0)
        self.full = False

    def done(self, after: Whole) -> None:
        self.past.append(self.now)
        self.future.clear()
        self.now = after

    def act(self, does: Any) -> bool:
        """Whether it was done; on a full disk it must not be."""
        real = os.fsync
        os.fsync = no_space if self.full else lambda _: None  # no power fails here: it is only slow
        try:
            does()
            return True
        except UserError as error:
            assert self.full and "disk is full" in str(error)
            return False
        finally:
            os.fsync = real

    @rule(frame=FRAMES, x=st.integers(1, 90))
    def set(self, frame: int, x: int) -> None:
        if self.act(lambda: self.store.set_frame(label(frame, float(x)))):
            self.done(({**self.now[0], frame: float(x)}, self.now[1]))

    @rule(frame=FRAMES)
    def remove(self, frame: int) -> None:
        there = frame in self.now[0]
        if self.act(lambda: self.store.remove_frame("a.mp4", frame)) and there:
            self.done(({k: v for k, v in self.now[0].items() if k != frame}, self.now[1]))

    @rule(end=st.integers(1, 9))
    def set_ranges(self, end: int) -> None:
        ranges = [Range("a.mp4", 0.0, float(end), "gesture", "fist")]
        if self.act(lambda: self.store.set_ranges(ranges)):
            self.done((self.now[0], float(end)))

    @rule()
    def undo(self) -> None:
        if self.act(self.store.undo) and self.past:
            self.future.append(self.now)
            self.now = self.past.pop()

    @rule()
    def redo(self) -> None:
        if self.act(self.store.redo) and self.future:
            self.past.append(self.now)
            self.now = self.future.pop()

    @rule()
    def save(self) -> None:
        self.act(self.store.save)

    @rule(full=st.booleans())
    def fill(self, full: bool) -> None:
        self.full = full

    @rule(name=st.sampled_from((".lock", "journal.jsonl", "backup")))
    def clean(self, name: str) -> None:
        """Somebody deletes what is not theirs. What the journal alone held is saved first."""
        self.full = False
        self.store.save()
        path = self.project.labels_dir / name
        if name == "backup":
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    @precondition(lambda self: not self.full)
    @rule(torn=st.integers(0, 40))
    def crash(self, torn: int) -> None:
        """Killed, perhaps in the midst of a line that was not confirmed."""
        crash(self.store)
        with self.project.journal_path.open("ab") as file:
            file.write(b'{"seq": 99, "generation": "x", "clip": "a.mp4"'[:torn])
        self.store = Store.open(self.project)
        assert not self.store.messages
        undone = 0
        while self.store.undo():
            undone += 1
        for _ in range(undone):
            self.store.redo()
        # Which of these are known after a start depends on the last save: both begin anew.
        self.past, self.future = [], []
        self.store._past.clear()
        self.store._future.clear()

    @invariant()
    def same(self) -> None:
        labels = read_labels(self.project)
        for found in (labels, self.store.labels):
            frames = {f: float(v.objects[0].xy[0, 0]) for (_, f), v in found.frames.items()}
            end = found.ranges[0].end_s if found.ranges else 0.0
            assert (frames, end) == self.now

    def teardown(self) -> None:
        self.full = False
        self.store.close()
        frames = {f for _, f in read_labels(self.project).frames}
        assert frames == set(self.now[0]) and not list(self.folder.rglob("*.part"))
        shutil.rmtree(self.folder)


def test_labelling(rounds: Iterator[int], pytestconfig: pytest.Config) -> None:
    for number in rounds:
        run_state_machine_as_test(Labelling if is_night(pytestconfig) else seed(number)(Labelling))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, bytes]:
    """A project that crashed with four actions in its journal."""
    project = new_project(tmp_path_factory.mktemp("journal") / "p")
    store = Store.open(project)
    for frame in range(4):
        store.set_frame(label(frame))
    crash(store)
    return project, project.journal_path.read_bytes()


@given(st.data())
def test_a_bent_journal(lines: tuple[Project, bytes], data: st.DataObject) -> None:
    """Lines that are whole are there, others are not, and a second look sees the same."""
    project, whole = lines
    try_journal(project, whole, data.draw(bent_bytes(whole)))


@pytest.mark.parametrize(
    "bent", [b"", b"\0" * 300, b"[" * 100_000 + b"\n", b"\xff\xfe\n", b"\n\n{}\n"]
)
def test_journals_that_were_seen(lines: tuple[Project, bytes], bent: bytes) -> None:
    project, whole = lines
    try_journal(project, whole, whole + bent)


def try_journal(project: Project, whole: bytes, bent: bytes) -> None:
    for path in (project.labels_path, project.ranges_path):
        path.unlink(missing_ok=True)
    shutil.rmtree(project.backup_dir, ignore_errors=True)
    project.journal_path.write_bytes(bent)
    kept = [i for i, line in enumerate(whole.splitlines(True)) if line in bent.splitlines(True)]
    with Store.open(project) as store:
        found = sorted(f for _, f in store.labels.frames)
        assert set(kept) <= set(found) <= set(range(4))
        for frame in found:
            assert store.labels.frames["a.mp4", frame].objects[0].xy[0].tolist() == [10, 20]
        if len(bent.splitlines()) >= 4 and len(found) < 4:
            assert store.messages or bent.rfind(b"\n") + 1 < len(bent), "what is lost is told"
    assert sorted(f for _, f in read_labels(project).frames) == found
    project.journal_path.write_bytes(whole)
