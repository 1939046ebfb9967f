"""Built TensorRT engines on disk: what one was built for, and whether it may be trusted.

A file is MAGIC, the sha256 of all that follows, the seal of this user (`engines.user_folder`), the
length of a header (4 bytes, little endian), the header (JSON: what the engine was built from and
for) and the engine. A file that is broken, of anything else or sealed by nobody here is never
loaded: an engine is a program, and TensorRT does not survive every wrong one.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from engines import user_folder
from engines.cuda import Gpu
from engines.trt_build import Plan

MAGIC = b"landmark-engine 2\n"
SEALED = 32  # bytes of the sum, and of the seal
SCHEMA = 1
SUFFIX = ".engine"


@dataclass(frozen=True, slots=True)
class Key:
    """All that an engine depends on. `gpu` '': built ahead for every GPU of `targets`."""

    engine: str  # 'tensorrt' or 'tensorrt-rtx'
    version: str  # of it
    onnx_sha256: str
    precision: str
    batches: tuple[int, int, int]
    level: int
    targets: tuple[str, ...]  # compute capabilities
    gpu: str = ""
    processors: int = 0
    platform: str = ""
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """A file name of its own."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.engine}-{sha256(text.encode()).hexdigest()[:24]}{SUFFIX}"


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """An engine, and the metadata of the ONNX file it came from."""

    key: Key
    props: Mapping[str, str]
    body: bytes
    ours: bool = True  # built by this user, here or where the key was taken along


def key_of(path: Path, engine: str, version: str, plan: Plan, gpu: Gpu | None) -> Key:
    """The key of a network's engine: for this GPU, or ahead of time for `plan.targets`."""
    return Key(
        engine=engine,
        version=version,
        onnx_sha256=sha256(path.read_bytes()).hexdigest(),
        precision=precision_of(path),
        batches=plan.batches,
        level=plan.level,
        targets=plan.targets if gpu is None else (gpu.compute,),
        gpu="" if gpu is None else gpu.name,
        processors=0 if gpu is None else gpu.processors,
        platform=f"{platform.system()} {platform.machine()}",
    )


def precision_of(path: Path) -> str:
    """As the file's name says: x.fp16.onnx, x.int8.onnx, else fp32."""
    forms = (p for p in ("fp16", "int8") if path.name.endswith(f".{p}.onnx"))
    return next(forms, "fp32")


def beside(path: Path, engine: str) -> Path:
    """Where an engine that was built ahead of time lies: hand21.tensorrt-rtx.engine."""
    return path.with_name(f"{path.name.removesuffix('.onnx')}.{engine}{SUFFIX}")


def cache_folder(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where built engines are kept; it may be deleted at any time."""
    return user_folder.cache_folder(environ, system) / "engines"


def write(path: Path, stored: Stored) -> None:
    """Write it at once or not at all. OSError where it cannot be written."""
    text = json.dumps({"key": asdict(stored.key), "props": dict(stored.props)}).encode()
    rest = len(text).to_bytes(4, "little") + text + stored.body
    mark = user_folder.seal(rest, make=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temp = Path(file.name)
    try:
        with temp.open("wb") as file:
            file.write(MAGIC + sha256(mark + rest).digest() + mark + rest)
            file.flush()
            os.fsync(file.fileno())
        temp.chmod(0o644)
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)


def read(path: Path) -> Stored:
    """A whole file, its sum checked. ValueError in one sentence when it is broken."""
    data = path.read_bytes()
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError(f"{path} is no engine of this program; build it again")
    start = len(MAGIC) + 2 * SEALED
    rest, total = data[start:], data[len(MAGIC) : len(MAGIC) + SEALED]
    if len(rest) < 4 or sha256(data[len(MAGIC) + SEALED :]).digest() != total:
        raise ValueError(f"{path} is damaged; build it again")
    end = 4 + int.from_bytes(rest[:4], "little")
    try:
        header = json.loads(rest[4:end])
        lists = {name: tuple(header["key"][name]) for name in ("batches", "targets")}
        key = Key(**{**header["key"], **lists})
        mark = data[start - SEALED : start]
        return Stored(key, dict(header["props"]), rest[end:], user_folder.is_sealed(rest, mark))
    except (ValueError, LookupError, TypeError, RecursionError) as error:  # of another version
        raise ValueError(f"{path} has a header that is not known here; build it again") from error


def check(stored: Stored, wanted: Key, origin: Path) -> None:
    """ValueError in one sentence when an engine was built from or for something else."""
    found = stored.key
    if not stored.ours:
        raise ValueError(
            f"{origin} was not built by you on this machine and is not trusted; build it again, or "
            f"copy the file {user_folder.cache_folder() / user_folder.KEY} from where you built it"
        )
    if not found.gpu and wanted.targets[0] not in found.targets:
        fact = f"is for other GPUs (compute {', '.join(found.targets)}, not {wanted.targets[0]})"
    elif found.gpu and (found.gpu, found.targets, found.processors) != (
        wanted.gpu, wanted.targets, wanted.processors,
    ):  # fmt: skip
        fact = f"is for another GPU ({found.gpu}, not {wanted.gpu})"
    elif (found.engine, found.version) != (wanted.engine, wanted.version):
        fact = f"was built by {found.engine} {found.version}, this is {wanted.version}"
    elif found.onnx_sha256 != wanted.onnx_sha256:
        fact = "was built from another network"
    elif replace(found, gpu="", processors=0, targets=()) != replace(
        wanted, gpu="", processors=0, targets=()
    ):
        fact = "was built with other settings, or by another version of this program"
    else:
        return
    raise ValueError(f"{origin} {fact}; build it again")
