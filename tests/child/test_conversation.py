"""A process of ours that is asked and answers: in pieces, not at all, too late, or with half of a message."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hang import HANG_SECONDS

from sbf_core.child.conversation import Conversation, ProcessOver, ProcessSilent
from sbf_core.child.group import ChildProcess

HEAD = "import os, sys, time\nfrom sbf_core.child.messages import framed, receive, send\n"
Talk = Callable[[str], Conversation]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    """Begins a conversation with a process that runs some code."""
    begun = []

    def begin(code: str) -> Conversation:
        (tmp_path / "other_side.py").write_text(HEAD + code)
        path = os.pathsep.join([str(tmp_path), *sys.path])
        environment = {**os.environ, "PYTHONPATH": path}
        begun.append(Conversation(ChildProcess("other_side", environment=environment, output=lambda _: None)))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()
        one.drain()


ECHO = "while True:\n    send(sys.stdout.buffer, receive(sys.stdin.buffer))\n"


def test_messages_come_back_whole_whatever_is_in_them(talk: Talk) -> None:
    echo = talk(ECHO)
    for content in (b"", b"\n", b"x" * (1 << 21), bytes(range(256))):
        echo.say(content, seconds_max=HANG_SECONDS)
        assert echo.hear(seconds_max=HANG_SECONDS) == content
    assert not echo.has_ended()


def test_a_message_that_comes_in_pieces_is_one(talk: Talk) -> None:
    slow = talk(
        "for one in framed(b'ab'):\n    os.write(1, bytes([one]))\n    time.sleep(0.01)\nreceive(sys.stdin.buffer)\n"
    )
    assert slow.hear(seconds_max=HANG_SECONDS) == b"ab"


def test_who_does_not_answer_in_time_is_ended(talk: Talk) -> None:
    silent = talk("time.sleep(3600)\n")
    began = time.monotonic()
    with pytest.raises(ProcessSilent):
        silent.hear(seconds_max=0.2)
    assert time.monotonic() - began < HANG_SECONDS
    assert silent.has_ended()
    with pytest.raises(ProcessOver):
        silent.hear(seconds_max=HANG_SECONDS)


def test_who_does_not_read_in_time_is_ended(talk: Talk) -> None:
    with pytest.raises(ProcessSilent):
        talk("time.sleep(3600)\n").say(b"x" * (1 << 22), seconds_max=0.2)


@pytest.mark.parametrize("last", ["framed(b'whole')[:-1]", "framed(b'')[:3]", "b''"])
def test_half_a_message_is_none_and_the_exit_code_is_told(talk: Talk, last: str) -> None:
    over = talk(f"os.write(1, framed(b'first') + {last})\nsys.exit(7)\n")
    assert over.hear(seconds_max=HANG_SECONDS) == b"first"
    for _ in range(2):
        with pytest.raises(ProcessOver) as raised:
            over.hear(seconds_max=HANG_SECONDS)
        assert raised.value.code == 7
    with pytest.raises(ProcessOver):
        over.say(b"x", seconds_max=HANG_SECONDS)


def test_a_length_that_is_a_lie_costs_time_and_no_memory(talk: Talk) -> None:
    liar = talk("os.write(1, (1 << 60).to_bytes(8, 'big'))\ntime.sleep(3600)\n")
    with pytest.raises(ProcessSilent):
        liar.hear(seconds_max=0.2)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_is_told_as_a_code_below_zero(talk: Talk) -> None:
    with pytest.raises(ProcessOver) as raised:
        talk("os.kill(os.getpid(), 9)\n").hear(seconds_max=HANG_SECONDS)
    assert raised.value.code == -signal.SIGKILL
