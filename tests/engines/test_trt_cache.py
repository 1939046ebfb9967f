"""Kept engines: a key for all that matters, whole files or none, and nothing wrong is believed."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path

import pytest

from engines import trt_cache
from engines.cuda import Gpu
from engines.trt_build import Plan
from engines.trt_cache import Key, Stored, beside, cache_folder, check, key_of, read, write

KEY = Key("tensorrt-rtx", "1.7.1", "a" * 64, "fp32", (1, 2, 8), 3, ("8.6",), "RTX", 28, "Linux x")
OTHER = {
    "engine": "tensorrt", "version": "1.7.2", "onnx_sha256": "b" * 64, "precision": "fp16",
    "batches": (1, 2, 4), "level": 5, "targets": ("8.9",), "gpu": "RTX 4090", "processors": 30,
    "platform": "Windows x", "schema": 2,
}  # fmt: skip


def test_everything_in_a_key_matters() -> None:
    assert set(OTHER) == {field.name for field in fields(Key)}
    stored = Stored(KEY, {}, b"")
    check(stored, KEY, Path("x.engine"))
    for name, value in OTHER.items():
        other = replace(KEY, **{name: value})  # type: ignore[arg-type]
        assert other.name != KEY.name, name
        with pytest.raises(ValueError, match=r"x\.engine .*; build it again"):
            check(stored, other, Path("x.engine"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gpu": "RTX 4090", "targets": ("8.9",)}, "is for another GPU .RTX, not RTX 4090"),
        ({"version": "1.8"}, r"was built by tensorrt-rtx 1\.7\.1, this is 1\.8"),
        ({"onnx_sha256": "c" * 64}, "was built from another network"),
        ({"batches": (1, 1, 1)}, "was built with other settings"),
    ],
)
def test_why_an_engine_is_not_used(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(Stored(KEY, {}, b""), replace(KEY, **change), Path("x"))  # type: ignore[arg-type]


def test_built_ahead_for_several(tmp_path: Path) -> None:
    ahead = Stored(replace(KEY, targets=("8.6", "12.0"), gpu="", processors=0), {}, b"")
    check(ahead, KEY, tmp_path)
    check(ahead, replace(KEY, targets=("12.0",), gpu="RTX 5090", processors=170), tmp_path)
    with pytest.raises(ValueError, match=r"for other GPUs .compute 8\.6, 12\.0, not 8\.9"):
        check(ahead, replace(KEY, targets=("8.9",)), tmp_path)
    with pytest.raises(ValueError, match="another network"):
        check(ahead, replace(KEY, onnx_sha256="d" * 64), tmp_path)


def test_key_of_a_file(tmp_path: Path) -> None:
    model = tmp_path / "hand.fp16.onnx"
    model.write_bytes(b"abc")
    gpu = Gpu("RTX", "8.6", 28, 1)
    here = key_of(model, "tensorrt", "11.4", Plan(), gpu)
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert (here.onnx_sha256, here.precision, here.targets) == (abc, "fp16", ("8.6",))
    ahead = key_of(model, "tensorrt-rtx", "1.7", Plan(targets=("8.6", "8.9")), None)
    assert (ahead.targets, ahead.gpu) == (("8.6", "8.9"), "")
    assert [trt_cache.precision_of(Path(n)) for n in ("a.onnx", "a.int8.onnx", "fp16.onnx")] == [
        "fp32", "int8", "fp32",
    ]  # fmt: skip
    assert beside(model, "tensorrt-rtx").name == "hand.fp16.tensorrt-rtx.engine"


def test_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.engine"
    write(path, Stored(KEY, {"tracker": "{}"}, b"\x00body"))
    found = read(path)
    assert (found.key, found.props, found.body) == (KEY, {"tracker": "{}"}, b"\x00body")
    assert [p.name for p in path.parent.iterdir()] == ["x.engine"]


def test_any_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.engine"
    write(path, Stored(KEY, {"tracker": "words"}, b"some body"))
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="build it again"):
            read(path)
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        with pytest.raises(ValueError, match="build it again"):
            read(path)


def test_a_header_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "x.engine"
    text = json.dumps({"key": {"engine": "tensorrt", "colour": "red"}, "props": {}}).encode()
    rest = len(text).to_bytes(4, "little") + text
    path.write_bytes(trt_cache.MAGIC + sha256(bytes(32) + rest).digest() + bytes(32) + rest)
    with pytest.raises(ValueError, match="a header that is not known here; build it again"):
        read(path)


def test_an_engine_of_others_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, and for this GPU; but made by another user, or on another machine."""
    path = tmp_path / "x.engine"
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "theirs"))
    write(path, Stored(KEY, {}, b"some body"))
    check(read(path), KEY, path)
    assert (tmp_path / "theirs" / "key").stat().st_mode & 0o077 == 0
    for place in ("nothing here", "ours"):
        monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / place))
        if place == "ours":
            write(tmp_path / "other.engine", Stored(KEY, {}, b"x"))  # makes a key
        assert not read(path).ours
        with pytest.raises(ValueError, match="not built by you on this machine and is not trusted"):
            check(read(path), KEY, path)
    shutil.copy(tmp_path / "theirs" / "key", tmp_path / "ours" / "key")
    check(read(path), KEY, path)  # the key was taken along


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "x.engine"
    write(path, Stored(KEY, {}, b"old"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, full)
    with pytest.raises(OSError, match="No space"):
        write(path, Stored(KEY, {}, b"new"))
    assert read(path).body == b"old" and [p.name for p in tmp_path.iterdir()] == ["x.engine"]


def test_where_engines_are_kept(tmp_path: Path) -> None:
    end = Path("landmark-tracker") / "engines"
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}, "linux") == tmp_path / end
    assert cache_folder({}, "linux") == Path.home() / ".cache" / end
    assert cache_folder({"LOCALAPPDATA": str(tmp_path)}, "win32") == tmp_path / end
    assert cache_folder({}, "darwin") == Path.home() / "Library" / "Caches" / end
