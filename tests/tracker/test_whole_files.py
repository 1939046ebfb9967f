"""Files are put in place whole, on Windows also while a window or a virus scanner reads them."""

from pathlib import Path

import pytest

from tracker import whole_files
from tracker.errors import UserError
from tracker.whole_files import write_json, write_table, write_whole

SHARING_VIOLATION = 32


class Refusal(PermissionError):
    """What Windows raises where a file is open elsewhere."""

    def __init__(self, winerror: int) -> None:
        super().__init__(13, "in use")
        self.winerror = winerror


def refuse(monkeypatch: pytest.MonkeyPatch, times: int, error: OSError) -> list[Path]:
    """`Path.replace` fails so often; the calls."""
    real, calls = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) <= times:
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    return calls


def test_a_file_that_is_read_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_files, "PATIENCE_S", 60.0)
    calls = refuse(monkeypatch, 3, Refusal(SHARING_VIOLATION))
    write_whole(tmp_path / "a.json", b"new")
    assert len(calls) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("patience_s", "error"),
    [(0.0, Refusal(SHARING_VIOLATION)), (60.0, PermissionError(1, "not permitted"))],
    ids=["read for too long", "forbidden"],
)
def test_what_cannot_be_put_in_place_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience_s: float, error: OSError
) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    monkeypatch.setattr(whole_files, "PATIENCE_S", patience_s)
    calls = refuse(monkeypatch, 100, error)
    with pytest.raises(UserError, match=r"a\.json could not be written"):
        write_whole(tmp_path / "a.json", b"new")
    assert len(calls) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"old"


def test_json_with_an_indent_or_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_json(path, {"a": [1]})
    assert path.read_text(encoding="utf-8") == '{\n "a": [\n  1\n ]\n}'
    write_json(path, {"a": [1]}, None)
    assert path.read_text(encoding="utf-8") == '{"a": [1]}'


def test_all_columns_of_a_table_in_the_order_of_appearance(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, [{"a": 1, "b": "x,y"}, {"c": 2.5, "a": 3}])
    assert path.read_bytes() == b'a,b,c\r\n1,"x,y",\r\n3,,2.5\r\n'
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
