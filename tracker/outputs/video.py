"""The annotated video as an output of a job over a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.overlay import Style, draw
from tracker.outputs.video_writer import VideoWriter, check_container
from tracker.result import Result
from tracker.types import Frame


class AnnotatedVideo:
    """Each frame with what was seen in it; a frame that is missing shows the picture before."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where the file cannot be written."""
        check_container(Path(target))
        facts = about.facts
        if facts is None:
            raise UserError(
                f"{target} could not be begun: a live video is recorded with the key R of the "
                "window; give --to a data file or a stream"
            )
        self._about = about
        self._skeletons, self._style = about.skeletons(), about.style or Style()
        self._last = np.zeros((facts.size_wh[1], facts.size_wh[0], 3), np.uint8)
        self._video = VideoWriter(about.target(Path(target)), facts, about.sound_of)

    def put(self, frame: Frame, result: Result | None) -> None:
        """Draw and encode."""
        if frame.bgr is not None:
            self._last = frame.bgr
        with self._about.stage("draw"):
            tracks = () if result is None else result.tracks
            picture = draw(self._last, tracks, self._skeletons, self._style)
        with self._about.stage("encode"):
            self._video.write(picture, frame.t)

    def close(self, whole: bool) -> None:
        """End the file. Not `whole`: the sound ends with the last frame."""
        try:
            self._video.finish(whole)
        except UserError:
            self._video.discard()
            raise
        if self._video.sound_note is not None:
            self._about.say(self._video.sound_note)
