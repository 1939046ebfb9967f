"""A Blocks experiment small enough for tests: 40 images a part, trainings of a few steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from train.reproduce import experiments
from train.reproduce.cells import Task
from train.reproduce.experiments import Cell
from train.reproduce.tasks import ReproduceWish, in_steps, row_spec
from train.sets.blocks import blocks

COUNT = 40


@contextmanager
def tiny_blocks(monkeypatch) -> Iterator[None]:
    """`blocks` has 40 images a part as long as this lasts."""
    tiny = replace(experiments.EXPERIMENTS["blocks"], read=lambda _, seed: blocks(seed, COUNT))
    monkeypatch.setitem(experiments.EXPERIMENTS, "blocks", tiny)
    experiments.load_set.cache_clear()
    yield
    experiments.load_set.cache_clear()


def tiny_task(out: Path, row: str = "Seq-MT (L)", share: float = 0.1, steps: int = 4) -> Task:
    """A training of `steps` steps with batches of 4, a checkpoint after every second."""
    wish = ReproduceWish("blocks", out=out, device="cpu")
    spec = in_steps(row_spec(wish, row, 0), steps)
    return Task(
        Cell("blocks", row, share, 0), replace(spec, batch=4, checkpoint_every=2), None, out
    )
