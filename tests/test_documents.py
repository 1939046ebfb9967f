"""The examples in the documents do what stands below them."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import tracker
from tests.helpers import clips
from tests.helpers.clips import FakeTracker
from tracker.files.video_job import Job, annotate

ROOT = Path(__file__).parent.parent


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


def test_a_wrong_example_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text(">>> 1 + 1\n3\n")
    with pytest.raises(AssertionError, match="Expected"):
        run(tmp_path / "x.md", 1)
