"""Small tables as CSV files, written whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.whole_files import write_whole


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a row under all their columns, in the order of appearance; renamed into place."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(k for row in rows for k in row)))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())
