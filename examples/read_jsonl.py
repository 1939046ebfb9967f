"""Read the lines of `tracker video clip.mp4 --json points.jsonl` with pandas: a row a landmark.

python examples/read_jsonl.py points.jsonl
"""

import sys

import tracker


def main() -> None:
    """Print how far each index fingertip moved, and how long each gesture was held."""
    table = tracker.read(sys.argv[1]).to_pandas()
    tips = table[table.landmark == "index_tip"]
    for (number, side), tip in tips.groupby(["track_id", "side"]):
        path = (tip[["x", "y"]].diff() ** 2).sum(axis=1) ** 0.5
        print(f"track {number}, {side} hand: the index fingertip moved {path.sum():.0f} pixels")
    hands = table[(table.kind == "hand") & (table.landmark == "wrist")]
    print(hands.groupby("gesture").size().rename("frames").to_string())


if __name__ == "__main__":
    main()
