"""Numbers as the data files have them: so many digits, and None where none is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def number(value: float, digits: int = 3) -> float | None:
    """One number; None where it is not finite."""
    return round(value, digits) if math.isfinite(value) else None


def rounded(values: NDArray[np.floating[Any]], digits: int) -> Any:
    """As `number` of each, at once, in nested lists: of a float32 the product with 10**digits is
    exact.
    """
    if values.dtype == np.float32 and np.isfinite(values).all():
        return np.round(values.astype(np.float64), digits).tolist()
    if values.ndim == 1:
        return [number(v, digits) for v in values.tolist()]
    return [rounded(row, digits) for row in values]
