"""`python -m tests.torture`: all of it, and one table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tests.torture.rows import Row

# Each in a process of its own, which imports what it needs alone: it is forked many times.
ALL: dict[str, tuple[str, str, int]] = {
    "labeller": ("labeller", "labeller", 1000), "window": ("labeller", "window", 20),
    "recordings": ("films", "recordings", 50), "videos": ("films", "videos", 50),
    "fits": ("trainings", "fits", 10), "finetunes": ("trainings", "finetunes", 10),
    "disks": ("disks", "full_disk", 60), "cameras": ("cameras", "cameras", 60),
}  # fmt: skip


def main() -> None:
    """Print the table; the exit status tells whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--share", type=float, default=1.0, help="of the counts; at least one each")
    parser.add_argument("--only", default="", help=f"some of {','.join(ALL)}")
    parser.add_argument("--row", default="", help="one line, as JSON; for this command itself")
    given = parser.parse_args()
    if given.row:
        print(json.dumps(asdict(row(given.row, given.share))))
        return
    wanted = [n for n in given.only.split(",") if n] or list(ALL)
    print(where(), flush=True)
    print("\n| what | tried | wrong | promise | seen |\n|---|---|---|---|---|", flush=True)
    wrong: list[str] = []
    for name in wanted:
        begun = time.monotonic()
        found = child(name, given.share)
        seen = [f"{what} {value:g}" for what, value in found.seen.items()]
        seen.append(f"{time.monotonic() - begun:.0f} s")
        cells = (found.name, found.tried, len(found.wrong), found.promise, ", ".join(seen))
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        wrong += [f"{found.name}: {what}" for what in found.wrong]
    print("\n" + ("\n".join(wrong) or "All held."))
    sys.exit(bool(wrong))


def row(name: str, share: float) -> Row:
    """Do one."""
    module, function, count = ALL[name]
    work = getattr(import_module(f"tests.torture.{module}"), function)
    with tempfile.TemporaryDirectory() as folder:
        done: Row = work(max(1, round(count * share)), Path(folder))
    return done


def child(name: str, share: float) -> Row:
    """The same in another process. Threads do not survive a fork, so libraries start none."""
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    words = [sys.executable, "-m", "tests.torture", "--row", name, "--share", str(share)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        return Row(name, "", wrong=[done.stderr.strip().rpartition("\n")[2]])
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def where() -> str:
    """Machine and commit."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"commit {commit or 'unknown'}, {platform.system()} {platform.release()}, "
        f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
