"""Several processes on one batch, started by torchrun: they get what one process would get.

Each process sees its part of every batch and divides its sums by the counts of the whole batch, so
the whole batch's gradient is the sum of theirs. Without torchrun every function here is a no-op.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from train.machine.ranks import rank, world

T = TypeVar("T")


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Meet the other processes for the time of a run."""
    if world() == 1 or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        dist.barrier()  # nobody leaves while another still speaks to it
    finally:
        dist.destroy_process_group()


def together() -> bool:
    """Whether there are other processes."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def processes() -> int:
    """How many processes train on a batch together."""
    return world() if together() else 1


def part(rows: Sequence[T]) -> Sequence[T]:
    """This process's rows of a batch: every world-th one, so that labelled ones are shared out."""
    if not together():
        return rows
    if len(rows) < world():
        raise ValueError(
            f"a batch of {len(rows)} is too small for {world()} processes; start fewer"
        )
    return rows[rank() :: world()]


def total(count: Tensor) -> Tensor:
    """The sum over all processes; no gradient."""
    if not together():
        return count
    out = count.detach().clone()
    dist.all_reduce(out)
    return out


def agreed(wish: bool, device: torch.device) -> bool:
    """Whether any process wishes it; the same answer in all."""
    if not together():
        return wish
    return bool(total(torch.tensor(int(wish), device=device)).item())


def first_rows(wanted: Tensor, share: float) -> Tensor:
    """Indices of this process's wanted images (N,) bool that are among the first of the batch.

    At most `share` of the whole batch is taken, at least one image.
    """
    if not together():
        rows = wanted.nonzero()[:, 0]
        return rows[: max(1, round(len(wanted) * share))]
    size = int(total(torch.tensor(len(wanted), device=wanted.device)))
    whole = torch.zeros(size, dtype=torch.int64, device=wanted.device)
    whole[rank() :: world()] = wanted.long()
    order = total(whole).cumsum(0)[rank() :: world()]
    return (wanted & (order <= max(1, round(size * share)))).nonzero()[:, 0]


def sum_gradients(model: nn.Module) -> None:
    """Replace every gradient by the sum over the processes, in one exchange."""
    if not together():
        return
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    at = 0
    for grad in grads:
        grad.copy_(flat[at : at + grad.numel()].view_as(grad))
        at += grad.numel()


def same_start(model: nn.Module, step: int, device: torch.device) -> None:
    """Give all processes the first one's weights; ValueError when they resume at other steps."""
    if not together():
        return
    mine = torch.tensor(step, device=device)
    if int(total(mine)) != step * world():
        raise ValueError(
            "the processes would resume from different checkpoints; give all of them the same --out"
        )
    for tensor in model.state_dict().values():
        dist.broadcast(tensor, 0)


def wait() -> None:
    """Until every process is here."""
    if together():
        dist.barrier()


class _Sum(torch.autograd.Function):
    """Sum over the processes. Each one's loss depends on it, so their gradients add up too."""

    @staticmethod
    def forward(ctx: object, value: Tensor) -> Tensor:
        return total(value)

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> Tensor:
        return total(grads[0])


def _summed(value: Tensor) -> Tensor:
    if not together():
        return value
    out: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return out


class SpreadNorm(nn.BatchNorm2d):
    """Batch norm over the whole batch where torch's SyncBatchNorm cannot go (CPU, gloo)."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W), this process's part, normalised by the mean and variance of all parts."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(input)
        x = input.float()
        count = total(torch.tensor(float(x.numel() // x.shape[1]), device=x.device))
        mean = _summed(x.sum((0, 2, 3))) / count
        off = x - mean[:, None, None]
        var = _summed(off.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            keep = 0.1 if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, keep)
            self.running_var.lerp_(var * count / (count - 1), keep)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
        out = off * torch.rsqrt(var + self.eps)[:, None, None]
        scaled: Tensor = out * self.weight[:, None, None] + self.bias[:, None, None]
        return scaled.to(input.dtype)


def spread_norms(model: nn.Module, device: torch.device) -> None:
    """Let the batch norms of a model see the whole batch; names of its tensors stay."""
    if not together():
        return
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.BatchNorm2d:
                new = SpreadNorm(child.num_features, child.eps, child.momentum)
                new.load_state_dict(child.state_dict())
                setattr(parent, name, new.to(device))
