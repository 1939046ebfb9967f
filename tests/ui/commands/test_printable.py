"""What the commands print holds nothing that a terminal obeys, whatever files are called.

A clip, a model or a whole project may come from elsewhere, and its names with it.
"""

from __future__ import annotations

import ast
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import typer
from rich.progress import Progress
from rich.table import Table

import ui.commands.tracker
import ui.commands.train
from tests.helpers import clips, fake_cli
from tests.helpers.blobs import write_blobs, write_config
from tests.helpers.teaching import label, new_project
from tracker.printable import printable, printable_json
from train.project.adding import add_clips
from train.project.store import Store
from ui.commands.console import console, described
from ui.commands.words import stages, waiting

ROOT = Path(__file__).parents[3]
# Title, colour, right to left, CSI as one letter, what Rich takes for its markup, its links.
EVIL = "x\x1b]0;title\x07\x1b[31m\u202e\x9b2J[red][link=http:]"
PLACES = ("engines", "tracker", "train", "ui")
# Rich's columns without a text of others in them.
NO_NAMES = {"ui/commands/suggest.py", "ui/commands/terminal.py"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such names there")


def orders(text: str) -> set[str]:
    """What of it is no text. A counter goes back to the start of its line."""
    return {c for c in text if not c.isprintable() and c not in "\n\r"}


class Files:
    """Files with evil names for every command, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clip = clips.make(folder / f"{EVIL}.mp4")
        self.broken = folder / f"{EVIL}broken.mp4"
        self.broken.write_bytes(b"no video" * 500)
        self.picture = folder / f"{EVIL}.png"
        cv2.imwrite(str(self.picture), clips.picture(0))
        self.project = folder / f"{EVIL}project"
        self.teach()
        blobs = write_blobs(folder / "blobs")
        self.blobs = blobs.rename(blobs.with_name(f"{EVIL}.json"))
        self.config = write_config(folder / "blobs", 2).rename(folder / f"{EVIL}.toml")
        named = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in self.blobs.name)
        text = self.config.read_text(encoding="utf-8").replace("labels.json", named)
        self.config.write_text(text, encoding="utf-8")

    def teach(self) -> None:
        """A project whose clips have evil names, labelled, with a frame that is no more."""
        project = new_project(self.project)
        second = clips.make(self.folder / f"{EVIL}two.mp4", clips.Clip(frames=14))
        names = [clip.name for clip in add_clips(project, [self.clip, second])]
        assert names == [self.clip.name, second.name]
        with Store.open(project) as store:
            for frame in range(0, 12, 3):
                for name in names:
                    store.keep_picture(name, frame, clips.picture(frame))
                    store.set_frame(label(frame, 20.0 + frame, name))
            store.set_frame(label(99, 20.0, names[0]))

    def of(self, name: str) -> Path:
        """A file or folder to write, or none that is there."""
        return self.folder / f"{EVIL}{name}"

    @property
    def run(self) -> Path:
        """What `train fit` makes of the config."""
        return self.of("run")

    @property
    def model(self) -> Path:
        """Its checkpoint, in a file of its own."""
        return shutil.copyfile(self.run / "model.safetensors", self.of("m.safetensors"))


def words_of(command: str, f: Files) -> list[object]:
    """What follows the name of a command. In this order: each finds what others left."""
    made: dict[str, Callable[[], list[object]]] = {
        "tracker video": lambda: [f.clip, f.broken, "--json", f.of("data"), "--stats"],
        "tracker image": lambda: [f.picture, f.broken, "--to", "-"],
        "tracker live": lambda: ["--camera", f.broken, "--no-window", "--to", "-"],
        "tracker bench": lambda: [f.clip, "--frames", 1, "--no-faces"],
        "tracker engines build": lambda: [f.of("no.onnx")],
        "tracker engines time": lambda: [f.of("no.onnx")],
        "tracker actions copy": lambda: ["pointer", f.of("profile.toml")],
        "tracker actions check": lambda: [f.of("profile.toml")],
        "tracker actions try": lambda: [f.of("profile.toml"), f.clip],
        "tracker gestures": lambda: ["--file", f.of("g.json")],
        "tracker gestures teach": lambda: ["a", "--clip", f.clip, "--file", f.of("g.json")],
        "tracker gestures remove": lambda: [EVIL, "--file", f.of("g.json")],
        "tracker gestures undo": lambda: ["--file", f.of("g.json")],
        "tracker gestures redo": lambda: ["--file", f.of("g.json")],
        "tracker gestures strictness": lambda: [EVIL, 0.5, "--file", f.of("g.json")],
        "tracker gestures export": lambda: [f.of("out.json"), "--file", f.of("g.json")],
        "tracker neutral take": lambda: ["--camera", f.broken, "--file", f.of("face.json")],
        "train gesture": lambda: ["a", "--clip", f.clip, "--file", f.of("g.json")],
        "train init": lambda: [f.of("new"), "--landmarks", "hand21"],
        "train add": lambda: [f.broken, f.clip, "--project", f.project],
        "train check": lambda: [f.project],
        "train check --json": lambda: [f.project, "--json"],
        "train suggest": lambda: [f.project, "-n", 2],
        "train suggest --json": lambda: [f.project, "-n", 2, "--json"],
        "train spread": lambda: [f.project],
        "train export-labels": lambda: [f.project, "--format", "coco", "--out", f.of("coco")],
        "train import": lambda: [f.of("no.json"), "--project", f.project],
        "train finetune": lambda: [f.project, "--budget", "1it", "--name", EVIL],
        "train report": lambda: [f.project, "--no-curve"],
        "train remove": lambda: [f.clip.name, "--project", f.project],
        "train label": lambda: [f.of("none")],
        "train fit": lambda: [f.config, "--data", f.folder / "blobs", "--out", f.run],
        "train ablation": lambda: [f.of("no.toml")],
        "train export": lambda: [f.model, "--out", f.of("m.onnx")],
        "train evaluate": lambda: [f.model, f.blobs],
        "train shrink": lambda: [f.model, "--out", f.of("s.safetensors")],
        "train average": lambda: [f.model, f.model, "--out", f.of("a.safetensors")],
        "train presence": lambda: [f.model, f.blobs, "--out", f.of("q.safetensors")],
        "train head": lambda: [EVIL, f.model, f.blobs, "--out", f.of("h.safetensors")],
        "train speed": lambda: [f.run / "model.safetensors", "--runs", 1],
        "train prepare": lambda: ["hands", "--data", f.of("none"), "--out", f.of("p.json")],
        "train quantize": lambda: [f.of("n.onnx"), "--data", f.blobs, "--out", f.of("q.onnx")],
        "train parity": lambda: [f.of("n.safetensors"), "--data", f.blobs],
        "train reproduce": lambda: [EVIL],
    }  # fmt: skip
    if command == "all":
        return list(made)
    return made[command]()


NAMELESS = {
    "tracker cameras", "tracker outputs", "tracker doctor", "tracker engines", "tracker actions",
    "tracker neutral",
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("evil"))


@pytest.fixture(autouse=True)
def fake_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui.commands.tracker, "load_networks", fake_cli.fake)


def commands(app: typer.Typer, name: str) -> set[str]:
    """Every command that there is, as it is typed."""
    found = set()
    for command in app.registered_commands:
        assert command.callback is not None
        word = command.name or command.callback.__name__.rstrip("_").replace("_", "-")
        found.add(f"{name} {word}")
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found |= {f"{name} {group.name}"}
        found |= commands(group.typer_instance, f"{name} {group.name}")
    return found


def test_every_command_is_tried() -> None:
    all_ = commands(ui.commands.tracker.app, "tracker") | commands(ui.commands.train.app, "train")
    tried = {str(command).removesuffix(" --json") for command in words_of("all", None)}  # type: ignore[arg-type]
    assert tried | NAMELESS == all_ and not tried & NAMELESS


@pytest.mark.parametrize("command", words_of("all", None))  # type: ignore[arg-type]
def test_no_name_gives_orders_to_the_terminal(
    command: str, files: Files, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program, *words = command.removesuffix(" --json").split()
    words += [str(word) for word in words_of(command, files)]
    monkeypatch.setattr(sys, "argv", [program, *words])
    monkeypatch.chdir(files.folder)
    with pytest.raises(SystemExit):
        getattr(ui.commands, program).main()
    out, err = capfd.readouterr()
    assert "Traceback" not in err and orders(out + err) == set()
    assert "0;title" in out + err, "it prints a name"
    if command.endswith("--json"):
        found = json.loads(out)
        rows = found if isinstance(found, list) else found["problems"]
        assert any(EVIL in str(v) for row in rows for v in row.values()), "JSON says what it said"


def test_rich_draws_texts_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal, where Rich gives orders of its own: those of a name are none of them."""
    drawn = console()
    drawn.file, drawn._force_terminal = io.StringIO(), True
    table = Table(EVIL, title=EVIL, box=None)
    table.add_row(EVIL)
    drawn.print(table, EVIL, width=200)
    with Progress(described(), console=drawn) as bars:
        bars.add_task(EVIL)
    text = drawn.file.getvalue()
    assert not {"\x07", "\u202e", "\x9b"} & set(text) and "\x1b]" not in text
    assert text.count("x\\x1b]0;title") >= 4, "of the title, the head, a cell, a line and a bar"


def test_a_terminal_shows_that_something_goes_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with waiting("elsewhere nothing is shown"), stages("nor here") as stage:
        stage("nor now")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("TERM", "xterm")
    drawn = console()
    drawn.file, drawn._force_terminal, drawn.is_interactive = io.StringIO(), True, True
    monkeypatch.setattr("ui.commands.console.console", lambda aside: drawn)
    with waiting(f"reading {EVIL}"):
        pass
    text = drawn.file.getvalue()
    assert "reading x\\x1b]0;title" in text and "0:00:00" in text and "%" not in text
    assert not {"\x07", "\u202e", "\x9b"} & set(text)
    with waiting(f"checking {EVIL}") as count:
        count(1, 4)
        count(3, 4)
    text = drawn.file.getvalue()
    assert "75%" in text and "checking x\\x1b]0;title" in text
    assert not {"\x07", "\u202e", "\x9b"} & set(text)
    with stages("first") as stage:
        stage(f"then {EVIL}")
    text = drawn.file.getvalue()
    assert "first 0:00:00" in text and "then x\\x1b]0;title" in text
    assert not {"\x07", "\u202e", "\x9b"} & set(text)


@pytest.mark.parametrize(
    "text", ["", "a b", "\n", "é", EVIL, "\udce9", "\U000e0001", "\u3000", "\t"]
)
def test_printable_is_a_reading_of_the_text(text: str) -> None:
    shown = printable(text)
    assert orders(shown) == set()
    assert shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text
    assert json.loads(printable_json(json.dumps(text, ensure_ascii=False))) == text


def calls(path: Path) -> set[str]:
    """What a file calls, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_one_place_prints() -> None:
    """Whoever prints elsewhere says here that no name is in it, or that it is made printable."""
    allowed = {
        "ui/commands/words.py", "ui/commands/console.py",  # the place
        "ui/label/actions_table.py",  # our own table of keys
        "ui/live/app.py", "ui/live/no_window.py",  # JSON in ASCII; printable
        "train/grid/processes.py",  # printable
        "engines/trt_load.py", "engines/trial.py",  # quoted; read by its parent
        "tracker/outputs/streams/stdout.py", "tracker/files/frame_results.py",  # printable
    }  # fmt: skip
    found = set()
    for path in (path for place in PLACES for path in (ROOT / place).rglob("*.py")):
        speaks = {"print", "Console", "sys.stdout.write", "sys.stderr.write"} & calls(path)
        if speaks | {c for c in calls(path) if c.endswith((".echo", ".secho", "TextColumn"))}:
            found.add(path.relative_to(ROOT).as_posix())
    assert found <= allowed | NO_NAMES and allowed <= found
