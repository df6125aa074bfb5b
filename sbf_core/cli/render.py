"""Results to stdout: tables for people, JSON and CSV for programs. Lines that are no results to stderr."""

from __future__ import annotations

import datetime as dt
import json
import numbers
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import attrs

from sbf_core.errors import UsageError, printable
from sbf_core.failures import Failure
from sbf_core.secret import redacted
from sbf_core.shell_words import home_option, of_home, told_of_home
from sbf_core.value import Entity


@attrs.define
class _Answer(Entity):
    """How the command line wants to be answered.

    Attributes:
        home: the option that names the home, as it was given; a command that a person is told to type needs it.
        wants_json: a program asks, which gets one object, whatever becomes of the command.
        is_given: it has got one.
    """

    home: str = ""
    wants_json: bool = False
    is_given: bool = False


_answer = _Answer()


def answer_to(words: Sequence[str]) -> None:
    """Remember of a command line how it is answered. Call it before anything is printed."""
    given = words[: words.index("--")] if "--" in words else words
    folder = _value_of("--home", given)
    _answer.home = home_option(folder) if folder else ""
    _answer.wants_json = "--json" in given or _value_of("--format", given) == "json"


def _value_of(option: str, words: Sequence[str]) -> str:
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == option:
            return value if equals else next(iter(words[place + 1 :]), "")
    return ""


def reaching(text: str) -> str:
    """A sentence for a person: each command in it, between backticks, reaches the home of this command line.

    Homes are named here and nowhere before: what the ledger keeps and what programs get is true wherever the home is.
    """
    return told_of_home(text, _answer.home)


def command(text: str) -> str:
    """A command for a person to type, which reaches the home of this command line."""
    return of_home(text, _answer.home)


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
    _answer.is_given = True


def print_error(failure: Failure, *, code: str, exit_code: int) -> None:
    """Why there is no result, for a program that asks for JSON; nothing where it has got its object."""
    if _answer.wants_json and not _answer.is_given:
        with suppress(OSError):  # nobody hears it
            print_json("error", error={**failure.as_dict(), "code": code, "exit_code": exit_code})


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


def say(text: str) -> None:
    """A line of the result that names commands: to stdout."""
    print(reaching(text))


def tell(text: str) -> None:
    """A line for the user that is no result: to stderr."""
    print(redacted(reaching(text)), file=sys.stderr, flush=True)
