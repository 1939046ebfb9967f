"""Localisers by name: an image in; heat (or coordinates) and features out. One file a family.

To add one, write its file and a row of NETWORKS: a torch Module that is a `Localiser`, made from
the number of landmarks and a NetSpec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, Self

from torch import Tensor, nn

from train.networks.comm_mt import CommMT
from train.networks.lite import RcnLite as RcnLite
from train.networks.rcn import Rcn as Rcn
from train.networks.seq_mt import PlainNet
from train.networks.spec import NetSpec as NetSpec
from train.networks.tcdcn import Tcdcn


class Localiser(Protocol):
    """A torch Module that finds landmarks, and says how what it gives is to be read."""

    stride: int  # crop pixels per heat pixel
    features: int  # F, of the second output
    direct: bool  # coordinates (N, K, 1, 2), -1..1 of the crop, come in the heat's place

    def __call__(self, image: Tensor, /) -> tuple[Tensor, Tensor]:
        """(N, C, S, S) scaled (`NetSpec.scaling`) -> heat (N, K, h, w), features (N, F, h', w')."""
        ...

    # What is used of the Module.
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def modules(self) -> Iterator[nn.Module]: ...
    def requires_grad_(self, requires_grad: bool = True) -> Self: ...
    def eval(self) -> Self: ...
    def half(self) -> Self: ...


NETWORKS: dict[str, Callable[[int, NetSpec], Localiser]] = {
    "rcn_lite": RcnLite,
    "rcn": Rcn,
    "rcn_plus": Rcn,
    "rcn_mtfl": Rcn,
    "rcn_aflw": Rcn,
    "seq_mt": PlainNet,
    "heatmap_mt": PlainNet,
    "comm_mt": CommMT,
    "tcdcn": Tcdcn,
}


def build_net(landmarks: int, spec: NetSpec) -> Localiser:
    """The localiser by name; ValueError for one that does not exist."""
    if spec.name not in NETWORKS:
        raise ValueError(f"network '{spec.name}' is unknown; there are {', '.join(NETWORKS)}")
    return NETWORKS[spec.name](landmarks, spec)
