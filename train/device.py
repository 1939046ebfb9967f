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


def half_precision(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Autocast to bfloat16 where 'bf16' is asked for and the device computes in it."""
    able = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if precision != "bf16" or not able:
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
