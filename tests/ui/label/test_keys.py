"""The labeller's keys in the handbook are those of the program."""

from __future__ import annotations

from pathlib import Path

from ui.kit.actions import as_markdown
from ui.label.actions_table import ENTRIES, HANDBOOK

TEACH = Path(__file__).parents[3] / "docs" / "teach.md"
BEGIN, END = "<!-- keys: python -m ui.label.actions_table -->\n", "\n<!-- end of keys -->"


def test_a_table_of_keys() -> None:
    groups = (("Edit", (("Ctrl+Z", "Undo"), ("A or B", "more", "and more"))),)
    assert as_markdown(groups) == (
        "| keys | what |\n|---|---|\n| **Edit** | |\n| Ctrl+Z | Undo |\n| A or B | more, and more |"
    )


def test_the_handbook_has_every_key() -> None:
    text = TEACH.read_text(encoding="utf-8")
    table = text.split(BEGIN)[1].split(END)[0]
    assert table == as_markdown(HANDBOOK), "put in the output of: python -m ui.label.actions_table"
    for entry in ENTRIES:
        assert f"| {entry.all_keys} | {entry.text}. {entry.tip} |" in table
