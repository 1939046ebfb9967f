"""Documents are true: examples give what stands below, files, options, gestures are there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

import tracker
import ui.commands.tracker
import ui.commands.train
from tests.helpers import clips
from tests.helpers.clips import FakeTracker
from tracker.actions.conditions import CONDITIONS
from tracker.files.video_job import Job, annotate
from tracker.find.locate import load_model
from tracker.find.model_file import bundled_file

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "assets/**/*.md") for path in ROOT.glob(pattern)
)


def run(path: Path, least: int) -> None:
    """Run all `>>>` of a file in one namespace."""
    text = path.read_text(encoding="utf-8")
    test = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    assert len(test.examples) >= least
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize(("name", "least"), [("README.md", 10), ("docs/tutorial.md", 14)])
def test_with_the_bundled_models(name: str, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(ROOT)
    run(ROOT / name, least)


def test_reading_data_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    source = clips.make(tmp_path / "in.mp4")
    annotate(Job(source, json=tmp_path / "points.jsonl"), FakeTracker(), clips.USED)
    monkeypatch.chdir(tmp_path)
    run(ROOT / "docs/data.md", 10)


def test_the_citation_is_of_this_version() -> None:
    assert f"\nversion: {tracker.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def commands(text: str) -> list[list[str]]:
    """The words of each command line of ours in a document's indented blocks."""
    found = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        told = re.match(r" {4}(?:\$ )?(?:uvx .* landmark-)?((?:tracker|train) .*)", line)
        if told is not None:
            found.append(shlex.split(told[1].partition(" | ")[0], comments=True))
    return found


def understand(words: list[str]) -> None:
    """Let the command read its options, as when it is typed, and end there."""
    app = {"tracker": ui.commands.tracker.app, "train": ui.commands.train.app}[words[0]]
    command, left = typer.main.get_command(app), words[1:]
    while left and left[0] in getattr(command, "commands", {}):
        command, left = command.commands[left[0]], left[1:]  # type: ignore[attr-defined]
    is_group = hasattr(command, "commands")
    assert not (is_group and left and left[0][0] != "-"), f"no such command: {left[0]}"
    command.make_context(words[0], left)


def test_every_command_in_the_documents_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {
        p: p.read_text(encoding="utf-8") for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "myhand").mkdir()
    named = "media.toml hand_landmarker.task face_landmarker.task shown.mp4 else.mp4 theirs.json"
    for name in named.split():
        (tmp_path / name).touch()
    told = [(path.name, words) for path, text in texts.items() for words in commands(text)]
    assert len(told) > 70
    wrong = []
    for name, words in told:
        try:
            understand(words)
        except Exception as error:  # whatever Typer raises, its class is its own
            wrong.append(f"{name}: {shlex.join(words)}: {error!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("line", ["tracker video", "train finetune p --losse L", "tracker show x"])
def test_a_command_that_is_none_is_noticed(line: str) -> None:
    (words,) = commands(f"Text\n\n    {line}   # such\n")
    with pytest.raises(Exception, match=r"(?i)missing|no such"):
        understand(words)


def missing_files(text: str) -> list[str]:
    """Files that a text names below our rooms and that are not there; x.py stands for any."""
    rooms = "assets|docs|engines|examples|tests|tracker|train|ui"
    named = re.findall(rf"(?<![\w/])((?:{rooms})/[\w./*-]+\.(?:py|toml|md|jpg))\b", text)
    examples = re.findall(r"```(?:python|toml)\n# (\S+)", text)
    known = [n for n in named if not re.search(r"/x\.\w+$", n) and n not in examples]
    return [n for n in known if not any(ROOT.glob(n)) and not any(ROOT.glob(f"docs/{n}"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_is_there(path: Path) -> None:
    assert missing_files(path.read_text(encoding="utf-8")) == []


def options() -> dict[tuple[str, ...], set[str]]:
    """Those of each command, by its words."""
    found: dict[tuple[str, ...], set[str]] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:
        every = [(*p.opts, *p.secondary_opts) for p in command.params]
        found[words] = {"--help", *(name for names in every for name in names)}
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*words, name))

    walk(typer.main.get_command(ui.commands.tracker.app), ("tracker",))
    walk(typer.main.get_command(ui.commands.train.app), ("train",))
    return found


def unknown_options(text: str, known: dict[tuple[str, ...], set[str]]) -> list[str]:
    """Commands of a text with an option that they do not have."""
    wrong = []
    text = text.replace("\\\n", " ")
    for told in re.findall(r"\b(?:tracker|train) [a-z][^`\n|#]*", text):
        told = re.split(r"[.;:,)'\"] ", told)[0]
        words = tuple(told.split())
        command = next((words[:n] for n in (3, 2) if words[:n] in known), ())
        asked = re.findall(r"(?<![\w-])--[a-z][\w-]*", told) if command else []
        wrong += [f"{told}: {option}" for option in asked if option not in known[command]]
    return wrong


def test_commands_have_the_options_that_documents_name() -> None:
    known = options()
    texts = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    assert {
        name: wrong for name, text in texts.items() if (wrong := unknown_options(text, known))
    } == {}
    assert unknown_options("`tracker video a.mp4 --stats`, `train add --lnk x`", known) == [
        "train add --lnk x: --lnk"
    ]


def test_actions_name_the_gestures_of_the_bundled_model() -> None:
    text = (ROOT / "docs/actions.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"bundled: ([\w, ]+) \|", text)
    (classes,) = (
        a.classes for a in load_model(bundled_file("hand")).info.attributes if a.name == "gesture"
    )
    assert told.split(", ") == [n for n in classes if n != "none" and n not in CONDITIONS]


def test_a_wrong_example_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text(">>> 1 + 1\n3\n")
    with pytest.raises(AssertionError, match="Expected"):
        run(tmp_path / "x.md", 1)
    assert missing_files("see `tracker/datafile.py`, tracker/x.py and docs/use.md") == [
        "tracker/datafile.py"
    ]
