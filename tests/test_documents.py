"""Documents are true: examples give what stands below, files, options, gestures are there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from typing import Any, cast

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


def mentions(text: str) -> list[list[str]]:
    """The words of each command that a text names anywhere, often without its arguments."""
    named = re.findall(r"\b(?:tracker|train) [a-z][^`\n|#]*", text.replace("\\\n", " "))
    return [re.split(r"[.;:,)'\"] ", words)[0].split() for words in named]


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The innermost command that words name, and the words behind its name."""
    app = {"tracker": ui.commands.tracker.app, "train": ui.commands.train.app}[words[0]]
    command, left = cast(Any, typer.main.get_command(app)), words[1:]
    while left and left[0] in getattr(command, "commands", {}):
        command, left = command.commands[left[0]], left[1:]
    return command, left


def understand(words: list[str]) -> None:
    """Let the command read its options, as when it is typed, and end there."""
    command, left = command_of(words)
    is_group = hasattr(command, "commands")
    assert not (is_group and left and left[0][0] != "-"), f"no such command: {left[0]}"
    command.make_context(words[0], left)


def wrong_options(words: list[str]) -> list[str]:
    """Each option that a named command does not have, behind the words that name it."""
    command, left = command_of(words)
    known = {"--help"}.union(*((*p.opts, *p.secondary_opts) for p in command.params))
    asked = re.findall(r"(?<![\w-])--[a-z][\w-]*", " ".join(left))
    is_one = left != words[1:]  # else 'the tracker runs' or the like
    return [f"{' '.join(words)}: {o}" for o in asked if is_one and o not in known]


def test_every_command_in_the_documents_is_one_and_has_the_options_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in DOCUMENTS}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "myhand").mkdir()
    named = "media.toml hand_landmarker.task face_landmarker.task shown.mp4 else.mp4 theirs.json"
    for name in named.split():
        (tmp_path / name).touch()
    told = [(name, words) for name, text in texts.items() for words in commands(text)]
    assert len(told) > 70
    wrong = []
    for name, words in told:
        try:
            understand(words)
        except Exception as error:  # whatever Typer raises, its class is its own
            wrong.append(f"{name}: {shlex.join(words)}: {error!r}")
    for name, text in texts.items():
        wrong += [f"{name}: {o}" for words in mentions(text) for o in wrong_options(words)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("line", ["tracker video", "train finetune p --losse L", "tracker show x"])
def test_a_command_that_is_none_is_noticed(line: str) -> None:
    (words,) = commands(f"Text\n\n    {line}   # such\n")
    with pytest.raises(Exception, match=r"(?i)missing|no such"):
        understand(words)


def test_an_option_that_is_none_is_noticed() -> None:
    text = "`tracker video a.mp4 --stats`, `train add --lnk x`"
    assert [o for words in mentions(text) for o in wrong_options(words)] == [
        "train add --lnk x: --lnk"
    ]


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
