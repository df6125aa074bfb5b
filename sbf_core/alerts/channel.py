"""Channels: mail, chats and web hooks, by the library Apprise."""

from __future__ import annotations

import logging
import warnings
from typing import Any, Protocol, Self

from sbf_core.alerts.message import Message
from sbf_core.errors import UsageError
from sbf_core.secret import Secret, redacted

_REASON_CHARACTERS_MAX = 300


class Channel(Protocol):
    """Takes messages."""

    def send(self, message: Message) -> str:
        """Send a message; why that failed, empty where it did not."""
        ...


def channel_to(address: Secret, *, name: str) -> Channel:
    """The channel of an address.

    Args:
        address: as Apprise writes it, e.g. ``mailtos://user:password@example.com``.
        name: of the key that holds it.

    Raises:
        UsageError: Apprise is not installed, or does not know such an address.
    """
    return _Apprise(address, name)


class NoChannel:
    """In the place of one that cannot be opened.

    Args:
        why: the reason, which each message fails with.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    def send(self, message: Message) -> str:
        """See ``Channel``."""
        del message
        return self._why


class _Apprise:
    def __init__(self, address: Secret, name: str) -> None:
        try:
            import apprise
        except ImportError:
            raise UsageError("alerts need a library", fix='pip install "sbf[alerts]"', code="LIBRARY_MISSING") from None
        self._library: Any = apprise
        self._channel = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))  # no threads that outlast it
        with _Said() as said, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it imports what Python 3.13 no longer has, if there
            is_known = self._channel.add(address.reveal())
        if not is_known or len(self._channel) != 1:
            why = f": {said.text}" if said.text else ""
            raise UsageError(
                f"the key {name} holds no address of one channel{why}",
                fix="write it as in https://appriseit.com/services/, e.g. mailtos://user:password@example.com",
                code="ALERT",
            )
        for each in self._channel:
            for secret in (each.password, each.user):
                if secret:
                    Secret(secret)  # a server may repeat it

    def send(self, message: Message) -> str:
        kinds = self._library.NotifyType
        with _Said() as said:
            is_sent = self._channel.notify(
                title=message.title,
                body=message.body,
                notify_type=kinds.SUCCESS if message.is_good else kinds.WARNING,
                body_format=self._library.NotifyFormat.TEXT,  # else mail takes what stands between < and > for marks
            )
        return "" if is_sent else said.text or "the channel did not take it"


class _Said(logging.Handler):
    """What the library says while something is done: it answers with no more than yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: list[str] = []
        self._logger = logging.getLogger("apprise")

    @property
    def text(self) -> str:
        """The last of it, without keys."""
        text = redacted(" ".join(self._lines[-1:]))
        return text if len(text) <= _REASON_CHARACTERS_MAX else text[: _REASON_CHARACTERS_MAX - 3] + "..."

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._lines.append(" ".join(record.getMessage().split()))

    def __enter__(self) -> Self:
        self._before = self._logger.propagate
        self._logger.propagate = False
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._before
