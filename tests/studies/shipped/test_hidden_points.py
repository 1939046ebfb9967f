"""Errors of landmarks that are seen and of those that are hidden: shares and means by hand."""

import numpy as np

from docs.studies.shipped.hidden_points import line


def test_a_line_tells_seen_from_hidden() -> None:
    """Two hands of three landmarks; the last one of the second hand is hidden."""
    errors = np.array([[2.0, 4.0, 6.0], [2.0, 4.0, 18.0]])
    hidden = np.array([[False, False, False], [False, False, True]])
    every = line("all", errors, hidden, slice(None))
    assert every == "| all | 16.7 % | 6.00 (1.00) | 3.60 (1.00) | 18.00 (1.00) |"
    last = line("tip", errors, hidden, slice(2, 3))
    assert last == "| tip | 50.0 % | 12.00 (2.00) | 6.00 (1.67) | 18.00 (1.00) |"
    assert (
        line("base", errors, hidden, slice(0, 1))
        == "| base | 0.0 % | 2.00 (0.33) | 2.00 (0.56) | - |"
    )
