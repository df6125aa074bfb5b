"""A new plugin without a payload to begin with: an example of its kind, to be filled in."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sbf_core.errors import UsageError, nearest
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.proposal import KINDS, Proposal, Sampled, Words
from sbf_core.scaffold.row_search import FoundRows

_DAY = dt.date(2024, 3, 1)
_AMOUNTS = ("4.2", "0.7", "1.9", "0.3", "2.6")
_COLUMNS = (
    GuessedColumn(
        name="day", source="day", python="dt.date", nullable=False, key=True, row_date=True, example=str(_DAY)
    ),
    GuessedColumn(name="place", source="place", python="str", nullable=False, key=True, example="Kew"),
    GuessedColumn(
        name="amount", source="amount", python="Decimal", nullable=True, precision=18, scale=4, example="4.2"
    ),
)


def example(kind: str, words: Words, *, now: dt.datetime) -> Proposal:
    """An example with a sample of two vintages, of which the second corrects a value of the first.

    Raises:
        UsageError: the kind is not known.
    """
    if kind not in KINDS:
        raise UsageError(
            f"there is no kind {kind!r}",
            where="--kind",
            fix=nearest(kind, KINDS) or "use rest, csv or custom",
            code="KIND",
        )
    template = None
    if kind != "csv":
        days = "?from={from_date}&to={to_date}" if kind == "rest" else ""
        last = _DAY + dt.timedelta(days=len(_AMOUNTS) - 1)
        template = Template(
            url=f"https://api.example.com/{words.name}{days}",
            from_date=_DAY,
            to_date=last,
            doubts=("the address of an example",),
        )
    first, second = _rows(""), _rows("5.2")
    extension = {"rest": "json", "csv": "csv", "custom": "txt"}[kind]
    samples = tuple(
        Sampled(payload=_payload(extension, rows), fetched_at=now + dt.timedelta(hours=hours))
        for rows, hours in ((first, -24), (second, 0))
    )
    return Proposal(
        words=words,
        kind=kind,
        template=template,
        found=FoundRows(extension=extension, rows=tuple(second)),
        columns=_COLUMNS,
        samples=samples,
    )


def _rows(corrected: str) -> list[dict[str, Any]]:
    amounts = [corrected or _AMOUNTS[0], *_AMOUNTS[1:]]
    return [
        {"day": str(_DAY + dt.timedelta(days=number)), "place": "Kew", "amount": amount}
        for number, amount in enumerate(amounts)
    ]


def _payload(extension: str, rows: list[dict[str, Any]]) -> bytes:
    if extension == "json":
        return json.dumps([{**row, "amount": float(row["amount"])} for row in rows], indent=1).encode()
    mark = "," if extension == "csv" else "|"
    return "\n".join([mark.join(rows[0]), *(mark.join(row.values()) for row in rows)]).encode() + b"\n"
