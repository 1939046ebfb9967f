"""From words to sources; and the socket: a source is one row of `OPENERS`."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.live import FakeLiveTracker, wait_for
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.live.pipeline import Pipeline
from tracker.sources.open import OPENERS, Playing, kind_of_source, open_source
from tracker.types import Frame


@pytest.mark.parametrize(
    ("spec", "kind", "live"),
    [
        ("0", "DeviceSource", True),
        ("/dev/video2", "DeviceSource", True),
        ("HD Webcam", "DeviceSource", True),
        ("rtsp://u:p@10.0.0.1/cam?token=1", "UrlSource", True),
        ("HTTP://10.0.0.1:8080/video", "UrlSource", True),
        ("clip.MP4", "FileSource", False),
    ],
)
def test_specs(spec: str, kind: str, live: bool) -> None:
    source = open_source(spec)
    assert (type(source).__name__, source.live) == (kind, live)
    assert "u:p" not in source.identity + source.name and "token" not in source.identity


def test_a_file_needs_no_suffix(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4").rename(tmp_path / "clip")
    assert type(open_source(str(path))).__name__ == "FileSource"


@pytest.mark.parametrize("spec", ["", "  ", "ftp://10.0.0.1/a", "file:///etc/passwd"])
def test_specs_that_are_refused(spec: str) -> None:
    with pytest.raises(UserError, match=r"rtsp://|tracker cameras"):
        open_source(spec)


class Counter:
    """Grays that get brighter, at the rate in its address: `count://RATE`."""

    live, lap = False, 0

    def __init__(self, spec: str, how: Playing) -> None:
        self.name = self.identity = spec
        self.rate, self.loop, self.count = float(spec.partition("://")[2]), how.loop, 0

    def open(self) -> None:
        self.count = 0

    def read(self) -> Frame | None:
        sleep(1 / self.rate)
        if self.count == 40 and not self.loop:
            return None
        self.count += 1
        return Frame(self.count - 1, monotonic(), np.full((48, 64, 3), self.count % 256, np.uint8))

    def close(self) -> None:
        pass

    def present(self) -> bool | None:
        return None


def test_a_new_source_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Played through the live pipeline to its end, as any other."""
    with pytest.raises(UserError, match="could not be opened"):
        open_source("count://200")
    monkeypatch.setitem(OPENERS, "count", Counter)
    source = open_source("COUNT://200")
    assert kind_of_source("count://200") == "count"
    tracker = FakeLiveTracker()
    pipeline = Pipeline(source, TrackerConfig(), lambda config: tracker)
    pipeline.start()
    try:
        wait_for(lambda: pipeline.health().camera.phase == "ended", "its end")
        shown = pipeline.latest()
        assert shown is not None and tracker.shapes[0] == (48, 64, 3)
        assert shown.frame.bgr is not None and shown.frame.bgr[0, 0].tolist() == [40, 40, 40]
        assert "COUNT://200 has ended" in pipeline.health().camera.reason
    finally:
        assert pipeline.close(10)
