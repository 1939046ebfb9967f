"""Localisers by name: an image in; heat (or coordinates) and features out. One file a family."""

from __future__ import annotations

from collections.abc import Callable

from train.networks.comm_mt import CommMT
from train.networks.lite import RcnLite as RcnLite
from train.networks.rcn import Rcn as Rcn
from train.networks.seq_mt import PlainNet
from train.networks.spec import NetSpec as NetSpec
from train.networks.tcdcn import Tcdcn

# Each gives heat (N, K, h, w) and features (N, F, h', w'), and says its `stride` (crop pixels per
# heat pixel) and how many `features`. Those with `direct` give coordinates (N, K, 1, 2), -1..1 of
# the crop, in the heat's place.
Localiser = RcnLite | Rcn | PlainNet | CommMT | Tcdcn

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
