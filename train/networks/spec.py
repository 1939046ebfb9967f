"""What a localiser is made of, as plain data stored in every checkpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetSpec:
    """Which localiser, and its shape; each network takes what it knows and ignores the rest."""

    name: str = "rcn_lite"
    size: int = 128
    colour: str = "rgb"
    # rcn_lite; `widths` go from the finest level to the coarsest
    stem: int = 24
    widths: tuple[int, ...] = (48, 64, 96, 128)
    enter: str = "convs"  # 'convs': two of stride 2; 'patch': pixels of 4x4 squares as channels
    recombine: str = "concat"  # 'concat' as in RCN, or 'add': the coarser branch, made as wide
    rounds: int = 1  # recombinations, each from the coarsest level to the finest
    block: str = "dense"  # 'dense' 3x3 or 'light' (inverted residual, depthwise 3x3)
    depth: tuple[int, ...] = (1, 1, 1, 1)  # encoder blocks a level
    fine: tuple[int, ...] = ()  # rcn_lite: landmarks whose heat has twice the others' resolution,
    fine_width: int = 24  # and the maps that it is made from
    gist: int = 0  # rcn_lite: values that heads read of the coarsest maps; 0: the maps' means
    # what the paper's networks differ in
    scaling: str = "standard"  # input: 'standard' (mean, deviation), 'unit' (0..1), 'lcn' or 'raw'
    read: str = "soft"  # from heat to points: 'soft' (eq. 1) or 'argmax'
    coarsest: int = 5  # rcn, rcn_plus, rcn_mtfl: side of the coarsest maps, 5, 2 or 1
    zero_non_pooled: bool = False  # rcn*: recombine with what the pooling kept, zeros elsewhere
    learn_upsampling: bool = False  # rcn*: one learnt 3x3 kernel an upsampling
    kernel: int = 9  # seq_mt, comm_mt, heatmap_mt
    maps: int = 8  # seq_mt, comm_mt, heatmap_mt
    convs: int = 6  # seq_mt, heatmap_mt: k x k layers
    ones: int = 1  # seq_mt, heatmap_mt: 1x1 layers before the last
    last_kernel: int = 1  # seq_mt, heatmap_mt: of the layer that gives the heat
    hidden: int = 256  # comm_mt: width of its fully connected layers
    dropout: float = 0.25  # comm_mt, tcdcn: of their fully connected layers
