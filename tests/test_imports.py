"""Which way imports may point, read from the source: engines <- tracker <- train, ui."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("assets", "engines", "tracker", "train", "ui")
MAY_IMPORT = {
    "assets": set(),
    "engines": set(),
    "tracker": {"assets", "engines"},
    "train": {"assets", "engines", "tracker"},
    "ui": {"assets", "engines", "tracker", "train"},
}
ONLY_IN = {
    "torch": {"train"},
    "onnxscript": {"train"},
    "safetensors": {"train"},
    "PyQt6": {"ui"},
    "pyqtgraph": {"ui"},
    "tensorrt": {"engines"},
    "tensorrt_rtx": {"engines"},
    "cuda": {"engines"},
    "openvino": {"engines"},
    "ray": {"train"},
    "ai_edge_litert": {"engines"},
    "mediapipe": {"tracker"},
}


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Top-level packages a file imports, and whether it does so when it is itself imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(outer)
        for inner in ast.walk(outer)
    }
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
        found += [(name.split(".")[0], id(node) not in late) for name in names]
    return found


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_arrows(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(room)
        for name, _ in imports_of(path)
        if name in ROOMS and name != room and name not in MAY_IMPORT[room]
    ]
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_libraries_stay_in_their_rooms(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(room)
        for name, _ in imports_of(path)
        if room not in ONLY_IN.get(name, {room})
    ]
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_optional_packages_are_imported_late(room: str) -> None:
    """They are extras: no module may need them in order to be imported."""
    optional = {"mediapipe", "tensorrt", "tensorrt_rtx", "cuda", "openvino", "ray"}
    wrong = [
        str(path.relative_to(ROOT))
        for path in files(room)
        for name, at_once in imports_of(path)
        if name in optional and at_once
    ]
    assert not wrong


def test_only_the_peers_file_knows_mediapipe() -> None:
    knowing = [
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in files(room)
        if any(name == "mediapipe" for name, _ in imports_of(path))
    ]
    assert knowing == ["tracker/checkup/peers.py"]


def test_the_reader_of_imports_itself(tmp_path: Path) -> None:
    source = (
        "import a.b\nfrom c import d\ndef f():\n    import e\nif TYPE_CHECKING:\n    import g\n"
    )
    (tmp_path / "m.py").write_text(source)
    assert sorted(imports_of(tmp_path / "m.py")) == [
        ("a", True), ("c", True), ("e", False), ("g", False),
    ]  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter that ran `code`."""
    show = f"{code}; import sys; print(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_packages_loads_nothing_heavy() -> None:
    loaded = loaded_after("import tracker, engines, assets")
    assert not loaded & {"cv2", "numpy.random", "onnxruntime", "ai_edge_litert", "torch", "PyQt6"}
    assert "numpy" not in loaded_after("import tracker")


def test_the_tracker_runs_without_torch_and_qt() -> None:
    loaded = loaded_after("from tracker import Tracker")
    assert "cv2" in loaded
    assert not loaded & {"torch", "PyQt6", "mediapipe", "matplotlib", "scipy", "onnx"}


def test_unknown_names_say_so() -> None:
    import tracker

    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        tracker.Nope  # noqa: B018
