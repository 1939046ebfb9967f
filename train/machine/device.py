"""Which device a run is on, its half precision, and how it says that memory ran out."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

WORDS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")


def pick_device(name: str) -> torch.device:
    """'auto' (CUDA, else MPS, else CPU), 'cpu', 'cuda', 'cuda:1' or 'mps' as a torch device.

    Under torchrun 'auto' and 'cuda' mean this process's own GPU. Raises ValueError for a device
    that this machine does not have.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if gpus else "mps" if mps else "cpu"
    if name == "cuda" and gpus:
        own = int(os.environ.get("LOCAL_RANK", torch.cuda.current_device()))
        name = f"cuda:{own}"
    kind, _, index = name.partition(":")
    has = {"cpu": True, "mps": mps, "cuda": gpus > int(index) if index.isdigit() else False}
    if not has.get(kind, False) or (index and kind != "cuda"):
        here = ["cpu", *(f"cuda:{i}" for i in range(gpus)), *(["mps"] if mps else [])]
        raise ValueError(f"device '{name}' is not here; set device to auto or {' or '.join(here)}")
    return torch.device(name)


def precision_on(device: torch.device, precision: str) -> str:
    """'bf16' where that is asked for and the device has arithmetic of it, else 'f32'.

    A processor without it (no AVX-512 BF16, AMX or ARMv8.6) emulates it, several times slower than
    float32 with AVX2 alone.
    """
    if precision != "bf16":
        return "f32"
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "f32"
    return "bf16" if device.type != "cpu" or cpu_has_bfloat16() else "f32"


def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself, through oneDNN."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is None:  # an older torch, which tells of x86 alone
        older = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return older is not None and bool(older())
    found = capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def half_precision(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Autocast to bfloat16 where 'bf16' is asked for and the device computes in it."""
    if precision_on(device, precision) == "f32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device's or the machine's memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(w in str(error) for w in WORDS)


def free_memory(device: torch.device) -> None:
    """Give cached blocks back, so that a smaller batch starts from a clean pool."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
