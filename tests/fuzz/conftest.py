"""How long the dice are thrown: seconds in every run, all night on demand.

    python -m pytest tests/fuzz --hypothesis-profile=night

The short run throws the same dice each time, so that nothing fails that was not changed.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

EVERY = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "print_blob": True,
}
settings.register_profile("ci", max_examples=40, derandomize=True, database=None, **EVERY)
settings.register_profile("night", max_examples=20_000, stateful_step_count=100, **EVERY)
settings.load_profile("ci")
