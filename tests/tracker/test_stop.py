"""Signals: a question to whoever asks, once; then they do what they always did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from threading import Thread
from types import SimpleNamespace

import pytest

from engines.installation import environment
from tracker.stop import SIGNALS, apart, ask_to_stop, on_signal, stop_on_signal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_a_wish_and_the_second_acts(number: signal.Signals) -> None:
    """The other signal is still only a wish: who starts jobs may send both."""
    heard: list[int] = []
    own = signal.signal(number, signal.SIG_DFL)  # 'nohup' has SIGHUP ignored
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
        signal.signal(number, own)


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


def test_a_child_apart_is_asked_and_ends_by_itself() -> None:
    """As the labeller stops a training."""
    code = (
        "import time\nfrom tracker.stop import stop_on_signal\n"
        "with stop_on_signal() as stopped:\n    print('ready', flush=True)\n"
        "    while not stopped(): time.sleep(0.01)\n"
        "raise SystemExit(130)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment(), **apart()
    )
    assert child.stdout is not None and child.stdout.readline().strip() == b"ready"
    assert os.getsid(child.pid) == child.pid, "it has a session of its own"
    ask_to_stop(child)
    assert child.wait(30) == 130
    child.stdout.close()


def test_on_windows_a_child_gets_ctrl_break_in_a_group_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(signal, "CTRL_BREAK_EVENT", 1, raising=False)
    assert apart() == {"creationflags": 0x200}
    ask_to_stop(SimpleNamespace(send_signal=sent.append))  # type: ignore[arg-type]
    assert sent == [1]
