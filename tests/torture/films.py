"""kill -9 of recordings and of `tracker video`: what is left plays, up to a moment before."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

from tests.helpers import clips
from tests.helpers.live import FakeCamera, FakeLiveTracker, noise
from tests.torture.rows import Row, Say, aside, dice, killed
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.files.video_job import Job, annotate
from tracker.live.pipeline import Pipeline
from tracker.sources.video_file import VideoReader

FPS = 50
LEAST = 2.0  # seconds before the kill at which a file may end


def plays(path: Path) -> tuple[int, float]:
    """Frames that can be decoded, and the time of the last. ValueError: it does not play."""

    def work(say: Say) -> None:
        try:
            with closing(VideoReader(path)) as reader:
                times = [f.t for f in reader.frames() if f.bgr is not None]
            say(f"{len(times)} {times[-1]}")
        except (IndexError, UserError) as error:
            say(f"{error}")

    (line,) = aside(work)
    frames, last = line.split()
    return int(frames), float(last)


def recordings(count: int, folder: Path) -> Row:
    """Live recordings, killed from their first tenths of a second on."""
    row = Row("recordings: kill -9", f"it plays, and ends at most {LEAST:g} s before the kill")
    random = dice(3)
    for number in range(count):
        path = folder / f"r{number}.mp4"

        def work(say: Say, path: Path = path) -> None:
            camera, tracker = FakeCamera(fps=FPS), FakeLiveTracker()
            still, tracker.tracks = noise(0), ()
            camera.picture = lambda i: still
            pipeline = Pipeline(camera, TrackerConfig(), lambda config: tracker)
            pipeline.start()
            pipeline.start_recording(path, annotated=False)
            begun, is_ready = time.monotonic(), False
            while time.monotonic() < begun + 60:
                recording = pipeline.health().recording
                if recording is not None and recording.frames >= 2:
                    say(recording.frames if is_ready else "ready")
                    is_ready = True
                time.sleep(0.01)

        told, _ = killed(work, lambda: random.uniform(0.0, 2.5))
        row.tried += 1
        reached = int(told[-1]) if told else 2
        try:
            frames, _ = plays(path.with_suffix(".mkv"))
        except ValueError as error:
            row.wrong.append(f"{path.name}, {reached} frames in: {error}")
            continue
        row.worst("seconds lost", round((reached - frames) / FPS, 2))
        if reached - frames > LEAST * FPS:
            row.wrong.append(f"{path.name}: {frames} of {reached} frames")
        for line in path.with_suffix(".jsonl").read_text().splitlines()[:-1]:
            json.loads(line)
    return row


def videos(count: int, folder: Path) -> Row:
    """Jobs over a file, killed; the next one clears what they left."""
    row = Row("tracker video: kill -9", f"it plays, and ends at most {LEAST:g} s before the kill")
    random, source = dice(4), folder / "in.mp4"
    aside(lambda _: clips.make(source, clips.Clip(frames=400, sound="aac")) and None)
    for number in range(count):
        place = folder / f"v{number}"
        place.mkdir()
        job = Job(source, place / "o.mp4", place / "o.jsonl", overwrite=True)

        def work(say: Say, job: Job = job) -> None:
            tracker = clips.FakeTracker(delay=0.004)
            told = ["ready"]

            def progress(done: int, total: int | None) -> None:
                say(told.pop() if told else done)

            annotate(job, tracker, clips.USED, progress)

        told, was_killed = killed(work, lambda: random.uniform(0.0, 2.0))
        row.tried += 1
        if not was_killed:
            row.count("done before")
            continue
        reached = int(told[-1]) if told else 1
        parts = [p for p in place.iterdir() if ".o.mp4." in p.name] or [place / "o.mp4"]
        try:
            _, last = plays(parts[0])
        except ValueError as error:
            if reached > LEAST * 25:
                row.wrong.append(f"{place.name}, {reached} frames in: {error}")
            continue
        row.worst("seconds lost", round(reached / 25 - last, 2))
        if reached / 25 - last > LEAST:
            row.wrong.append(f"{place.name}: it ends at {last:.2f} s, {reached / 25:.2f} were done")
        aside(lambda _, job=job: annotate(job, clips.FakeTracker(), clips.USED) and None)  # type: ignore[misc]
        left = sorted(p.name for p in place.iterdir())
        if left != ["o.jsonl", "o.mp4"]:
            row.wrong.append(f"{place.name}: the next run leaves {left}")
    return row
