"""Devices by name, and what counts as memory that ran out. No GPU is needed."""

import pytest
import torch

from train.machine import device
from train.machine.device import half_precision, is_out_of_memory, pick_device, precision_on


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)


def nothing(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


def test_auto_takes_the_fastest_that_is_there(monkeypatch, two_gpus):
    assert pick_device("auto") == torch.device("cuda:0")
    nothing(monkeypatch)
    assert pick_device("auto") == torch.device("cpu")
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert pick_device("auto") == torch.device("mps")


def test_each_process_of_torchrun_takes_its_own_gpu(monkeypatch, two_gpus):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert pick_device("cuda") == torch.device("cuda:1")
    assert pick_device("cuda:0") == torch.device("cuda:0")
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "tpu", "cpu:3", "cuda:x", ""])
def test_a_device_that_is_not_there_is_a_sentence(monkeypatch, name):
    nothing(monkeypatch)
    with pytest.raises(ValueError, match=r"is not here; set device to auto or cpu"):
        pick_device(name)


def test_a_gpu_too_many(two_gpus):
    with pytest.raises(ValueError, match=r"'cuda:2' is not here.*cuda:0 or cuda:1"):
        pick_device("cuda:2")


@pytest.mark.parametrize(
    "error,ran_out",
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error, ran_out):
    assert is_out_of_memory(error) is ran_out


def test_a_real_allocation_that_fails():
    with pytest.raises(RuntimeError) as found:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(found.value)


@pytest.mark.parametrize("has", [True, False])
def test_half_precision_on_a_cpu_that_has_it_alone(monkeypatch, has):
    monkeypatch.setattr(device, "cpu_has_bfloat16", lambda: has)
    layer, x, cpu = torch.nn.Linear(2, 2), torch.ones(1, 2), torch.device("cpu")
    with half_precision(cpu, "bf16"):
        assert layer(x).dtype == (torch.bfloat16 if has else torch.float32)
    with half_precision(cpu, "f32"):
        assert layer(x).dtype == torch.float32
    assert precision_on(cpu, "bf16") == ("bf16" if has else "f32")
    assert precision_on(cpu, "f32") == "f32"


@pytest.mark.parametrize(
    ("found", "has"),
    [
        ({"architecture": "x86_64", "avx2": True, "avx512_f": True, "avx512_bf16": False}, False),
        ({"architecture": "x86_64", "avx512_bf16": True}, True),
        ({"architecture": "x86_64", "amx_bf16": True}, True),
        ({"architecture": "aarch64", "neon": True, "bf16": True}, True),
        ({"architecture": "aarch64", "neon": True}, False),
    ],
)
def test_processors_with_bfloat16(monkeypatch, found, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert device.cpu_has_bfloat16() is has


@pytest.mark.parametrize("has", [True, False])
def test_an_older_torch(monkeypatch, has):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has, raising=False)
    assert device.cpu_has_bfloat16() is has
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert device.cpu_has_bfloat16() is False


def test_without_onednn_nothing_computes_in_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True}, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert device.cpu_has_bfloat16() is False
