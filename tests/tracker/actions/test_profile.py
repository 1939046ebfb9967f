"""Profiles: all faults at once, each with its line and a remedy; and who may start programs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tracker.actions.conditions import CONDITIONS
from tracker.actions.keys import KEYS
from tracker.actions.osc import Message
from tracker.actions.profile import Fault, Faulty, Place, read_profile, shipped, why_no_commands
from tracker.actions.runners import RUNNERS, parse_run
from tracker.errors import UserError

ROOT = Path(__file__).parents[3]
KNOWN = ("none", "fist", "point", "victory", "three", "open_palm", "thumb_up", "pinky", "l_shape")
WHOLE = """
pause = "ctrl+alt+p"
sure = 0.8
[enable]
when = "open_palm"
for = 7
[[do]]
name = "play"
when = "thumb_up"
hand = "right"
hold = 0.3
release = 0.2
cooldown = 1.0
run = "key:space"
[[do]]
when = "head left 20"
run = "osc:/scene 1 0.5 two"
[pointer]
from = "right index_tip"
area = [0.3, 0.3, 0.7, 0.7]
accelerate = 1.5
still = 0.004
click = "pinch"
[[slide]]
from = "left pinch"
in = [0.2, 1.0]
run = "midi:cc 7"
[osc]
to = "127.0.0.1:9001"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        read_profile(write(folder, text), KNOWN)
    return [str(fault) for fault in caught.value.faults]


def test_a_whole_profile(tmp_path: Path) -> None:
    profile = read_profile(write(tmp_path, WHOLE), KNOWN)
    play, scene = profile.rules
    assert (play.name, play.hand, play.sure, play.run.scheme) == ("play", "right", 0.8, "key")
    assert (play.timing.hold, play.timing.release, play.timing.cooldown) == (0.3, 0.2, 1.0)
    assert scene.run.what == Message("", "/scene", (1, 0.5, "two"))
    assert profile.pause == ("ctrl", "alt", "p")
    assert profile.enable is not None and profile.enable.seconds == 7
    use = profile.pointer
    assert use is not None and use.place == Place("hand", "right", "index_tip")
    assert (use.rule.area, use.rule.accelerate, use.rule.still) == (
        (0.3, 0.3, 0.7, 0.7),
        1.5,
        0.004,
    )
    assert use.click is not None and use.click.text == "pinch" and use.scroll is None
    (slide,) = profile.slides
    assert (slide.source, slide.hand, slide.inside, slide.outside) == (
        "pinch", "left", (0.2, 1.0), (0.0, 1.0),
    )  # fmt: skip
    assert profile.settings["osc"] == {"to": "127.0.0.1:9001"}


def test_all_faults_at_once_with_lines(tmp_path: Path) -> None:
    text = """pause = "ctrl+alt+pp"
[[do]]
when = "thumb_upp"
hand = "rigth"
hold = -1
run = "key:spce"
[[do]]
wen = "fist"
run = "key:space"

[pointer]
from = "right index_tip"
area = [0.3, 0.3, 0.7]
[[slide]]
from = "left pinch"
run = "obs:record"
[sliders]
"""
    assert faults(tmp_path, text) == [
        "line 1: pause: there is no key 'pp'; write p",
        "line 3: no model here knows a gesture 'thumb_upp'; write thumb_up",
        "line 4: hand: 'rigth' is unknown; write right",
        "line 5: hold: -1 is out of range; write a number, 0 to 60",
        "line 6: run: there is no key 'spce'; write space or super or backspace",
        "line 7: this 'do' has no 'when'; add a line 'when = ...'",
        "line 8: 'wen' is unknown here; write when",
        "line 13: area: [0.3, 0.3, 0.7] is not 4 numbers; write [0, 0, 0, 0]",
        "line 16: obs: takes no values; write scroll:, joystick:, osc:, http:, midi:",
        "line 17: 'sliders' is unknown here; write slide",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[do]\nwhen = 1", "line 1: this is no TOML"),
        ("[[do]]\nwhen = 'fist\n", "line 2: this is no TOML"),
        ("", "it does nothing"),
        ("[do]\nwhen = 'fist'\nrun = 'key:a'", "line 1: 'do' stands alone here; write [[do]]"),
        ("[[pointer]]\nfrom = 'index_tip'", "line 1: 'pointer' is no table; write [pointer], once"),
        ("[pointer]\nclick = 'pinch'", "line 1: this 'pointer' has no 'from'"),
        ("[[do]]\nwhen = 3\nrun = 'key:a'", "line 2: when: 3 is no text"),
        ("[[do]]\nwhen = 'fist'\nrun = 'jump:a'", "line 3: run: 'jump:a' says not what to do"),
        ("[[do]]\nwhen = 'fist'\nrun = 'key:a'\nhold = true", "line 4: hold: True is out of range"),
        ("[pointer]\nfrom = 'right'", "line 2: from: 'right' is no landmark"),
        ("[pointer]\nfrom = 'index_tip'\narea = [0.7, 0, 0.3, 1]", "is no part of the picture"),
        ("[[slide]]\nfrom = 'nose'\nrun = 'midi:cc 1'", "line 2: from: 'nose' is no value"),
        (
            "[[slide]]\nfrom = 'pinch'\nin = [1, 1]\nrun = 'midi:cc 1'",
            "line 3: in: [1, 1] is empty",
        ),
        ("[osc]\nto = 'here'\n[[do]]\nwhen='fist'\nrun='osc:/a'", "line 2: to: 'here' is no HOST"),
    ],
)
def test_single_faults(tmp_path: Path, text: str, words: str) -> None:
    (fault,) = faults(tmp_path, text)
    assert words in fault


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_profile(tmp_path / "gone.toml")
    path = tmp_path / "mine.toml"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(UserError, match="no text in UTF-8"):
        read_profile(path)
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(UserError, match="larger than any profile"):
        read_profile(path)


COMMAND = "[[do]]\nwhen = 'fist'\nrun = 'command:true'\n"


def test_commands_only_in_profiles_of_ones_own(tmp_path: Path) -> None:
    path = write(tmp_path, COMMAND)
    assert read_profile(path).rules[0].run.what == ("true",)
    (tmp_path / "hand.onnx").touch()
    assert "beside a model" in faults(tmp_path, COMMAND)[0]
    (tmp_path / "hand.onnx").unlink()
    (tmp_path / "project.toml").touch()
    inside = tmp_path / "a/b"
    inside.mkdir(parents=True)
    assert (
        "line 3: this profile may start no programs: it lies in the project"
        in (faults(inside, COMMAND)[0])
    )


@pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")
def test_commands_only_in_profiles_that_nobody_else_writes(tmp_path: Path) -> None:
    path = write(tmp_path, COMMAND)
    path.chmod(0o666)
    assert f"others may write to {path}; run 'chmod go-w {path}'" in faults(tmp_path, COMMAND)[0]
    path.chmod(0o644)
    tmp_path.chmod(0o777)
    assert f"others may write to {tmp_path}" in faults(tmp_path, COMMAND)[0]
    tmp_path.chmod(0o755)
    assert why_no_commands(path) is None


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives a file away")
def test_commands_of_another_account(tmp_path: Path) -> None:
    path = write(tmp_path, COMMAND)
    os.chown(path, 12345, -1)
    assert f"{path} belongs to another account" in faults(tmp_path, COMMAND)[0]


def test_shipped_profiles_have_no_faults() -> None:
    assert list(shipped()) == ["media", "obs", "pointer", "slides"]
    for path in shipped().values():
        profile = read_profile(path, KNOWN)
        assert profile.pause and (profile.rules or profile.pointer)


def test_the_profiles_of_the_handbook_have_no_faults(tmp_path: Path) -> None:
    text = (ROOT / "docs/actions.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        read_profile(write(tmp_path, block), KNOWN)
    told = set(re.findall(r"\w+", text))
    assert set(RUNNERS) <= told
    assert {word for name in CONDITIONS for word in name.split()} <= told
    assert {name for name in KEYS if not re.fullmatch(r"[a-z0-9]|f\d+", name)} <= told


@pytest.mark.parametrize(
    "text",
    ["key:ctrl+", "key:a+a", "keys:", "click:top", "scroll:in", "scroll:up x", "joystick:z",
     "osc:scene", "osc:here/a", "http:ftp://a", "http:",
     "http://host:port/", "http:POST http://host:99999/", "obs:scene", "obs:record now",
     "obs:dance", "obs:GetVersion {", "midi:note", "midi:cc 200", "midi:hum 3", "say: ",
     "command:", "command:'a", "key", "jump:x"],
)  # fmt: skip
def test_runs_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|close"):
        parse_run(text)


def test_runs() -> None:
    assert parse_run("key:Ctrl+Shift+T").what.chords == (("ctrl", "shift", "t"),)
    assert parse_run("keys:ctrl+k ctrl+s").what.chords == (("ctrl", "k"), ("ctrl", "s"))
    assert parse_run("command:play 'a b.wav'").what == ("play", "a b.wav")
    assert parse_run("http://127.0.0.1:1/x").what.url == "http://127.0.0.1:1/x"
    assert parse_run('http:POST http://a/b {"c": 1}').what.body == '{"c": 1}'
    assert parse_run('obs:GetSceneItemId {"sceneName": "A"}').what.data == {"sceneName": "A"}
    assert set(RUNNERS) == {
        "key", "keys", "hold", "click", "scroll", "joystick", "osc", "http", "obs", "midi", "say",
        "command",
    }  # fmt: skip
    assert {"space", "f12", "play_pause", "super"} <= set(KEYS)


def test_a_fault_of_the_whole_file_has_no_line() -> None:
    assert str(Fault(0, "it does nothing")) == "it does nothing"
