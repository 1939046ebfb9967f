"""Muon for convolutions (Jordan et al., 2024): a step is the momentum's nearest orthogonal matrix.

Every direction of a layer moves alike, so few steps go far. The weights keep their norm: a batch
norm follows each, so that only their direction matters, and the rate is an angle. Everything else
(norms, biases, heads, the last convolution) has Adam's rule. After airbench94_muon, whose scheme
for small convolutional networks this is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

# Coefficients of the fifth-order Newton-Schulz step, as published with Muon.
A, B, C = 3.4445, -4.7750, 2.0315


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """The matrix (M, N) with all singular values brought near 1 (0.7 to 1.2).

    A step is x <- q x with q = A + B g + C g^2 and g = x x^T. All q commute, so g and their product
    are followed in the smaller side's square, and the matrix is multiplied once. In float32: most
    processors have no bfloat16, and only emulate it.
    """
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    gram = x @ x.T
    same = torch.eye(len(gram), dtype=x.dtype, device=x.device)
    whole = same
    for left in reversed(range(steps)):
        q = torch.addmm(B * gram + A * same, gram, gram, alpha=C)
        whole = q @ whole
        if left:
            gram = q @ gram @ q
    x = whole @ x
    out: Tensor = x.T if tall else x
    return out


def normed_convolutions(net: nn.Module) -> list[Tensor]:
    """Weights of full convolutions that a batch norm follows: only their direction matters."""
    found: list[Tensor] = []
    for part in net.modules():
        if isinstance(part, nn.Sequential):
            for layer, after in pairwise(part):
                if (
                    isinstance(layer, nn.Conv2d)
                    and isinstance(after, nn.BatchNorm2d)
                    and layer.groups == 1
                ):
                    found.append(layer.weight)
    return found


class Muon(torch.optim.Optimizer):
    """Muon for `turned`, Adam for `others`. A group's `scale`: its rate in units of the run's."""

    def __init__(
        self, turned: Iterable[Tensor], others: Iterable[Tensor], lr: float, scale: float
    ) -> None:
        groups = [
            {"params": list(turned), "scale": scale, "turned": True},
            {"params": list(others), "scale": 1.0, "turned": False},
        ]
        super().__init__([g for g in groups if g["params"]], {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One update of every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    move = self._turn if group["turned"] else self._adam
                    move(weight, weight.grad, group["lr"])

    def _turn(self, weight: Tensor, grad: Tensor, lr: float) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].mul_(0.9).add_(grad)
        push = grad + 0.9 * momentum
        step = orthogonal(push.reshape(len(weight), -1)).reshape(weight.shape)
        norm = weight.norm()
        # an orthogonal matrix's norm is the root of its smaller side; lr is the angle in radians
        weight.add_(step, alpha=-lr * float(norm / step.norm().clamp(min=1e-6)))
        weight.mul_(norm / weight.norm())

    def _adam(self, weight: Tensor, grad: Tensor, lr: float) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros(())
            state["first"], state["second"] = torch.zeros_like(weight), torch.zeros_like(weight)
        state["step"] += 1
        count = float(state["step"])
        first = state["first"].lerp_(grad, 0.1)
        second = state["second"].lerp_(grad.square(), 0.01)
        bias = (1 - 0.99**count) ** 0.5 / (1 - 0.9**count)
        weight.addcdiv_(first, second.sqrt() + 1e-8, value=-lr * bias)
