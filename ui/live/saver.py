"""Record, snapshot, flag: nothing is asked, and a line tells where the files went."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tracker.live.pipeline import Pipeline
from tracker.outputs.overlay import Style
from tracker.result import Shown
from ui.kit.jobs import Jobs

Say = Callable[[str], None]


class Saver:
    """Lets the pipeline write files; every wait for the disk happens in a job."""

    def __init__(self, jobs: Jobs, say: Say) -> None:
        """`say` shows a sentence to the user."""
        self._jobs, self._say = jobs, say
        self.is_finishing = False  # a recording is being ended

    def record(self, pipeline: Pipeline, folder: Path, annotated: bool, style: Style) -> None:
        """Begin a recording in `folder`, which is made where missing."""
        path = folder / f"{datetime.now():%Y-%m-%d_%H-%M-%S}.mp4"

        def work() -> None:
            folder.mkdir(parents=True, exist_ok=True)
            pipeline.start_recording(path, annotated, style)

        self._jobs.start(work, lambda _: self._say(f"Recording to {path}"), self._say)

    def stop(self, pipeline: Pipeline, done: Callable[[], None] = lambda: None) -> None:
        """End the recording; `done` is called when its files are complete, or have failed."""
        self.is_finishing = True

        def finished(path: Path | None) -> None:
            self.is_finishing = False
            if path is not None:
                self._say(f"Recorded {path}")
            done()

        def failed(reason: str) -> None:
            self.is_finishing = False
            self._say(reason)
            done()

        self._jobs.start(pipeline.stop_recording, finished, failed)

    def snapshot(self, pipeline: Pipeline, folder: Path, style: Style | None) -> None:
        """Save the newest picture; with its landmarks where `style` is given."""
        self._save(lambda: pipeline.snapshot(folder, style), folder, "Saved")

    def flag(self, pipeline: Pipeline, project: Path, shown: Shown | None) -> None:
        """Keep this moment for labelling."""
        self._save(lambda: pipeline.flag(project, shown), project, "Flagged")

    def _save(self, write: Callable[[], Path], folder: Path, verb: str) -> None:
        def work() -> Path:
            folder.mkdir(parents=True, exist_ok=True)
            return write()

        self._jobs.start(work, lambda path: self._say(f"{verb} {path}"), self._say)
