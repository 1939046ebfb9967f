"""`tracker live --no-window`: the real pipeline on a clip, without Qt and without a display."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import clips
from tracker.errors import UserError
from ui.live import no_window

ROOT = Path(__file__).parents[3]
DO = "[[do]]\nname = 'gone'\nwhen = 'lost'\nhold = 0.1\nrun = 'command:touch {}'\n"


def test_something_must_come_of_it() -> None:
    with pytest.raises(UserError, match="give --to or --actions"):
        no_window.run({"camera": "0"})


def test_faults_and_impossible_sources_are_told_at_once(tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text("[[do]]\nwhen = 'fist'\nrun = 'key:spce'\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 3: run: there is no key"):
        no_window.run({"camera": "clip.mp4", "actions": str(profile)})
    with pytest.raises(UserError, match="nothing can be sent to"):
        no_window.run({"camera": "0"}, to=["pigeon"])


def test_a_file_that_cannot_be_read_ends_it(tmp_path: Path) -> None:
    """It was looked at again and again: a camera may come back, a file is as it is."""
    broken, said = tmp_path / "broken.mp4", list[str]()
    broken.write_bytes(b"no video" * 500)
    to = [str(tmp_path / "out.jsonl")]
    assert no_window.run({"camera": str(broken)}, to=to, say=said.append) == 1
    assert said[-1].endswith("check that another player shows it")


def test_it_ends_where_nothing_is_sent_any_more(tmp_path: Path) -> None:
    """It followed on, for nobody: until then as long as one target works."""
    clip, said = clips.make(tmp_path / "in.mp4"), list[str]()
    taken, free = tmp_path / "taken.jsonl", tmp_path / "free.jsonl"
    taken.touch()
    for to, code in (([taken], 1), ([taken, free], 0)):
        given = {"camera": str(clip), "loop": True, "faces": False}
        assert no_window.run(given, measure_s=2, to=list(map(str, to)), say=said.append) == code
        assert any("taken.jsonl exists already" in words for words in said)


def test_without_qt_and_without_a_display(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "in.mp4", clips.Clip(frames=60))
    out, profile = tmp_path / "out.jsonl", tmp_path / "mine.toml"
    profile.write_text(DO.format(tmp_path / "touched"), encoding="utf-8")
    code = (
        "import sys; from ui.commands.tracker import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: print(end.code, 'PyQt6' in sys.modules)"
    )
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [sys.executable, "-c", code, "live", "--no-window", "--camera", str(clip), "--to",
         str(out), "--actions", str(profile), "--measure", "30"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    *_, measured, end = done.stdout.splitlines()
    assert end == "0 False", done.stderr
    assert json.loads(measured)["actions"] == 0, "what was never there cannot be lost"
    rows = out.read_text(encoding="utf-8").splitlines()
    assert len(rows) > 10
