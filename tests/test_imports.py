"""Which way imports may point, read from the source: engines <- tracker <- train <- ui.

Strings count: `import_module("x.y")` is an import, and no file of a lower room names a higher one's
module in any string that code reads. There are no circles between files, late imports included, and
no folder holds more files than can be taken in.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("assets", "engines", "tracker", "train", "ui")
MOST_FILES = 20
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
    "jinja2": {"train"},
    "PyQt6": {"ui"},
    "pyqtgraph": {"ui"},
    "tensorrt": {"engines"},
    "tensorrt_rtx": {"engines"},
    "cuda": {"engines"},
    "openvino": {"engines"},
    "ray": {"train"},
    "ai_edge_litert": {"engines"},
    "mediapipe": {"tracker"},
    "pynput": {"tracker"},
    "evdev": {"tracker"},
    "mido": {"tracker"},
}


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Modules a file imports, and whether it does so when it is itself imported.

    `from a import b` gives `a.b`: whether b is a file or a name in one, `found_in` tells.
    """
    return list(imports_in(path.read_text(encoding="utf-8"), path))


@cache  # by the text: every test reads the same files
def imports_in(text: str, path: Path) -> tuple[tuple[str, bool], ...]:
    """What a text imports; `path` is told where it may not."""
    tree = ast.parse(text)
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
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call):
            names = by_string(node)
        found += [(name, id(node) not in late) for name in names]
    return tuple(found)


def by_string(call: ast.Call) -> list[str]:
    """What `import_module("x")` and `__import__("x")` import."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in ("import_module", "__import__") or not call.args:
        return []
    first = call.args[0]
    return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []


def strings_of(path: Path) -> list[str]:
    """Every string of a file that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
    ]


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def top(name: str) -> str:
    return name.split(".")[0]


def upward(room: str, paths: Iterable[Path], root: Path) -> list[str]:
    """Imports, and modules named in strings, that point out of a room the wrong way."""
    forbidden = {other for other in ROOMS if other != room} - MAY_IMPORT[room]
    named = re.compile(rf"\b({'|'.join(sorted(forbidden) or ['$^'])})\.[a-z_]\w*")
    wrong = []
    for path in paths:
        here = path.relative_to(root).as_posix()
        wrong += [f"{here} imports {n}" for n, _ in imports_of(path) if top(n) in forbidden]
        wrong += [f"{here} names {text}" for text in strings_of(path) if named.search(text)]
    return wrong


@pytest.mark.parametrize("room", ROOMS)
def test_arrows(room: str) -> None:
    assert not upward(room, files(room), ROOT)


def modules_below(root: Path) -> dict[str, Path]:
    """Files by the name they are imported by."""
    found = {}
    for path in sorted(p for room in ROOMS for p in (root / room).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def found_in(name: str, modules: Mapping[str, Path]) -> str:
    """The file that an imported name comes from; '' where it is none of ours."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def circles(root: Path) -> list[list[str]]:
    """Files that import each other, directly or not."""
    modules = modules_below(root)
    arrows = {
        name: sorted({found_in(n, modules) for n, _ in imports_of(path)} - {"", name})
        for name, path in modules.items()
    }
    sorter = graphlib.TopologicalSorter(arrows)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        return [error.args[1]]
    return []


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert not circles(ROOT)


def test_what_both_windows_share_knows_neither() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("ui/kit")
        for name, _ in imports_of(path)
        if top(name) == "ui" and not name.startswith("ui.kit.")
    ]
    assert not wrong


def crowded(root: Path) -> list[str]:
    """Folders with more Python files than `MOST_FILES`."""
    places = Counter(
        path.parent.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if not any(part.startswith(".") or part == "build" for part in path.relative_to(root).parts)
    )
    return sorted(place for place, count in places.items() if count > MOST_FILES)


def test_no_folder_is_crowded() -> None:
    assert not crowded(ROOT)


def test_what_these_tests_refuse(tmp_path: Path) -> None:
    """Each refusal, seen on a small tree."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "tracker/a.py").write_text("def f():\n    from tracker.b import x\n")
    (tmp_path / "tracker/b.py").write_text("from tracker import c\n")
    (tmp_path / "tracker/c.py").write_text("import tracker.d\n")
    (tmp_path / "tracker/d.py").write_text('"""Not `ui.live`, train.fit either."""\n')
    assert not circles(tmp_path)
    assert not upward("tracker", sorted((tmp_path / "tracker").glob("*.py")), tmp_path)

    (tmp_path / "tracker/d.py").write_text("def f():\n    import tracker.a\n")
    (circle,) = circles(tmp_path)
    assert set(circle) == {"tracker.a", "tracker.b", "tracker.c", "tracker.d"}

    for text in ('import_module("ui.live.app").run()', 'start("-m", "train.loop")', "import ui"):
        (tmp_path / "tracker/d.py").write_text(text + "\n")
        assert len(upward("tracker", [tmp_path / "tracker/d.py"], tmp_path)) >= 1, text
    assert not upward("ui", [tmp_path / "tracker/d.py"], tmp_path)

    for number in range(MOST_FILES):
        (tmp_path / f"engines/m{number}.py").touch()
    assert crowded(tmp_path) == []
    (tmp_path / "engines/one_more.py").touch()
    assert crowded(tmp_path) == ["engines"]


@pytest.mark.parametrize("room", ROOMS)
def test_libraries_stay_in_their_rooms(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(room)
        for name, _ in imports_of(path)
        if room not in ONLY_IN.get(top(name), {room})
    ]
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_optional_packages_are_imported_late(room: str) -> None:
    """They are extras: no module may need them in order to be imported."""
    optional = {
        "mediapipe", "tensorrt", "tensorrt_rtx", "cuda", "openvino", "ray", "pynput", "evdev",
        "mido", "pythonosc", "websockets", "Xlib", "pylsl", "pyvirtualcam",
    }  # fmt: skip
    wrong = [
        str(path.relative_to(ROOT))
        for path in files(room)
        for name, at_once in imports_of(path)
        if top(name) in optional and at_once
    ]
    assert not wrong


def test_only_the_peers_file_knows_mediapipe() -> None:
    knowing = [
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in files(room)
        if any(top(name) == "mediapipe" for name, _ in imports_of(path))
    ]
    assert knowing == ["tracker/checkup/peers.py"]


def test_the_reader_of_imports_itself(tmp_path: Path) -> None:
    source = (
        "import a.b\nfrom c import d\ndef f():\n    import e\nif TYPE_CHECKING:\n    import g\n"
        "x = import_module('h.i')\n"
    )
    (tmp_path / "m.py").write_text(source)
    assert sorted(imports_of(tmp_path / "m.py")) == [
        ("a.b", True), ("c.d", True), ("e", False), ("g", False), ("h.i", True),
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
