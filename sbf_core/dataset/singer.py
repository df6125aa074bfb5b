"""A Singer tap as a source, and its messages as a format
(https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import attrs

from sbf_core.dataset.cursor import Cursor
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

_PLACE = re.compile(r"\{(ticker|discriminator|each\.[a-z][a-z0-9_]*)\}")


@attrs.frozen(kw_only=True)
class Singer(Value):
    """Messages of a Singer tap, one a line: each RECORD of a stream is a row; of all others none is.

    Sources of columns are paths from the record, as in JSON: ``id``, ``@.user.name``; from the message with ``$``:
    ``$.time_extracted``.

    Attributes:
        stream: whose records are wanted; empty: of the only one that has any.
    """

    kind: ClassVar[str] = "singer"
    decimal: ClassVar[str] = "."
    thousands: ClassVar[str] = ""
    stream: str = ""


@attrs.frozen(kw_only=True)
class SingerRecipe(Value):
    """An installed Singer tap, run once a request; its messages are kept as they came. Where it says its state, the
    next run goes on there.

    Attributes:
        command: the program and its arguments, e.g. ``("tap-github",)``; looked for in ``PATH``. A tap has an
            environment of its own; say there where that is: ``("/opt/tap-github/bin/tap-github",)``.
        stream: the stream that is wanted; no other is selected.
        config: the configuration of the tap, as JSON has it. In a text of it ``{ticker}``, ``{discriminator}`` and
            ``{each.NAME}`` stand for what a request is for: so the tap runs once for each ticker, and goes on for each
            where it stopped. No other brace means anything.
        secrets: fields of it whose value is a key, by the names of keys: ``{"access_token": "GITHUB_TOKEN"}``.
        discover: ask the tap for its catalog first, and select the stream in it. False: it is run without one.
        goes_on: the state that the tap said last is given to the next run, so that it brings what is new. False: each
            run brings everything.
        replication_key: the field by which the tap goes on, of a tap that leaves this to the catalog.
        deadline_seconds: the time for one run of it.
        mebibytes_max: the most that it may write.
        memory_mebibytes: the most memory that its process may use, where the system can limit it.
    """

    command: tuple[str, ...] = attrs.field(converter=texts)
    stream: str
    config: Mapping[str, Any] = attrs.field(factory=dict)
    secrets: Mapping[str, str] = attrs.field(factory=dict)
    discover: bool = True
    goes_on: bool = True
    replication_key: str = ""
    deadline_seconds: float = 3600.0
    mebibytes_max: int = 512
    memory_mebibytes: int = 4096

    #: A tap is no server: it is asked once at a time.
    connections: ClassVar[int] = 1
    extension: ClassVar[str] = "jsonl"

    def __attrs_post_init__(self) -> None:
        what = fix = ""
        if not self.command or not all(self.command) or not self.stream:
            what, fix = (
                "the tap has no command, or no stream",
                'SingerRecipe(command=("tap-github",), stream="commits")',
            )
        elif set(self.config) & set(self.secrets):
            what, fix = f"{min(set(self.config) & set(self.secrets))!r} is in config and a secret", "say it once"
        elif not all(isinstance(name, str) and name for name in self.secrets.values()):
            what, fix = "secrets are names of keys", 'secrets={"access_token": "GITHUB_TOKEN"}'
        elif self.replication_key and not self.discover:
            what, fix = "replication_key stands in the catalog, and discover is False", "leave one of them out"
        elif min(self.deadline_seconds, self.mebibytes_max, self.memory_mebibytes) <= 0:
            what, fix = "deadline_seconds, mebibytes_max and memory_mebibytes must be above zero", "leave them out"
        else:
            try:
                json.dumps(self.config, allow_nan=False)
            except (TypeError, ValueError) as error:
                what, fix = f"config is no JSON: {error}", 'config={"repository": "org/name"}'
        if what:
            raise UsageError(what, where=self.stream, fix=fix, code="RECIPE")

    @property
    def format(self) -> Singer:
        """How its payloads are read."""
        return Singer(stream=self.stream)

    @property
    def cursor(self) -> Cursor | None:
        """Where the next run goes on: at the state that the last one said."""
        return Cursor(by="token", at="STATE") if self.goes_on else None

    @property
    def path(self) -> str:
        """The program."""
        return self.command[0]

    @property
    def named(self) -> frozenset[str]:
        """The placeholders in its configuration."""
        return frozenset(_names_in(self.config))

    def filled(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The configuration of one request, by what stands for each placeholder."""
        filled: dict[str, Any] = _filled(dict(self.config), values)
        return filled

    def address(self, state: str, values: Mapping[str, str]) -> str:
        """How a request is called in journal, ledger and recordings: the tap, what it is asked, and from where on."""
        config = json.dumps(self.filled(values), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return f"TAP {' '.join(self.command)} {self.stream} {config} {state}".rstrip()


def _names_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACE.findall(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _names_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _names_in(one)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACE.sub(lambda match: values[match[1]], value)
    if isinstance(value, Mapping):
        return {name: _filled(one, values) for name, one in value.items()}
    return [_filled(one, values) for one in value] if isinstance(value, (list, tuple)) else value
