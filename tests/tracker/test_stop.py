"""Signals: a question to whoever asks, once; then they do what they always did."""

from __future__ import annotations

import os
import signal
from threading import Thread

import pytest

from tracker.stop import SIGNALS, on_signal, stop_on_signal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_a_wish_and_the_second_acts(number: signal.Signals) -> None:
    """The other signal is still only a wish: who starts jobs may send both."""
    heard: list[int] = []
    before = on_signal(heard.append)
    other = signal.SIGTERM if number == signal.SIGINT else signal.SIGINT
    try:
        with stop_on_signal() as stopped:
            assert not stopped()
            os.kill(os.getpid(), number)
            assert stopped() and heard == []
            os.kill(os.getpid(), other)
            assert heard == []
            os.kill(os.getpid(), number)
            assert heard == [number]
        os.kill(os.getpid(), other)
        assert heard == [number, other], "what was before is in force again"
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def test_under_nohup_a_closed_terminal_says_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signal() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopped()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_catch_nothing() -> None:
    answers: list[bool] = []

    def job() -> None:
        with stop_on_signal() as stopped:
            answers.append(stopped())

    before = signal.getsignal(signal.SIGINT)
    thread = Thread(target=job)
    thread.start()
    thread.join(10)
    assert answers == [False] and signal.getsignal(signal.SIGINT) is before
