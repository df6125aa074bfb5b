"""Results to stdout: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import datetime as dt
import json
import numbers
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.errors import UsageError, printable
from sbf_core.secret import redacted


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return printable(str(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


def _exact_text(value: Any) -> str:
    """Every digit, as SQL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value.hex() if isinstance(value, bytes) else printable(str(value))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, exact: bool = False) -> None:
    """A table: drawn on a terminal, aligned text in a pipe.

    Numbers stand to the right. ``exact``: with all of their digits.
    """
    shown = _exact_text if exact else _text
    right = [any(_is_number(row[place]) for row in rows) for place in range(len(headers))]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(show_edge=False, pad_edge=False, header_style="bold")
        for header, numeric in zip(headers, right, strict=True):
            drawn.add_column(header, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*(Text(shown(value)) for value in row))
        Console().print(drawn)
        return
    cells = [[printable(header) for header in headers], *([shown(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(headers))]
    for row in cells:
        padded = (
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(row, widths, right, strict=True)
        )
        print("  ".join(padded).rstrip())


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return str(value)


def print_json(kind: str, **content: Any) -> None:
    """One JSON object with its kind and version, e.g. ``{"schema": "sbf.plan/1", ...}``;
    in ASCII where stdout is no UTF-8.
    """
    is_utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(redacted(json.dumps({"schema": f"sbf.{kind}/1", **content}, default=_plain, ensure_ascii=not is_utf_8)))


def print_csv(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """CSV with a header line, quoted as PostgreSQL's COPY does: NULL is empty, an empty text is ``""``. A boolean is
    ``true`` or ``false``.

    Raises:
        UsageError: it holds a letter that the encoding of stdout has not.
    """
    text = "".join(",".join(map(_csv_cell, row)) + "\n" for row in (headers, *rows))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        what = f"the encoding of the output, {error.encoding}, has no {letter!a}"
        raise UsageError(what, fix="set PYTHONIOENCODING=utf-8, or use --format json", code="ENCODING") from None
    sys.stdout.write(text)


def _csv_cell(value: Any) -> str:
    """A field as RFC 4180 says. The csv module of Python 3.11 cannot write NULL and an empty text apart."""
    if value is None or isinstance(value, bool):
        return _exact_text(value)
    text = str(value) if _is_number(value) else _plain(value)
    is_quoted = not text or any(letter in text for letter in ',"\r\n')
    return '"{}"'.format(text.replace('"', '""')) if is_quoted else text


def as_records(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Mapping[str, Any]]:
    """Rows as mappings, for JSON."""
    return [dict(zip(headers, row, strict=True)) for row in rows]


def tell(text: str) -> None:
    """A line for the user that is no result: to stderr."""
    print(redacted(text), file=sys.stderr)
