"""How long the dice are thrown: a minute in every run of the tests, eight hours by night.

    python -m pytest tests/fuzz --hypothesis-profile=night
    FUZZ_SECONDS=600 python -m pytest tests/fuzz --hypothesis-profile=night    # ten minutes of it

The tests share the time evenly, and each is done once at least. The short run throws the same dice
each time, as many as there is time for; the night throws new ones, and plays the store for longer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, seed, settings

USUAL, NIGHT = 60.0, 8 * 3600.0  # seconds of all tests together
ONCE = {
    "max_examples": 10,  # of a round: the time is looked at between two of them
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "print_blob": True,
}
settings.register_profile("ci", derandomize=True, database=None, stateful_step_count=15, **ONCE)
settings.register_profile("night", stateful_step_count=100, **ONCE)
settings.load_profile("ci")


def is_night(config: pytest.Config) -> bool:
    return bool(config.getoption("--hypothesis-profile") == "night")


def rounds_of(item: pytest.Item) -> Iterator[int]:
    """Numbers from 0 on, until this test's share of the time is over."""
    whole = float(os.environ.get("FUZZ_SECONDS") or (NIGHT if is_night(item.config) else USUAL))
    throwing = sum(throws(other) for other in item.session.items)
    until, number = time.monotonic() + whole / max(throwing, 1), 0
    while number == 0 or time.monotonic() < until:
        yield number
        number += 1
    item.user_properties.append(("rounds", number))


def throws(item: pytest.Item) -> bool:
    """Whether a test throws dice."""
    is_given = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    return is_given or "rounds" in getattr(item, "fixturenames", ())


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Iterator[int]:
    """For a test that throws its dice itself: the numbers of its rounds."""
    return rounds_of(request.node)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Throw in rounds, each with dice of its own."""
    test = pyfuncitem.obj
    if not getattr(test, "is_hypothesis_test", False):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    for number in rounds_of(pyfuncitem):
        if not is_night(pyfuncitem.config):
            seed(number)(test)
        test(**{name: pyfuncitem.funcargs[name] for name in names})
    return True
