"""kill -9 of whoever labels: what was confirmed is there, at most one action more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.labelling import make_project
from tests.helpers.teaching import label, new_project
from tests.torture.rows import Row, Say, dice, killed
from tests.ui.label.test_app import DRIVEN
from train.project.journal import read_labels
from train.project.labels import Range
from train.project.layout import Project
from train.project.store import Store

ROOT = Path(__file__).parents[2]
PROMISE = "no confirmed action is lost"


def labeller(count: int, folder: Path) -> Row:
    """The store, killed within 120 ms of a start: while it reads, saves, writes or folds in."""
    row, random = Row("labels: kill -9 of the store", PROMISE), dice(1)
    for number in range(count):
        if number % 50 == 0:
            project, there = new_project(folder / f"labels{number}"), 0

        def work(say: Say, project: Project = project, early: bool = number % 2 == 0) -> None:
            if early:
                say("ready")  # killed while it opens, reads and folds in
            with Store.open(project) as store:
                assert not store.read_only, store.why
                if not early:
                    say("ready")  # killed while it labels and saves
                start = max((f for _, f in store.labels.frames), default=-1) + 1
                for i in range(start, 10**9):
                    store.set_frame(label(i))
                    say(i)
                    if i % 7 == 3:
                        store.set_ranges([Range("a.mp4", 0.0, i + 1.0, "gesture", "fist")])
                    if i % 5 == 0:
                        store.save()

        told, _ = killed(work, lambda: random.uniform(0.0, 0.12))
        row.tried += 1
        row.count("confirmed actions", len(told))
        there = look(row, project, told, there)
    return row


def look(row: Row, project: Project, told: list[str], before: int) -> int:
    """How many frames are there now."""
    frames = sorted(f for _, f in read_labels(project).frames)
    said = max([before - 1, *map(int, told)])
    if frames != list(range(len(frames))) or not said <= len(frames) - 1 <= said + 1:
        row.wrong.append(f"{project.root.name}: told up to {said}, there are {frames[-3:]}")
    for path in (project.labels_path, *project.backup_dir.glob("*.json")):
        if path.is_file():
            json.loads(path.read_text())
    return len(frames)


def window(count: int, folder: Path) -> Row:
    """The labeller's window itself, which labels frame after frame."""
    row, random = Row("labels: kill -9 of the window", PROMISE), dice(2)
    for number in range(count):
        project = make_project(folder / f"window{number}")
        with subprocess.Popen(
            [sys.executable, "-c", DRIVEN, str(project.root)], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        ) as process:  # fmt: skip
            assert process.stdout is not None
            told = [int(process.stdout.readline())]
            time.sleep(random.uniform(0.0, 0.5))
            os.kill(process.pid, signal.SIGKILL)
            told += [int(line) for line in process.stdout.read().split()]
        kept = sorted(f for _, f in read_labels(project).frames)
        row.tried += 1
        row.count("confirmed actions", len(told))
        if not set(told) <= set(kept) or len(kept) - len(told) > 1:
            row.wrong.append(f"told {told[-3:]}, there are {kept[-3:]}")
    return row
