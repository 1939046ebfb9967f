"""The localiser of Seq-MT and of Heatmap-MT (supplement tables S10 to S13): full resolution.

Seq-MT reads points by soft-argmax and its attributes from the points; Heatmap-MT reads points by
argmax and its classes from the heat (`train/networks/heatmap_mt.py`).
"""

from __future__ import annotations

from torch import Tensor, nn

from train.networks.layers import chain, conv, init_like_theano
from train.networks.spec import NetSpec


class PlainNet(nn.Module):
    """Convolutions at full resolution, no pooling: the localiser of Seq-MT and of Heatmap-MT.

    `convs` layers k x k, `ones` layers 1x1, and the layer of the heat, all with ReLU, the last
    one, too. The two differ in how points are read (`spec.read`), and so in their losses.
    """

    stride = 1
    direct = False

    def __init__(self, landmarks: int, spec: NetSpec) -> None:
        super().__init__()
        cin = 3 if spec.colour == "rgb" else 1
        layers = ((spec.kernel, spec.maps),) * spec.convs + ((1, spec.maps),) * spec.ones
        self.layers = chain(cin, layers)
        self.head = conv(spec.maps, landmarks, spec.last_kernel)
        self.features = spec.maps
        init_like_theano(self)
        if spec.read == "argmax":  # the likelihood pushes maps down, and below 0 they never return
            for layer in self.head:
                if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                    nn.init.constant_(layer.bias, 5.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, S, S) scaled -> heat (N, K, S, S), its last hidden maps (N, F, S, S)."""
        maps = self.layers(image)
        return self.head(maps), maps
