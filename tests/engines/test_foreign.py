"""Networks of others: looked through, tried in a child, and remembered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import assets
from engines import foreign, trial
from engines.choose import load_network
from engines.foreign import made_here, refuse_unsafe
from engines.onnx_file import check_onnx
from engines.trial import try_out
from tests.helpers.drawn import centroid_onnx

node = helper.make_node


@pytest.fixture(autouse=True)
def strangers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is remembered yet."""
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "own"))
    monkeypatch.setattr(foreign, "_known", set())


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, Any] | None = None,
    shape: Sequence[Any] = ("N", 3, 8, 8),
    more: Sequence[onnx.ValueInfoProto] = (),
    domains: Sequence[str] = ("",),
) -> Path:
    """A file with one input `x` and one output `y` of any shape."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value("x", TensorProto.FLOAT, shape), *more],
        [value("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
    )  # fmt: skip
    imports = [helper.make_opsetid(d, 18 if not d else 1) for d in domains]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=9), path)
    return path


def loop() -> onnx.NodeProto:
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Identity", ["c"], ["d"])], "b",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []),
         value("c", TensorProto.FLOAT, None)],
        [value("on", TensorProto.BOOL, []), value("d", TensorProto.FLOAT, None)],
    )  # fmt: skip
    return node("Loop", ["n", "yes", "x"], ["y"], body=body)


BOMBS: dict[str, tuple[Sequence[onnx.NodeProto], dict[str, Any], str]] = {
    "ConstantOfShape": (
        [node("ConstantOfShape", ["s"], ["c"]), node("ReduceSum", ["c"], ["y"])],
        {"s": np.array([40000, 40000])}, "needs the operator ConstantOfShape",
    ),
    "Loop": ([loop()], {"n": np.array(2**62), "yes": np.array(True)}, "operator Loop"),
    "If": ([node("If", ["x"], ["y"])], {}, "operator If"),
    "Range": ([node("Range", ["a", "b", "c"], ["y"])], {"a": 0, "b": 10**9, "c": 1}, "Range"),
    "other domain": ([node("Inverse", ["x"], ["y"], domain="com.x")], {}, r"operator com\.x\.Inv"),
    "Expand": ([node("Expand", ["x", "s"], ["y"])], {"s": np.array([2**20, 3, 2**9, 8])}, "Expand"),
    "Tile": ([node("Tile", ["x", "s"], ["y"])], {"s": np.array([10**4, 1, 10**4, 1])}, "r Tile"),
    "Resize": (
        [node("Resize", ["x", "", "s"], ["y"])], {"s": np.array([1, 1, 1e4, 1e4], np.float32)},
        "its Resize makes pictures 1e",
    ),
    "Pad": (
        [node("Pad", ["x", "s"], ["y"])], {"s": np.array([0, 0, 0, 0, 0, 0, 10**5, 10**5])}, "Pad",
    ),
    "computed size": (
        [node("Shape", ["x"], ["s"]), node("Expand", ["x", "s"], ["y"])], {}, "is computed",
    ),
    "pads": (
        [node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], pads=[10**6] * 4)], {}, "pads",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    nodes, constants, words = BOMBS[name]
    domains = ("", "com.x") if name == "other domain" else ("",)
    path = save(tmp_path / "x.onnx", nodes, constants, domains=domains)
    assert path.stat().st_size < 3000
    began = time.monotonic()
    with pytest.raises(ValueError, match=f"is not a network that can be run here: .*{words}"):
        load_network(path, 1, "onnx")
    assert time.monotonic() - began < 5


def test_shapes_have_a_limit(tmp_path: Path) -> None:
    same = [node("Identity", ["x"], ["y"])]
    for shape in (["N", 3, 2**14, 2**14], [1, 2**40]):
        with pytest.raises(ValueError, match="has the shape"):
            check_onnx(save(tmp_path / "x.onnx", same, shape=shape))
    with pytest.raises(ValueError, match="may have any size"):
        check_onnx(save(tmp_path / "x.onnx", same, shape=["N", 3, "H", "W"]))
    check_onnx(save(tmp_path / "x.onnx", same, shape=["N", 3, 256, 256]))


def test_tensors_in_other_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(12))
    path = save(
        tmp_path / "x.onnx", [node("Add", ["x", "w"], ["y"])], {"w": np.zeros(3, np.float32)}
    )
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, "../secret")
    tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="lies in another file"):
        check_onnx(path)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff" * 40, b"no network at all", b"\x3a\x80\x80\x10x"]
)
def test_what_is_no_onnx(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is not a network"):
        check_onnx(path)


def test_a_tensor_that_is_cut_off(tmp_path: Path) -> None:
    path = save(tmp_path / "x.onnx", [node("Expand", ["x", "s"], ["y"])], {"s": np.array([1, 3])})
    model = onnx.load(path)
    model.graph.initializer[0].raw_data = bytes(9)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="a tensor of it is cut off"):
        check_onnx(path)


def test_our_own_pass(tmp_path: Path) -> None:
    for name in ("hand21", "face68", "hand21.int8", "face68.int8"):
        check_onnx(assets.path(f"models/{name}.onnx"))
    check_onnx(centroid_onnx(tmp_path / "x.onnx"))


def outer(tmp_path: Path) -> Path:
    """Allowed operators alone, and 40 GB: a column and a row of 100,000 are added."""
    constants = {"a": np.zeros((10**5, 1), np.float32), "b": np.zeros((1, 10**5), np.float32)}
    nodes = [node("ReduceSum", ["x"], ["s"]), node("Add", ["a", "s"], ["c"]),
             node("Add", ["c", "b"], ["d"]), node("ReduceSum", ["d"], ["y"])]  # fmt: skip
    return save(tmp_path / "outer.onnx", nodes, constants)


def test_the_first_run_may_not_take_all_memory(tmp_path: Path) -> None:
    path = outer(tmp_path)
    check_onnx(path)
    with pytest.raises(ValueError, match=r"outer\.onnx|does not fit"):
        load_network(path, 1, "onnx")


def test_the_first_run_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PATIENCE_S", 0.05)
    with pytest.raises(ValueError, match=r"it did not end within 0\.05 s"):
        try_out(centroid_onnx(tmp_path / "x.onnx"))


def test_one_that_passed_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Path] = []
    monkeypatch.setattr(foreign, "try_out", lambda p: (runs.append(p), try_out(p)))
    same = [node("Identity", ["x"], ["y"])]
    path = save(tmp_path / "x.onnx", same)
    for _ in range(2):
        refuse_unsafe(path)
        monkeypatch.setattr(foreign, "_known", set())  # another start of the program
    assert len(runs) == 1
    refuse_unsafe(assets.path("models/hand21.onnx"))
    made = save(tmp_path / "made.onnx", same, shape=("N", 3, 9, 9))
    made_here(made)
    refuse_unsafe(made)
    assert len(runs) == 1
    refuse_unsafe(save(tmp_path / "other.onnx", same, shape=("N", 3, 10, 10)))
    assert len(runs) == 2


def test_a_child_is_never_of_the_folder_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign project may hold a file called numpy.py."""
    for name in ("numpy", "onnxruntime", "engines"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')\n")
    monkeypatch.chdir(tmp_path)
    try_out(centroid_onnx(tmp_path / "x.onnx"))
    assert not (tmp_path / "ran").exists()
