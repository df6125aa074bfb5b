r"""Formats of payloads, as declared on a dataset: nothing of them is ever sniffed.

``DatasetKeymapEntry(format=Csv(delimiter=";", decimal=","))``. Without one the extension says it: ``json`` is
``Json()``, ``csv`` and ``csv.gz`` are
``Csv()``, ``tsv`` is ``Csv(delimiter="\t")``, ``parquet`` is ``Parquet()``. How each is read is told in
``sbf_core/payload``, one module a format.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import ClassVar

import attrs

from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts


def _names(value: bool | Iterable[str]) -> bool | tuple[str, ...]:
    return value if isinstance(value, bool) else texts(value)


def check_encoding(encoding: str) -> None:
    """Raise ``UsageError`` for an encoding that Python does not know as one of texts."""
    try:
        known = codecs.lookup(encoding)
        "".encode(known.name)
    except (LookupError, ValueError):
        known = None
    if known is None:
        raise UsageError(
            f"encoding {encoding!r} is not known",
            fix="write a name such as utf-8, latin-1, cp1252 or utf-16",
            code="FORMAT",
        )


def check_marks(decimal: str, thousands: str) -> None:
    """Raise ``UsageError`` unless the marks within numbers can be told apart."""
    if decimal not in (".", ","):
        raise UsageError(f"decimal {decimal!r} is not known", fix="use '.' or ','", code="FORMAT")
    if thousands not in ("", ".", ",", "'", " ", "_", "\u00a0", "\u202f", "\u2019") or thousands == decimal:
        raise UsageError(
            f"thousands {thousands!r} is not known, or the same as decimal",
            fix="use one of . , ' _ and blanks, or leave it out",
            code="FORMAT",
        )


@attrs.frozen(kw_only=True)
class Json(Value):
    """JSON, one value a payload (RFC 8259). Two things more are borne, as the engine does: a comma before a closing
    bracket, and ``NaN`` and its kin in the place of a number, which is no value of any column.

    Attributes:
        decimal, thousands: marks of numbers that stand as texts; numbers of JSON always have a point.
    """

    kind: ClassVar[str] = "json"
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class Csv(Value):
    """Delimited text. The defaults are RFC 4180 with a comma, and nothing else.

    An empty field is no value, in quotes or not. Blanks around a field belong to it. LF, CR LF and CR each end a line.
    Lines that are empty, or
    hold nothing but blanks, are no rows; in a file of one field an empty line is a row without a value, unless only
    such lines follow. A row with
    another number of fields than the header is rejected, with the number of its line.

    Attributes:
        delimiter: between fields: one character, or several such as ``||``. Files with several are read by Python,
            ten times slower.
        quote: around fields that hold delimiters, quotes or line breaks; empty: a quote is a letter like any other.
            Within a field that does
            not begin with it, and behind one that ends with it, it rejects the row.
        escape: before a quote within quotes: the quote itself (doubled), or another character such as a backslash,
            which also stands before
            itself and is a letter elsewhere; empty: no quote can stand within quotes.
        comment: lines that begin with it, outside of quotes, are no rows; empty: there are none.
        encoding: Python's name of the encoding, e.g. ``utf-8``, ``cp1252``. A byte that is none of it refuses the
            payload. A byte order mark is
            taken off; one of another encoding refuses the payload, and so does its absence where ``utf-16`` or
            ``utf-32`` leave the order open.
        header: whether the first line (behind ``skip_rows``) names the fields; or, for a file without such a line,
            the names. Blanks around a
            name mean nothing. A row that repeats the names is rejected.
        skip_rows: lines above the header.
        footer_rows: lines below the last row, blank ones and comments not counted.
        null: unquoted texts that mean "no value" in every column, beside each column's own ``missing``.
        decimal, thousands: marks in numbers.
    """

    kind: ClassVar[str] = "csv"
    delimiter: str = ","
    quote: str = '"'
    escape: str = attrs.field(default=attrs.Factory(lambda self: self.quote, takes_self=True))
    comment: str = ""
    encoding: str = "utf-8"
    header: bool | tuple[str, ...] = attrs.field(default=True, converter=_names)
    skip_rows: int = 0
    footer_rows: int = 0
    null: tuple[str, ...] = attrs.field(default=(), converter=texts)
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        marks = (self.quote or "\n", "\r", "\n", "\0")
        if (
            not 1 <= len(self.delimiter) <= 8
            or any(mark in self.delimiter for mark in marks)
            or len(self.quote) > 1
            or self.quote in ("\r", "\n", "\0")
        ):
            raise UsageError(
                f"delimiter {self.delimiter!r} and quote {self.quote!r} cannot be told apart",
                fix="Csv(delimiter=';')",
                code="FORMAT",
            )
        if not (self.quote + self.comment).isascii():
            raise UsageError(
                f"quote {self.quote!r} and comment {self.comment!r} must be ASCII",
                fix="use '\"' or \"'\"",
                code="FORMAT",
            )
        if (
            len(self.escape) > 1
            or not self.escape.isascii()
            or self.escape in ("\r", "\n", "\0")
            or (self.escape and self.escape in self.delimiter)
        ):
            raise UsageError(
                f"escape {self.escape!r} is no single character of its own",
                fix="use the quote itself, or a backslash",
                code="FORMAT",
            )
        if len(self.comment) > 1 or (
            self.comment and (self.comment in (self.quote, "\r", "\n", "\0") or self.delimiter.startswith(self.comment))
        ):
            raise UsageError(
                f"comment {self.comment!r} is no single character of its own", fix="Csv(comment='#')", code="FORMAT"
            )
        if self.header is False:
            raise UsageError(
                "a file without a header needs names for its fields",
                fix='header=("date", "open", "close")',
                code="FORMAT",
            )
        if self.skip_rows < 0 or self.footer_rows < 0:
            raise UsageError("skip_rows and footer_rows cannot be negative", code="FORMAT")
        check_encoding(self.encoding)
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class Parquet(Value):
    """Parquet: fields have types of their own, which must fit the declared ones."""

    kind: ClassVar[str] = "parquet"
    decimal: ClassVar[str] = "."
    thousands: ClassVar[str] = ""
