"""From an ONNX file to a serialised TensorRT engine. For named targets no GPU is needed (RTX)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import main_thread
from typing import TYPE_CHECKING, Any, cast

from engines.engine import first_line
from engines.trt import Bindings, Flavour, Log

if TYPE_CHECKING:
    import tensorrt_rtx as api

WORKSPACE = 1 << 30  # bytes of GPU memory that a layer may use at most while it is tried
Report = Callable[[float], None]  # is told which share of the work is done, 0..1


@dataclass(frozen=True, slots=True)
class Plan:
    """How an engine is built; part of the key under which it is kept."""

    batches: tuple[int, int, int] = (1, 2, 8)  # least, most common, most
    level: int = 3  # of optimisation; 3 is TensorRT's own choice
    targets: tuple[str, ...] = ()  # compute capabilities such as '8.6'; none: this GPU's


class Cancelled(RuntimeError):
    """The program ends, so the build was given up."""


def build(trt: Bindings, flavour: Flavour, path: Path, plan: Plan, report: Report) -> bytes:
    """The engine of a network. RuntimeError in one sentence: an unsupported layer, no memory.

    Only TensorRT-RTX builds without a GPU, and then for `plan.targets`; ask CUDA before.
    """
    log = Log(trt)
    builder = trt.Builder(log.handler)
    network = builder.create_network(0)  # strongly typed: the precision is that of the file
    parse(trt, flavour, network, path, log)
    config = builder.create_builder_config()
    monitor = progress_monitor(trt, report)
    config.progress_monitor = monitor
    config.builder_optimization_level = plan.level
    config.max_aux_streams = 0  # one stream, so that it can be captured
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    add_profile(builder, config, network, plan)
    set_targets(trt, flavour, config, plan.targets)
    if not builder.is_network_supported(network, config):
        raise RuntimeError(f"{flavour.title} does not support {path.name} {because(log)}")
    built = builder.build_serialized_network(network, config)
    if built is not None:
        report(1.0)
        return bytes(memoryview(built))
    if not main_thread().is_alive():
        raise Cancelled(f"{flavour.title} was building {path.name} when the program ended")
    if log.is_out_of_memory:
        raise RuntimeError(
            f"the GPU has too little free memory to build {path.name} for {flavour.title}; end "
            "other programs on it, or choose another --engine"
        )
    raise RuntimeError(f"{flavour.title} could not build {path.name} {because(log)}")


def because(log: Log) -> str:
    """The reason in brackets, and what can be done."""
    return f"({log.reason('it does not say why')}); choose another --engine"


def parse(
    trt: Bindings, flavour: Flavour, network: api.INetworkDefinition, path: Path, log: Log
) -> None:
    """Read the file into the network. RuntimeError names the layer that is not supported."""
    parser = trt.OnnxParser(network, log.handler)
    if parser.parse_from_file(str(path)) and network.num_inputs == 1:
        return
    for i in range(parser.num_errors):
        error = parser.get_error(i)
        if error.node_operator():
            hint = "choose another --engine"
            if error.node_operator() in ("QuantizeLinear", "DequantizeLinear"):
                hint = f"make that file with 'train quantize --target tensorrt', or {hint}"
            raise RuntimeError(
                f"{flavour.title} does not support the layer {error.node_name() or '(no name)'} "
                f"({error.node_operator()}) of {path.name}: {why(error.desc())}; {hint}"
            )
    words = parser.get_error(0).desc() if parser.num_errors else log.reason("no input found")
    raise ValueError(
        f"{path} is not a network that {flavour.title} can read ({first_line(words)}); export it "
        "again with 'train export'"
    )


def why(words: str) -> str:
    """The first line of a parser's message that says more than that a node is invalid."""
    lines = [line for line in words.splitlines() if line and not line.startswith("Invalid Node")]
    return first_line(lines[0] if lines else words)


def add_profile(
    builder: api.Builder, config: api.IBuilderConfig, network: api.INetworkDefinition, plan: Plan
) -> None:
    """The batch sizes that will come, where the network leaves them open."""
    taken = network.get_input(0)
    _, *rest = [int(n) for n in taken.shape]
    if taken.shape[0] >= 0:
        return
    profile = builder.create_optimization_profile()
    least, common, most = ((n, *rest) for n in plan.batches)
    profile.set_shape(taken.name, least, common, most)
    config.add_optimization_profile(profile)


def set_targets(
    trt: Bindings, flavour: Flavour, config: api.IBuilderConfig, targets: Sequence[str]
) -> None:
    """Build for GPUs that are not here. ValueError for one that is unknown."""
    if not targets:
        return
    config.num_compute_capabilities = len(targets)
    for i, target in enumerate(targets):
        config.set_compute_capability(capability(trt, flavour, target), i)


def capability(trt: Bindings, flavour: Flavour, target: str) -> api.ComputeCapability:
    """'8.6' -> SM86; ValueError says which there are."""
    known = trt.ComputeCapability.__members__.items()
    names = {f"{n[2:-1]}.{n[-1]}": member for n, member in known if n.startswith("SM")}
    if target not in names:
        raise ValueError(
            f"{flavour.title} builds for no compute capability {target!r}; "
            f"choose among {', '.join(names)}"
        )
    return names[target]


def progress_monitor(trt: Bindings, report: Report) -> api.IProgressMonitor:
    """Tells `report` how far a build is, and stops it when the program ends."""
    base: Any = trt.IProgressMonitor
    steps: dict[str, int] = {}  # of the phases that are part of no other

    class Monitor(base):  # type: ignore[misc]
        def __init__(self) -> None:
            base.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if parent_phase is None:
                steps[phase_name] = max(num_steps, 1)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name in steps:
                report(min((step + 1) / steps[phase_name], 1.0))
            return main_thread().is_alive()

        def phase_finish(self, phase_name: str) -> None:
            pass

    return cast("api.IProgressMonitor", Monitor())
