"""Trainings as Ray tasks, on all processors and GPUs of this machine or of a cluster (extra ray).

Without RAY_ADDRESS a cluster of this machine alone is started: bound to 127.0.0.1, without a
dashboard, and gone at the end (Ray keeps a token for it under ~/.ray). With it they go to
that cluster, each of whose machines needs this package, the data in the same place, and OUT on a
disk that all share (else one that was cut begins anew), as that of --from must be. Ray's own
usage statistics, which it would send to its makers, are turned off.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from engines.installation import install
from tracker.errors import UserError
from tracker.stop import Stopped, stop_on_signal
from tracker.whole_files import write_json
from train.grid.resume import RESULT, J, Job

LOOK_S = 0.5  # between two looks at the wish to stop
LEAVE_S = 120.0  # that cells have to keep a checkpoint


def connect(cpus: int | None = None) -> Any:
    """Ray, with a cluster; ValueError where the extra is missing."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before Ray is imported: it contacts nobody
    local = not os.environ.get("RAY_ADDRESS")
    if local:  # else its servers listen on all networks, whatever address they are given
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
    except ImportError as error:
        raise ValueError(
            "--jobs ray needs Ray, which is not installed; give --jobs a number, or run: "
            f"{install('ray')}"
        ) from error
    if not local:
        ray.init(log_to_driver=False, logging_level="error")
    else:
        ray.init(
            address="local", num_cpus=cpus, include_dashboard=False, log_to_driver=False,
            logging_level="error", _node_ip_address="127.0.0.1",
        )  # fmt: skip
    return ray


def attempt(
    work: Callable[[J], dict[str, Any] | None], task: J
) -> tuple[dict[str, Any] | None, str]:
    """On a worker: the result, or why there is none."""
    try:
        return work(task), ""
    except (Stopped, UserError, ValueError, OSError, FloatingPointError) as error:
        return None, str(error)


def wants(task: J, total: dict[str, float]) -> tuple[J, dict[str, float]]:
    """The task and what it takes of a cluster that has `total`: a whole GPU where there is one.

    Ray shows a task its own GPU alone, which is then 'cuda'.
    """
    cpus = max(1.0, min(float(task.spec.threads), total.get("CPU", 1.0)))
    if total.get("GPU", 0) >= 1 and task.spec.device != "cpu":
        return task.on("cuda"), {"num_gpus": 1.0, "num_cpus": min(1.0, cpus)}
    return task, {"num_cpus": cpus}


def keep(task: Job, result: dict[str, Any]) -> None:
    """Write a result that a machine with a disk of its own has sent."""
    path = task.folder / RESULT
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, result)


def run_by_ray(
    tasks: Sequence[J],
    work: Callable[[J], dict[str, Any] | None],
    say: Callable[[str], None],
    done: Callable[[], None],
    cpus: int | None = None,
) -> None:
    """`work` on these as Ray tasks, as many at once as the cluster has room for.

    One whose worker dies is tried again and goes on from its checkpoint. Raises Stopped after a
    wish to stop, ValueError at the end when some failed.
    """
    if not tasks:
        return
    ray = connect(cpus)
    try:
        remote, waiting = ray.remote(attempt), {}
        for task in (t.placed() for t in tasks):
            sent, room = wants(task, ray.cluster_resources())
            waiting[remote.options(name=task.name, **room).remote(work, sent)] = task
        total = ray.cluster_resources()
        say(f"Ray has {total.get('CPU', 0):g} processors and {total.get('GPU', 0):g} GPUs")
        failed = _collect(ray, waiting, say, done)
    finally:
        ray.shutdown()
    if failed:
        raise ValueError(f"{failed} of {len(tasks)} trainings did not finish; see what they said")


def _collect(
    ray: Any, waiting: dict[Any, J], say: Callable[[str], None], done: Callable[[], None]
) -> int:
    """Results as they come; how many failed."""
    failed = 0
    with stop_on_signal() as stopped:
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=LOOK_S)
            if stopped():
                for ref in waiting:
                    ray.cancel(ref, force=False)  # as Ctrl-C there: a checkpoint is kept
                ray.wait(list(waiting), num_returns=len(waiting), timeout=LEAVE_S)
                raise Stopped("stopped; the same command goes on")
            for ref in ready:
                task = waiting.pop(ref)
                try:
                    result, why = ray.get(ref)
                except ray.exceptions.RayError as error:
                    result, why = None, str(error).strip().splitlines()[-1]
                if result is None:
                    failed += 1
                    say(f"{task.name}: {why or 'another process trains it'}")
                    continue
                keep(task, result)
                say(f"{task.name}: finished, {len(waiting)} to go")
                done()
    return failed
