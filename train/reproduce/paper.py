"""The results of Honari et al., CVPR 2018, as their tables give them. Nothing here is ours.

None: the paper leaves the cell empty. Errors of the tables are means over five seeds where the
paper says so (1 and 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PaperTable:
    """One table, or a part of one: a line a row, a column a share of images with landmark labels.

    `metric` and `part` name what of our result stands beside it ('': the set's first metric, the
    whole test set); with `attribute` it is that attribute's accuracy in %.
    """

    number: str
    what: str
    unit: str  # '%' or 'px'
    shares: tuple[float, ...]
    rows: Mapping[str, Values]  # those that can be trained here
    quoted: Mapping[str, Values] = field(default_factory=dict)  # other rows, for comparison
    metric: str = ""
    part: str = ""
    attribute: str = ""

    def value(self, row: str, share: float) -> float | None:
        """The paper's number, or None where it has none."""
        values = self.rows.get(row, self.quoted.get(row))
        if values is None or share not in self.shares:
            return None
        return values[self.shares.index(share)]


SHAPES = PaperTable(
    "Section 4.1", "accuracy of the class", "%", (1.0,), {"Seq-MT (A)": (99.0,)},
    attribute="nearer",
)  # fmt: skip

BLOCKS = PaperTable(
    "Table 1", "error on Blocks", "px", (0.01, 0.05, 0.1, 0.2, 0.5, 1.0),
    {
        "Seq-MT (L)": (8.33, 3.95, 3.35, 1.98, 1.19, 0.44),
        "Seq-MT (L+A)": (8.02, 3.45, 3.20, 1.67, 1.05, 0.38),
        "Seq-MT (L+ELT)": (6.42, 1.94, 1.37, 1.16, 0.85, None),
        "Seq-MT (L+ELT+A)": (6.25, 1.70, 1.26, 1.07, 0.74, None),
        "Comm-MT (L)": (12.89, 11.56, 10.72, 9.39, 5.04, 3.41),
        "Comm-MT (L+A)": (12.28, 11.19, 10.36, 9.01, 4.21, 2.97),
        "Heatmap-MT (L)": (10.09, 6.59, 5.27, 3.82, 2.78, 2.01),
        "Heatmap-MT (L+A)": (9.27, 6.35, 5.62, 3.75, 3.14, 2.23),
    },
)  # fmt: skip

FIVE = (0.05, 0.1, 0.2, 0.5, 1.0)
HGR1 = PaperTable(
    "Table 2", "error on HGR1 / wrist width", "%", FIVE,
    {
        "Seq-MT (L)": (57.6, 41.1, 32.0, 21.4, 15.8),
        "Seq-MT (L+A)": (50.0, 38.1, 28.1, 19.8, 16.9),
        "Seq-MT (L+ELT)": (43.7, 31.5, 25.1, 17.7, None),
        "Seq-MT (L+ELT+A)": (38.5, 30.3, 24.0, 19.1, None),
        "Comm-MT (L)": (77.1, 62.8, 52.7, 41.8, 35.7),
        "Comm-MT (L+A)": (53.4, 39.3, 35.5, 26.9, 24.1),
        "Heatmap-MT (L)": (66.5, 51.9, 42.4, 30.9, 25.5),
        "Heatmap-MT (L+A)": (64.8, 54.9, 43.2, 30.5, 26.7),
    },
)  # fmt: skip
HGR1_OTHERS = PaperTable(
    "Table 5 (HGR1)", "error on HGR1 / wrist width", "%", (1.0,),
    {"RCN (L)": (13.65,), "RCN+ (L)": (11.02,), "RCN+ (L+A)": (10.88,), "TCDCN (L+A)": (25.85,)},
    {"MT-DCNN (L+A)": (20.87,), "TCDCN-2 (L+A)": (18.81,), "MT-Conv (L+A)": (19.20,)},
)  # fmt: skip

MULTIPIE = PaperTable(
    "Table 3", "error on Multi-PIE / distance of eye centres", "%", FIVE,
    {
        "Seq-MT (L)": (7.98, 7.02, 6.28, 5.50, 5.09),
        "Seq-MT (L+A)": (7.71, 6.91, 6.20, 5.49, 5.12),
        "Seq-MT (L+ELT)": (6.69, 6.24, 5.78, 5.27, None),
        "Seq-MT (L+ELT+A)": (6.57, 6.16, 5.73, 5.23, None),
        "Comm-MT (L)": (9.22, 7.93, 7.02, 6.27, 5.71),
        "Comm-MT (L+A)": (9.11, 8.00, 6.92, 6.20, 5.68),
        "Heatmap-MT (L)": (10.83, 9.18, 8.13, 7.00, 6.63),
        "Heatmap-MT (L+A)": (11.03, 9.03, 8.15, 7.11, 6.65),
    },
)  # fmt: skip
MULTIPIE_OTHERS = PaperTable(
    "Table 5 (Multi-PIE)", "error on Multi-PIE / distance of eye centres", "%", (0.05, 1.0),
    {
        "RCN (L)": (7.53, 5.78), "RCN+ (L)": (6.89, 5.04), "RCN+ (L+A)": (6.82, 4.97),
        "TCDCN (L+A)": (18.46, 10.59),
    },
    {
        "MT-DCNN (L+A)": (11.13, 7.60), "TCDCN-2 (L+A)": (10.75, 5.83),
        "MT-Conv (L+A)": (9.99, 8.08),
    },
)  # fmt: skip

FULLSET = PaperTable(
    "Table 6, Fullset", "error on 300W / distance of eye centres", "%", FIVE,
    {
        "Heatmap-MT (L)": (13.47, 11.68, 9.85, 8.18, 7.62),
        "Comm-MT (L)": (16.73, 9.66, 8.61, 7.39, 6.73),
        "Seq-MT (L)": (9.82, 8.30, 7.26, 6.28, 5.95),
        "Seq-MT (L+ELT)": (8.23, 7.28, 6.62, 6.10, 5.74),
        "RCN+ (L)": (7.26, 6.48, 5.91, 5.52, 5.26),
        "RCN+ (L+ELT)": (7.22, 6.32, 5.88, 5.45, 5.10),
    },
)  # fmt: skip
IBUG = PaperTable(
    "Table 6, IBUG", "error on the IBUG part of 300W / distance of eye centres", "%", FIVE,
    {
        "Heatmap-MT (L)": (26.36, 22.77, 18.46, 14.94, 13.56),
        "Comm-MT (L)": (28.64, 16.17, 14.56, 12.16, 11.04),
        "Seq-MT (L)": (18.74, 16.21, 13.41, 11.20, 10.24),
        "Seq-MT (L+ELT)": (14.68, 12.73, 11.39, 10.37, 9.53),
        "RCN+ (L)": (15.36, 12.74, 11.82, 10.12, 8.47),
        "RCN+ (L+ELT)": (12.54, 10.35, 9.56, 8.67, 8.20),
    },
    part="ibug",
)  # fmt: skip
# Table 5, left: Common, IBUG, Fullset at 100 % of the labels
_W300 = {
    "RCN (L)": (4.70, 9.00, 5.54),
    "Heatmap-MT (L)": (6.18, 13.56, 7.62),
    "Comm-MT (L)": (5.68, 11.04, 6.73),
    "Seq-MT (L)": (4.93, 10.24, 5.95),
    "Seq-MT (L+ELT)": (4.84, 9.53, 5.74),
    "RCN+ (L)": (4.47, 8.47, 5.26),
    "RCN+ (L+ELT)": (4.34, 8.20, 5.10),
}
_W300_QUOTED = {
    "CDM": (10.10, 19.54, 11.94), "DRMF": (6.65, 19.79, 9.22), "RCPR": (6.18, 17.26, 8.35),
    "CFAN": (5.50, 16.78, 7.69), "ESR": (5.28, 17.00, 7.58), "SDM": (5.57, 15.40, 7.50),
    "ERT": (None, None, 6.40), "LBF": (4.95, 11.98, 6.32), "CFSS": (4.73, 9.98, 5.76),
    "TCDCN (extra data)": (4.80, 8.60, 5.54), "RCN + denoising": (4.67, 8.44, 5.41),
    "RAR": (4.12, 8.35, 4.94), "Lv et al.": (4.36, 7.56, 4.99),
    "RCN+ (L+ELT) (all-train)": (4.20, 7.78, 4.90),
}  # fmt: skip


def _table5(column: int, name: str, part: str) -> PaperTable:
    what = f"error on 300W {name} / distance of eye centres"
    return PaperTable(
        f"Table 5 (300W, {name})", what, "%", (1.0,),
        {k: (v[column],) for k, v in _W300.items()},
        {k: (v[column],) for k, v in _W300_QUOTED.items()}, part=part,
    )  # fmt: skip


COMMON_100 = _table5(0, "Common", "common")
IBUG_100 = _table5(1, "IBUG", "ibug")
FULLSET_100 = _table5(2, "Fullset", "")

AFLW = PaperTable(
    "Table 5 (AFLW)", "error on AFLW / face size", "%", (0.01, 0.05, 1.0),
    {
        "RCN+ (L)": (2.88, 2.17, 1.61),
        "RCN+ (L+A)": (2.52, 2.08, 1.60),
        "RCN+ (L+ELT+A)": (2.46, 2.03, 1.59),
    },
    {
        name: (None, None, value)
        for name, value in (
            ("CDM", 5.43), ("ERT", 4.35), ("LBF", 4.25), ("SDM", 4.05), ("CFSS", 3.92),
            ("RCPR", 3.73), ("CCL", 2.72), ("Lv et al.", 2.17),
        )
    },
)  # fmt: skip

# the test images of MTFL are AFLW's; the table has a second column for AFW
MTFL = PaperTable(
    "Table S1 (AFLW)", "error on MTFL / distance of the eyes", "%", (1.0,),
    {"RCN (L)": (5.6,), "RCN+ (L)": (5.22,), "RCN+ (L+A)": (5.02,)},
)  # fmt: skip
MTFL_AFW = PaperTable(
    "Table S1 (AFW)", "error on AFW / distance of the eyes", "%", (1.0,),
    {"RCN (L)": (5.36,), "RCN+ (L)": (5.13,), "RCN+ (L+A)": (5.08,)}, part="afw",
)  # fmt: skip

_STAND_IN = ("Seq-MT (L)", "Seq-MT (L+ELT)", "RCN+ (L)", "RCN+ (L+ELT)")
FACES68 = PaperTable(
    "Table 6 (300W, other pictures)",
    "error on faces68 / distance of eye centres",
    "%", (0.05, 0.2, 1.0),
    {name: tuple(FULLSET.value(name, s) for s in (0.05, 0.2, 1.0)) for name in _STAND_IN},
)  # fmt: skip
