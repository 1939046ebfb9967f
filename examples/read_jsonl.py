"""Read the lines of `tracker video clip.mp4 --json points.jsonl` with pandas: a row a landmark.

python examples/read_jsonl.py points.jsonl
"""

import json
import sys
from pathlib import Path

import pandas as pd


def landmarks(path: Path) -> pd.DataFrame:
    """Columns frame, t_s, id, kind, side, gesture, landmark, x, y, score."""
    with path.open(encoding="utf-8") as lines:
        header = json.loads(next(lines))
        rows = []
        for line in lines:
            frame = json.loads(line)
            for track in frame.get("tracks", []):
                names = header["landmarks"][track["kind"]]
                common = [frame["frame"], frame["t_s"]]
                common += [track[key] for key in ("id", "kind", "side", "gesture")]
                for name, (x, y), score in zip(names, track["xy"], track["score"], strict=True):
                    rows.append([*common, name, x, y, score])
    names = ["frame", "t_s", "id", "kind", "side", "gesture", "landmark", "x", "y", "score"]
    return pd.DataFrame(rows, columns=names)


def main() -> None:
    """Print how far each index fingertip moved, and how long each gesture was held."""
    table = landmarks(Path(sys.argv[1]))
    tips = table[table.landmark == "index_tip"]
    for (number, side), tip in tips.groupby(["id", "side"]):
        path = (tip[["x", "y"]].diff() ** 2).sum(axis=1) ** 0.5
        print(f"track {number}, {side} hand: the index fingertip moved {path.sum():.0f} pixels")
    hands = table[(table.kind == "hand") & (table.landmark == "wrist")]
    print(hands.groupby("gesture").size().rename("frames").to_string())


if __name__ == "__main__":
    main()
