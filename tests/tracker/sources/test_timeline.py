"""Which frames were lost, from hand-made sequences of packets and pictures."""

from __future__ import annotations

from tracker.sources.timeline import Timeline


def run(line: Timeline, events: str) -> list[tuple[list[int], int | None]]:
    """'s3' a packet of stamp 3 goes in, 'f3' it fails, 'p3' picture 3 comes out."""
    out = []
    for event in events.split():
        stamp = int(event[1:])
        if event[0] == "s":
            line.sent(stamp)
        elif event[0] == "f":
            line.failed(stamp)
        else:
            out.append(line.shown(stamp))
    return out


def test_reordered_pictures_are_no_loss() -> None:
    line = Timeline()
    assert run(line, "s0 s3 s1 p0 s2 p1 p2 p3") == [([], 0), ([], 1), ([], 2), ([], 3)]
    assert line.rest() == []


def test_failed_packet_is_lost_at_its_place() -> None:
    line = Timeline()
    assert run(line, "s0 p0 s3 s1 f1 s2 p2 p3") == [([], 0), ([1], 2), ([], 3)]


def test_silence_after_a_failure_is_loss() -> None:
    # A key picture fails, and the decoder drops what hangs on it without another word.
    line = Timeline()
    assert run(line, "s0 f0 s1 s2 s3 p3") == [([0, 1, 2], 3)]
    run(line, "s4 s5")
    assert line.rest() == [4, 5]


def test_silence_without_failure_is_normal() -> None:
    # Single fields: every other packet gives no picture of its own, also after a failure.
    line = Timeline()
    assert run(line, "s0 s1 p0 s2 s3 p2 s4 f4 s5 s6 s7 p6") == [([], 0), ([], 2), ([4], 6)]
    assert line.rest() == []


def test_pictures_of_a_group_before_the_file_are_no_gap() -> None:
    line = Timeline()
    assert run(line, "s5 s3 s4 p5 s6 f6 s7 s8 p8") == [([], 5), ([6, 7], 8)]


def test_decode_order_gives_the_nth_picture_the_nth_stamp() -> None:
    # As AVI stamps H.264: stamps rise with the packets, pictures carry the wrong ones.
    line = Timeline(decode_order=True)
    assert run(line, "s1 s2 s3 p1 s4 p3 p4 p2") == [([], 1), ([], 2), ([], 3), ([], 4)]


def test_decode_order_places_a_failure_between_its_neighbours() -> None:
    line = Timeline(decode_order=True)
    assert run(line, "s1 s2 f2 s3 p0 p0") == [([], 1), ([2], 3)]


def test_stamps_that_go_back_are_taken_as_decode_order() -> None:
    line = Timeline()
    assert run(line, "s1 p1 s2 s3 p3 p2") == [([], 1), ([], 3), ([], 2)]
    assert run(line, "s4 s5 p5 p4") == [([], 4), ([], 5)]
