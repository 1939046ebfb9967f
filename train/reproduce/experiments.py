"""The paper's experiments: where their data come from and which results of the paper they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from train.reproduce import paper
from train.reproduce.paper import PaperTable, Values
from train.reproduce.specs import SPECS, Row, row_of
from train.sets.aflw import read_aflw
from train.sets.base import PaperSet
from train.sets.blocks import blocks
from train.sets.faces68 import read_faces68
from train.sets.faces300w import read_300w
from train.sets.hgr1 import read_hgr1
from train.sets.mtfl import read_mtfl
from train.sets.multipie import read_multipie
from train.sets.shapes import shapes

SPLIT_SEED = 0  # of the data and their split: the same for all seeds of a training

Reader = Callable[[Path, int], PaperSet]


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a table: which row, with which share of the labels and which seed."""

    experiment: str
    row: str
    share: float
    seed: int

    @property
    def folder(self) -> Path:
        """Its folder under OUT, such as blocks/Seq-MT_L+ELT+A/0.05/0."""
        row = self.row.replace(" ", "_").replace("(", "").replace(")", "")
        return Path(self.experiment) / row / f"{self.share:g}" / str(self.seed)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.experiment} {self.row}, {100 * self.share:g} %, seed {self.seed}"


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """A data set, and the tables of the paper that its results stand beside (the first: chief)."""

    name: str
    tables: tuple[PaperTable, ...]
    read: Reader  # generated sets take no notice of the folder
    generated: bool = False
    balanced: str | None = None  # attribute whose classes share the landmark labels evenly
    more_rows: tuple[str, ...] = ()  # that the paper does not have, with these shares
    more_shares: tuple[float, ...] = ()  # that it does not have, of every row
    named: bool = True  # False: no landmark labels, so what a landmark is of is found afterwards

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows that can be trained, in the order of the tables."""
        of_paper = (row for table in self.tables for row in table.rows)
        named = dict.fromkeys((*of_paper, *self.more_rows))
        return tuple(row for row in named if trainable(self.name, row))

    @property
    def shares(self) -> tuple[float, ...]:
        """Every share of labels of any table, smallest first."""
        return tuple(sorted({s for t in self.tables for s in t.shares} | {*self.more_shares}))

    def has(self, row: str, share: float) -> bool:
        """Whether this row is trained with this share of labels: by the paper, or beyond it."""
        if share in self.more_shares:
            return row in self.rows
        there = any(table.value(row, share) is not None for table in self.tables)
        return there and row in self.rows

    def whole(self, table: PaperTable) -> PaperTable:
        """A table with the rows and shares that the paper does not have, empty."""
        shares = tuple(sorted({*table.shares, *self.more_shares}))

        def wide(names: Iterable[str]) -> dict[str, Values]:
            return {n: tuple(table.value(n, s) for s in shares) for n in dict.fromkeys(names)}

        rows = wide((*table.rows, *self.more_rows))
        return replace(table, shares=shares, rows=rows, quoted=wide(table.quoted))


def trainable(experiment: str, row: str) -> bool:
    """Whether there is a spec for a row of the paper (not of every network it compares with)."""
    try:
        SPECS[experiment](row_of(row), 0)
    except ValueError:
        return False
    return True


EXPERIMENTS: dict[str, Experiment] = {
    e.name: e
    for e in (
        Experiment(
            "shapes", (paper.SHAPES,), lambda _, seed: shapes(seed), generated=True, named=False
        ),
        Experiment(
            "blocks", (paper.BLOCKS,), lambda _, seed: blocks(seed), generated=True,
            balanced="class",
        ),
        Experiment("hgr1", (paper.HGR1, paper.HGR1_OTHERS), read_hgr1),
        Experiment("multipie", (paper.MULTIPIE, paper.MULTIPIE_OTHERS), read_multipie),
        Experiment(
            "300w",
            (paper.FULLSET, paper.IBUG, paper.COMMON_100, paper.IBUG_100, paper.FULLSET_100),
            lambda folder, _: read_300w(folder),  # the split of RCN's code
        ),
        Experiment("aflw", (paper.AFLW,), read_aflw),
        Experiment("faces68", (paper.FACES68,), read_faces68),
        Experiment(
            "mtfl", (paper.MTFL, paper.MTFL_AFW), read_mtfl, more_shares=(0.01, 0.05),
            more_rows=("RCN+ (L+ELT)", "RCN+ (L+ELT+A)"),
        ),
    )
}  # fmt: skip


def experiment_of(name: str) -> Experiment:
    """By name; ValueError names those that exist."""
    if name not in EXPERIMENTS or name not in SPECS:
        known = ", ".join(n for n in EXPERIMENTS if n in SPECS)
        raise ValueError(f"experiment '{name}' is unknown; there are {known}")
    return EXPERIMENTS[name]


@lru_cache(maxsize=1)
def load_set(name: str, folder: Path | None) -> PaperSet:
    """The data set of an experiment; ValueError where it needs a folder and has none."""
    experiment = experiment_of(name)
    if folder is None and not experiment.generated:
        raise ValueError(f"'{name}' reads pictures and labels from a folder; give it as --data")
    return experiment.read(folder or Path(), SPLIT_SEED)


def known_row(experiment: Experiment, text: str) -> Row:
    """A row by its name, in any case and spacing; ValueError names those that exist."""

    def plain(name: str) -> str:
        return name.replace(" ", "").lower()

    for name in experiment.rows:
        if plain(name) == plain(text):
            return row_of(name)
    raise ValueError(
        f"{experiment.name} has no row '{text.strip()}'; there are {', '.join(experiment.rows)}"
    )
