"""`tracker actions`: listing, copying, checking, and trying on a clip."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import tracker.load
from tests.helpers import clips
from tests.helpers.seen import GESTURES, hand
from tests.tracker.gestures.taught import TOLD, examples
from tracker.actions.profile import shipped
from tracker.config import TrackerConfig
from tracker.gestures.own import Gesture, Own, shown, usual_file, write_own
from tracker.load import Loaded
from tracker.result import Result
from tracker.types import Image
from ui.commands.tracker import app

DO = "[[do]]\nname = 'play'\nwhen = 'fist'\nhold = 0.2\ncooldown = 0.0\nrun = 'key:space'\n"


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["actions", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float], Result]], None]:
    """Models that know GESTURES, and a tracker that sees what a test says."""

    def see(seen: Callable[[float], Result]) -> None:
        class Seeing:
            def process(self, frame_bgr: Image, t: float) -> Result:
                return seen(t)

        info = SimpleNamespace(
            kind="hand",
            landmarks=(),
            attributes=[SimpleNamespace(name="gesture", classes=GESTURES, parts=GESTURES)],
        )
        loaded = SimpleNamespace(models=[SimpleNamespace(info=info)], new_tracker=Seeing)
        monkeypatch.setattr(tracker.load, "load", lambda config, models: loaded)

    see(lambda t: Result(t, ()))
    return see


def test_listing() -> None:
    code, out, _ = run()
    assert code == 0
    for name in shipped():
        assert f"\n{name} " in f"\n{out}"
    for name in ("keys", "osc", "obs", "midi", "say", "http", "command"):
        assert f"\n{name} " in out


def test_copying(tmp_path: Path) -> None:
    target = tmp_path / "mine.toml"
    assert run("copy", "slides", target)[0] == 0
    assert target.read_text(encoding="utf-8") == shipped()["slides"].read_text(encoding="utf-8")
    code, _, err = run("copy", "slides", target)
    assert code == 1 and f"{target} is there already; name another file" in err
    code, _, err = run("copy", "slide", tmp_path / "b.toml")
    assert code == 1 and "there is no profile 'slide'; write slides" in err


def test_checking(tmp_path: Path, networks: object) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(DO, encoding="utf-8")
    assert run("check", good) == (0, f"{good}: nothing is wrong; 1 rules\n", "")
    bad.write_text(DO.replace("fist", "wave") + "hold = 3\nran = 1\n", encoding="utf-8")
    bad.write_text(DO.replace("fist", "wave").replace("0.2", "-2"), encoding="utf-8")
    code, out, _ = run("check", bad)
    assert code == 1
    assert out.splitlines() == [
        f"{bad}: line 3: no model here knows a gesture 'wave'; write one of fist, point, victory, "
        "open_palm, thumb_up",
        f"{bad}: line 4: hold: -2 is out of range; write a number, 0 to 60",
    ]
    code, _, err = run("check", tmp_path / "gone.toml")
    assert code == 1 and "cannot be read" in err


def test_gestures_of_ones_own_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """'tracker live' knew them; 'check' called them a fault, and 'try' ended with that."""
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    write_own(usual_file(), shown(Own(), Gesture("corner"), "gesture", examples("fist", 3), TOLD))
    profile = tmp_path / "mine.toml"
    profile.write_text(DO.replace("'fist'", "'corner'"), encoding="utf-8")
    assert run("check", profile) == (0, f"{profile}: nothing is wrong; 1 rules\n", "")


def test_trying(
    tmp_path: Path,
    networks: Callable[[Callable[[float], Result]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two fists of a second each in a clip of 5 s at 25 fps: 2 * 3600 / 4.96 s an hour."""
    told: list[tuple[str, int, int | None]] = []

    @contextmanager
    def bars(shown: bool) -> Iterator[Callable[[str], Callable[[int, int | None], None]]]:
        yield lambda name: lambda done, of: told.append((name, done, of))

    monkeypatch.setattr("ui.commands.console.bars", bars)
    clip = clips.make(tmp_path / "in.mp4", clips.Clip(frames=125, rate=25))
    networks(lambda t: Result(t, (hand("fist" if 1 <= t < 2 or 3 <= t < 4 else "none"),)))
    profile = tmp_path / "mine.toml"
    profile.write_text(DO, encoding="utf-8")
    code, out, _ = run("try", profile, clip)

    assert code == 0
    assert told == [("in.mp4", i, 125) for i in range(1, 126)]
    assert out.splitlines() == [
        f"{clip}: 2 fired in 5.0 s",
        "      1.00 s  play: key:space",
        "      3.00 s  play: key:space",
        "2 fired in 0.1 minutes: 1451.6 false triggers per hour, if nothing should have fired",
    ]
    code, _, err = run("try", profile, tmp_path / "gone.mp4")
    assert code == 1 and "gone.mp4" in err


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("at", [0.4, 2.0])  # before and after there is a second of video
def test_ctrl_c_ends_a_trial_early(
    tmp_path: Path, networks: Callable[[Callable[[float], Result]], None], at: float
) -> None:
    def seen(t: float) -> Result:
        if t == at:
            signal.raise_signal(signal.SIGINT)
        return Result(t, ())

    networks(seen)
    clip = clips.make(tmp_path / "in.mp4", clips.Clip(frames=125, rate=25))
    profile = tmp_path / "mine.toml"
    profile.write_text(DO, encoding="utf-8")
    code, out, err = run("try", profile, clip, clip)
    assert (code, err) == (130, "")
    rate = "0 fired in 0.0 minutes: 0.0 false triggers per hour, if nothing should have fired"
    assert out.splitlines() == [f"{clip}: 0 fired in {at:.1f} s", *([rate] if at > 1 else [])]


def test_trying_on_a_camera_that_looks_over_the_shoulder(
    tmp_path: Path,
    networks: Callable[[Callable[[float], Result]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facing, fake = [], tracker.load.load

    def load(config: TrackerConfig, models: Sequence[Path]) -> Loaded:
        facing.append(config.facing)
        return fake(config, models)

    monkeypatch.setattr(tracker.load, "load", load)
    clip = clips.make(tmp_path / "in.mp4", clips.Clip(frames=50, rate=25))
    profile = tmp_path / "mine.toml"
    profile.write_text(DO, encoding="utf-8")
    assert [run("try", profile, clip, *more)[0] for more in ((), ("--no-mirror",))] == [0, 0]
    assert facing == [True, False]
