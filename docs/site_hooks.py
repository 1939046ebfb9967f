"""For mkdocs: what a page needs before it is made.

The page of commands has what `--help` prints, so that it is never older than these. Links to files
of the repository, which are no pages, become their names.
"""

from __future__ import annotations

import os
import re

from typer.main import get_command
from typer.testing import CliRunner

WIDE = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def on_page_markdown(markdown: str, **_: object) -> str:
    """A page's text, with help where `<!-- help of PROGRAM -->` stands, and no way out of docs/."""
    markdown = re.sub(r"\[`?([^\]]*?)`?\]\(\.\./([^)]*)\)", _named, markdown)
    return re.sub(r"<!-- help of (\w+) -->", lambda found: _all_help(found[1]), markdown)


def _named(link: re.Match[str]) -> str:
    """`examples/a.py`, or 'a script (`examples/a.py`)'; pages of the site stay links."""
    words, path = link[1], link[2]
    if path.partition("#")[0].endswith(".md") and "/" not in path and path.islower():
        return link[0]
    return f"`{path}`" if words in path else f"{words} (`{path}`)"


def _all_help(program: str) -> str:
    os.environ |= WIDE
    from ui.commands import tracker, train

    app = {"tracker": tracker.app, "train": train.app}[program]
    names = [*getattr(get_command(app), "commands")]  # noqa: B009  (of a group)
    parts = [f"## {program}", _help(app, program, [])]
    for name in names:
        parts += [f"### {program} {name}", _help(app, program, [name])]
    return "\n\n".join(parts)


def _help(app: object, program: str, words: list[str]) -> str:
    done = CliRunner().invoke(app, [*words, "--help"], prog_name=program)  # type: ignore[arg-type]
    if done.exit_code:
        raise RuntimeError(f"{program} {' '.join(words)} --help ended with {done.exit_code}")
    text = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
    return f"```text\n{text}\n```"
