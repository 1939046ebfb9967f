"""HDF5 files of others: all that they say lies in them, and takes no more room than it should.

An HDF5 file may name other files (external links, external storage, virtual datasets), lead in a
circle, and declare tables of any size that it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from train.exchange.foreign import h5py_module

SMALL = 16 << 20  # bytes of a table, as declared, that are always taken
PACKED = 100  # times what is stored that larger ones may have
MOST_NODES = 100_000
DEEPEST = 16  # groups in groups
MOST_TEXT = 256 << 20  # bytes of all texts of a dataset


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """The file, once it was looked through. ValueError: it is not `what`, or it is refused."""
    try:
        file = h5py_module().File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is not {what} that can be read ({error})") from error
    with file:
        try:
            _look_through(file, path.stat().st_size)
        except (LookupError, OSError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); export it again") from error
        except ValueError as error:
            raise ValueError(f"{path} is not read: {error}; export it again") from error
        yield file


def texts(dataset: Any) -> list[str]:
    """The texts of a dataset, one after the other: many may be the same long one."""
    found, total = [], 0
    for i in range(len(dataset)):
        text = dataset[i]
        found.append(text.decode() if isinstance(text, bytes) else str(text))
        total += len(found[-1])
        if total > MOST_TEXT:
            raise ValueError(f"{dataset.name} holds more than {MOST_TEXT >> 20} MB of text")
    return found


def _look_through(file: Any, size: int) -> None:
    h5py = h5py_module()
    waiting: list[tuple[Any, int]] = [(file, 0)]
    seen: set[Any] = set()
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{group.name} holds a link to another place, '{name}'")
            node = group[name]
            address = h5py.h5o.get_info(node.id).addr
            if address in seen:
                raise ValueError(f"'{name}' is there twice, or leads in a circle")
            seen.add(address)
            if len(seen) > MOST_NODES or depth > DEEPEST:
                raise ValueError("it holds too many groups and tables")
            if isinstance(node, h5py.Group):
                waiting.append((node, depth + 1))
            elif isinstance(node, h5py.Dataset):
                _refuse_table(node, size)


def _refuse_table(table: Any, size: int) -> None:
    if table.external or table.is_virtual:
        raise ValueError(f"the table {table.name} lies in another file")
    declared = table.size * table.dtype.itemsize if table.size else 0
    stored = min(table.id.get_storage_size(), size)
    if declared > max(SMALL, PACKED * stored):
        raise ValueError(
            f"the table {table.name} says that it has {declared} bytes and holds {stored}"
        )
