"""Writing checkpoints and models: whole or not at all, never over an input, one sentence if not."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as write_tensors

from tracker.errors import UserError
from tracker.whole_files import part_of
from train.config import FitSpec
from train.data.pictures import Markup
from train.loop.checkpoint import build_model, load_checkpoint, prepare_output, save_checkpoint
from train.networks import NetSpec

SPEC = FitSpec(net=NetSpec(size=32, stem=4, widths=(4, 4, 4, 4)))
MARKUP = Markup(("tip", "mid", "end"))


def save(path: Path, step: int = 1) -> None:
    torch.manual_seed(step)
    save_checkpoint(path, SPEC, MARKUP, step, None, build_model(SPEC, MARKUP), None)


def test_no_folder_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"x\.safetensors could not be written: No such file"):
        save(tmp_path / "no" / "x.safetensors")


def test_a_full_disk_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    save(path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"x\.safetensors could not be written: the disk is full"):
        save(path, 2)
    assert list(tmp_path.iterdir()) == [path]
    assert load_checkpoint(path).step == 1


def test_too_large_for_the_disk(tmp_path):
    resource = pytest.importorskip("resource", reason="no limits of a file's size on this system")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(UserError, match="could not be written: it grew over the largest size"):
            save(tmp_path / "x.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_part_is_named_after_its_process_and_flushed_by_a_writable_handle(
    tmp_path, monkeypatch
):
    """Windows flushes no handle that cannot write; `train check` looks for the process's number."""
    fcntl = pytest.importorskip("fcntl", reason="the modes of handles cannot be read here")
    path = tmp_path / "last.safetensors"
    seen, flush = [], os.fsync

    def watched(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):  # not the folder's
            writable = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
            seen.append((writable, list(tmp_path.iterdir())))
        flush(handle)

    monkeypatch.setattr(os, "fsync", watched)
    save(path)
    assert seen == [(True, [part_of(path)])]
    assert list(tmp_path.iterdir()) == [path]


def test_no_output_is_an_input_or_a_folder(tmp_path):
    one = tmp_path / "one.safetensors"
    save(one)
    link = tmp_path / "link.safetensors"
    link.hardlink_to(one)
    for out in (one, link):
        with pytest.raises(UserError, match="is the input itself and would be lost"):
            prepare_output(out, tmp_path / "none", one)
    with pytest.raises(UserError, match="it is a folder"):
        prepare_output(tmp_path, one)
    with pytest.raises(UserError, match=r"could not be written: .*check the rights of its folder"):
        prepare_output(one / "below" / "x.onnx", one)
    prepare_output(link, tmp_path / "none")  # an earlier output
    prepare_output(tmp_path / "a" / "b" / "x.onnx", one)
    assert (tmp_path / "a" / "b").is_dir()


def described(path: Path, tensors: dict[str, torch.Tensor], header: object) -> Path:
    """A checkpoint with any description."""
    text = header if isinstance(header, str) else json.dumps(header)
    path.write_bytes(write_tensors(tensors, metadata={"tracker": text}))
    return path


def parts(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and description of a sound checkpoint."""
    save(path)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["tracker"])
    return load_checkpoint(path).tensors, header


@pytest.mark.parametrize(
    "header",
    ["{", "7", "[]", "[" * 100_000 + "]" * 100_000, {"schema": 1}, {"markup": 7},
     {"markup": {"landmarks": ["a"]}, "spec": {}}],
)  # fmt: skip
def test_checkpoints_without_a_markup(tmp_path: Path, header: object) -> None:
    tensors, _ = parts(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"b\.safetensors describes its network wrongly"):
        load_checkpoint(described(tmp_path / "b.safetensors", tensors, header))


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("net", "size", 200_000), ("net", "size", 128.5), ("net", "widths", [10**6] * 4),
        ("net", "widths", [4] * 1000), ("net", "depth", [10**9] * 4), ("spec", "threads", 10**6),
        ("spec", "net", 7), ("spec", "heads", 7), ("spec", "batch", 0),
        ("markup", "edges", [[0, 9.5]]), ("markup", "landmarks", []), ("", "step", -1),
        ("", "step", 1e400), ("", "extra", 7),
    ],
)  # fmt: skip
def test_checkpoints_out_of_all_bounds(tmp_path: Path, part: str, key: str, value: object) -> None:
    tensors, header = parts(tmp_path / "a.safetensors")
    place = header["spec"]["net"] if part == "net" else header[part] if part else header
    place[key] = value
    with pytest.raises(ValueError, match=r"b\.safetensors describes its network wrongly"):
        load_checkpoint(described(tmp_path / "b.safetensors", tensors, header))


def test_a_checkpoint_of_another_network_than_it_says(tmp_path: Path) -> None:
    """Nothing is built before: 4096 wide on eight levels would be 100 GB."""
    tensors, header = parts(tmp_path / "a.safetensors")
    header["spec"]["net"]["widths"] = [4096] * 4
    with pytest.raises(ValueError, match="holds other weights than the rcn_lite that it describes"):
        load_checkpoint(described(tmp_path / "b.safetensors", tensors, header))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path: Path, bad: float) -> None:
    tensors, header = parts(tmp_path / "a.safetensors")
    name = next(k for k in tensors if k.endswith("weight"))
    tensors[name].view(-1)[0] = bad
    with pytest.raises(ValueError, match=r"holds weights that are no numbers \(ema\."):
        load_checkpoint(described(tmp_path / "b.safetensors", tensors, header))
