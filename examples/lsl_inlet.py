"""Read landmarks from the Lab Streaming Layer, with the time of capture beside another stream's.

tracker live --to lsl:landmarks
python examples/lsl_inlet.py landmarks 5           # five seconds
"""

import sys

import pylsl


def main() -> None:
    """Print the age and the right wrist of each sample."""
    name, seconds = sys.argv[1], float(sys.argv[2])
    found = pylsl.resolve_byprop("name", name, timeout=10)
    if not found:
        raise SystemExit(f"no stream is called {name}; start: tracker live --to lsl:{name}")
    inlet = pylsl.StreamInlet(found[0], processing_flags=pylsl.proc_clocksync)
    labels = inlet.info(timeout=10).get_channel_labels()
    x, y = labels.index("right_wrist_x"), labels.index("right_wrist_y")
    end = pylsl.local_clock() + seconds
    while pylsl.local_clock() < end:
        sample, stamp = inlet.pull_sample(timeout=1)
        if sample is None:
            print("no sample for a second")
            continue
        age = 1000 * (pylsl.local_clock() - stamp)
        print(f"{age:6.1f} ms old   right wrist {sample[x]:7.1f} {sample[y]:7.1f}")


if __name__ == "__main__":
    main()
