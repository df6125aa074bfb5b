"""How long a connection may take: for its headers, for its body, and for taking its answer.

uvicorn limits only the time between two requests of a connection. Whoever sends half a request, or does not take its
answer, would keep the connection, and what serves it, for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from sbf_core.value import Value

_LATE = b"The request did not come in time.\n"


@attrs.frozen(kw_only=True)
class ConnectionLimits(Value):
    """Limits of one connection, in seconds.

    Attributes:
        header_seconds: from the connection, or from the first byte of a later request, until the last byte of its
            headers.
        body_seconds: from there until the last byte of a body, which no page reads.
        answer_seconds: in which a client takes nothing of an answer that waits for it.
        leave_seconds: for answers that are on their way when the pages end.
    """

    header_seconds: float = 10.0
    body_seconds: float = 10.0
    answer_seconds: float = 60.0
    leave_seconds: float = 2.0


class LimitedProtocol(H11Protocol):
    """One connection; it is closed when one of its limits is over, and half a request is answered with 408."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaited = ""
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._left = 0
        self._leaving: asyncio.TimerHandle | None = None

    # uvicorn's own signature
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first headers."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limits."""
        for timer in (self._late, self._unread, self._leaving):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes of a request."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the client to take this answer."""
        super().on_response_complete()
        self._look()
        self._look_whether_taken()

    def pause_writing(self) -> None:
        """More waits for the client than it takes."""
        super().pause_writing()
        self._look_whether_taken()

    def shutdown(self) -> None:
        """The pages end; an answer that is on its way has a moment left."""
        super().shutdown()
        self._leaving = self.loop.call_later(self.limits.leave_seconds, self.transport.abort)

    def _look(self) -> None:
        """Begin a limit where another part of a request is awaited now; one that runs goes on,
        whatever trickles in meanwhile.
        """
        awaited = self._awaited_part()
        if awaited == self._awaited:
            return
        self._awaited = awaited
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if awaited:
            seconds = self.limits.header_seconds if awaited == "headers" else self.limits.body_seconds
            self._late = self.loop.call_later(seconds, self._give_up)

    def _awaited_part(self) -> str:
        if self.transport.is_closing():
            return ""
        if self.conn.their_state is h11.SEND_BODY:
            return "body"
        has_begun = self.cycle is None or bool(
            self.conn.trailing_data[0]
        )  # between two requests, uvicorn's own limit holds
        return "headers" if self.conn.their_state is h11.IDLE and has_begun else ""

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        if self._awaited == "headers" and self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            headers = [
                ("content-type", "text/plain; charset=utf-8"),
                ("content-length", str(len(_LATE))),
                ("connection", "close"),
            ]
            for event in (
                h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"),
                h11.Data(data=_LATE),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._look_whether_taken()

    def _look_whether_taken(self) -> None:
        """Begin to wait for the client to take what lies ready for it."""
        self._left = self.transport.get_write_buffer_size()
        if self._left and self._unread is None:
            self._unread = self.loop.call_later(self.limits.answer_seconds, self._was_anything_taken)

    def _was_anything_taken(self) -> None:
        self._unread = None
        left = self.transport.get_write_buffer_size()
        if left and left >= self._left:
            self.transport.abort()
        else:
            self._look_whether_taken()

    def resume_writing(self) -> None:
        """The client took something."""
        super().resume_writing()
        self._left = self.transport.get_write_buffer_size() + 1


def limited_protocol(limits: ConnectionLimits) -> type[LimitedProtocol]:
    """The protocol with limits of its own."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})
