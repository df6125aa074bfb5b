"""What becomes of each spelling in each type: the casts are run,
and docs/reference/casts.md is written from what they answer.

Run ``python tests/silver/cast_table.py`` after a change of the casts; a test says whether the page is current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv
from sbf_core.silver.cast import UNCLEAR, checked_select, plain_select
from sbf_core.vocabulary import OnDuplicate

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "casts.md"
POINT = Csv()
COMMA = Csv(delimiter=";", decimal=",")
DOTTED = Csv(delimiter=";", decimal=",", thousands=".")
COMMA_GROUPS = Csv(thousands=",", delimiter=";")


def connect() -> duckdb.DuckDBPyConnection:
    """An engine as sbf opens it, as far as casts are concerned."""
    conn = duckdb.connect()
    conn.execute("SET TimeZone = 'UTC'")
    return conn


def select_of(
    columns: Sequence[Column], source: str, types: dict[str, str], *, marks: Csv = POINT, moments_are_utc: bool = False
) -> str:
    """``checked_select`` of columns that need no dataset."""
    return checked_select(_declared(columns), source, types, marks=marks, moments_are_utc=moments_are_utc)


def _declared(columns: Sequence[Column]) -> Any:
    return SimpleNamespace(columns=tuple(columns), on_duplicate=OnDuplicate.REJECT)


def cast(
    conn: duckdb.DuckDBPyConnection,
    column: Column,
    values: Sequence[Any],
    *,
    of: str = "VARCHAR",
    marks: Csv = POINT,
    moments_are_utc: bool = False,
) -> list[tuple[str | None, str | None]]:
    """Per value its result as text and its reason without the column's name, in the order of the values.

    ``plain_select`` is asked, too: it must give the same value, or say that it does not know.

    Args:
        conn: an engine.
        column: what the values become.
        values: texts, or SQL expressions where ``of`` is another type than VARCHAR.
        of: the type that the field has.
        marks: those of numbers.
        moments_are_utc: as for ``checked_select``.
    """
    if of == "VARCHAR":
        conn.execute(
            "CREATE OR REPLACE TEMP TABLE given AS SELECT unnest(CAST(? AS VARCHAR[])) AS f0, unnest(range(?)) AS n",
            [list(values), len(values)],
        )
    else:
        rows = " UNION ALL ".join(f"SELECT CAST({value} AS {of}), {n}" for n, value in enumerate(values))
        conn.execute(f"CREATE OR REPLACE TEMP TABLE given(f0, n) AS {rows}")
    source = (
        "(SELECT CAST(n AS VARCHAR) AS _file, CAST(NULL AS VARCHAR) AS _place, "
        "CAST(NULL AS VARCHAR) AS _fault, CAST(NULL AS VARCHAR) AS _raw, f0 "
        "FROM given)"
    )
    sql = select_of([column], source, {"f0": of}, marks=marks, moments_are_utc=moments_are_utc)
    found = _outcomes(conn, column, sql)
    assert [row[0] for row in found] == list(range(len(values)))
    if not moments_are_utc:
        plain = _outcomes(conn, column, plain_select(_declared([column]), source, {"f0": of}, marks=marks))
        assert [row for row in plain if row[2] != UNCLEAR and row not in found] == []
    return [(value, reason.removesuffix(f":{column.name}") if reason else None) for _, value, reason in found]


def _outcomes(conn: duckdb.DuckDBPyConnection, column: Column, sql: str) -> list[tuple[int, str | None, str | None]]:
    return conn.execute(
        f'SELECT CAST(d._file AS BIGINT), CAST(d."{column.name}" AS VARCHAR), d._reason FROM ({sql}) AS d ORDER BY 1'
    ).fetchall()


def column_of(kind: str, **facts: Any) -> Column:
    """A column ``v`` that may be NULL."""
    return Column(name="v", type=kind, nullable=True, **facts)


NUMBERS = ("12", "-3.50", "+7", ".5", "5.", "007", "12.0", "1e3", "1.5E+10", "2.5e-3", "1e-11", "1e-40", "1e400000000",
           "0e999", "-0", "0.30000000000000004", "9007199254740993.0", "9223372036854775807", "9223372036854775808",
           "1,234", "12,75", "1.234,50", "1 234", "1_000", "0x10", "+-5", "5%", "$5", "(3)", "NaN", "-inf",
           "twelve")  # fmt: skip
MARKED = ("1.234,56", "1234,56", "1.234", "12.34", "1.23.456", "12,5", "1,234", "1,234.56")
MOMENTS = ("2024-03-09T09:30:00Z", "2024-03-09 09:30:00-05:00", "2024-03-09T09:30+0530", "2024-03-09T09:30:00",
           "2024-03-09 09:30", "2024-03-10T02:30:00", "2024-11-03T01:30:00", "2024-03-09T09:30:00.123456Z",
           "2024-03-09T09:30:00.123456789Z", "2024-03-09T09:30:00.1234567891Z", "2024-03-09", "2024-02-30T10:00:00Z",
           "2024-03-09T24:00:00Z", "2024-03-09T09:30:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
           "1600-01-01T00:00:00Z")  # fmt: skip
DAYS = (
    "2024-02-29",
    "2023-02-29",
    "2024-2-9",
    "20240209",
    "24-02-29",
    "2024-02-29T10:00:00",
    "0000-01-01",
    "10000-01-01",
    "infinity",
)
COUNTS = ("1385579841", "1385579841.8818", "1385579841.88181234", "1.385579841e9", "-1", "253402300800", "soon")


def _asked() -> Iterable[tuple[str, str, Column, Csv, Sequence[str]]]:
    """Type, declaration, column, marks and texts of each part of the table."""
    for kind in ("BIGINT", "DECIMAL(18,6)", "DOUBLE"):
        yield kind, "", column_of(kind), POINT, NUMBERS
    yield "DECIMAL(18,6)", "decimal=','", column_of("DECIMAL(18,6)"), COMMA, MARKED
    yield "DECIMAL(18,6)", "decimal=',', thousands='.'", column_of("DECIMAL(18,6)"), DOTTED, MARKED
    yield "DECIMAL(18,6)", "thousands=','", column_of("DECIMAL(18,6)"), COMMA_GROUPS, MARKED
    yield "BOOLEAN", "", column_of("BOOLEAN"), POINT, ("true", "F", "Yes", "0", "on", "2")
    yield "DATE", "", column_of("DATE"), POINT, DAYS
    for form, texts in (
        ("%d.%m.%Y", ("29.02.2024", "1.2.2024", "31.12.24", "29.02.2023", "2024-02-29")),
        ("%d%m%y", ("010269", "010268", "1269")),
        ("%d-%b-%Y", ("06-OCT-2008", "6-oct-2008", "06-October-2008")),
        ("%a, %d %b %Y", ("Mon, 01 Jan 2024", "Tue, 01 Jan 2024")),
        ("%Y-%j", ("2024-366", "2023-366")),
    ):
        yield "DATE", f"date_format='{form}'", column_of("DATE", date_format=form), POINT, texts
    for unit in ("s", "ms"):
        yield "DATE", f"epoch='{unit}'", column_of("DATE", epoch=unit), POINT, COUNTS
    yield "TIMESTAMP", "", column_of("TIMESTAMP"), POINT, MOMENTS
    yield "TIMESTAMP", "zone='America/New_York'", column_of("TIMESTAMP", zone="America/New_York"), POINT, MOMENTS
    for fold in ("first", "last"):
        yield (
            "TIMESTAMP",
            f"zone='America/New_York', fold='{fold}'",
            column_of("TIMESTAMP", zone="America/New_York", fold=fold),
            POINT,
            MOMENTS[5:7],
        )
    yield "TIMESTAMP_NS", "zone='UTC'", column_of("TIMESTAMP_NS", zone="UTC"), POINT, MOMENTS
    form = "%m/%d/%Y %I:%M %p"
    texts = ("3/9/2024 12:05 AM", "03/09/2024 4:00 pm", "3/9/2024 16:00 PM")
    yield (
        "TIMESTAMP",
        f"date_format='{form}', zone='UTC'",
        column_of("TIMESTAMP", date_format=form, zone="UTC"),
        POINT,
        texts,
    )
    form, texts = (
        "%d/%m/%Y %H:%M:%S.%f %z",
        ("09/03/2024 23:30:00.5 -0500", "09/03/2024 23:30:00.1234567 Z", "09/03/2024 23:30:00.5 EST"),
    )
    yield "TIMESTAMP", f"date_format='{form}'", column_of("TIMESTAMP", date_format=form), POINT, texts
    for unit in ("s", "ms", "us", "ns"):
        yield "TIMESTAMP", f"epoch='{unit}'", column_of("TIMESTAMP", epoch=unit), POINT, COUNTS
    yield "VARCHAR", "", column_of("VARCHAR"), POINT, (" padded ", "1.10", "")
    yield "VARCHAR", "trim=True", column_of("VARCHAR", trim=True), POINT, (" padded ", "  ")
    yield "VARCHAR", "missing=('N/A',)", column_of("VARCHAR", missing=("N/A",)), POINT, ("N/A", " N/A")


def casts_table() -> list[tuple[str, str, str, str]]:
    """Type, declaration, text and outcome: a value, ``no value``, or ``rejected:`` and the kind.
    The casts are run for it.
    """
    conn = connect()
    rows = []
    for kind, declaration, column, marks, texts in _asked():
        for text, (value, reason) in zip(texts, cast(conn, column, texts, marks=marks), strict=True):
            outcome = f"rejected: {reason}" if reason else "no value" if value is None else value
            rows.append((kind, declaration, text, outcome))
    return rows


def casts_page() -> str:
    """The reference page."""
    parts = [_HEAD]
    heading = None
    for kind, declaration, text, outcome in casts_table():
        if heading != (kind, declaration):
            heading = (kind, declaration)
            parts.append(
                f"\n## {kind}"
                + (f", `{declaration}`" if declaration else "")
                + "\n\n| text | outcome |\n| --- | --- |\n"
            )
        shown = f"`{outcome}`" if not outcome.startswith(("rejected", "no value")) else outcome
        parts.append(f"| {_code(text)} | {shown if outcome else 'the empty text'} |\n")
    return "".join(parts)


def _code(text: str) -> str:
    return f"`{text}`" if text.strip() == text and text else f'`"{text}"`'


_HEAD = """\
<!-- Made from the casts by tests/silver/cast_table.py. Do not edit. -->

# From text to types

What becomes of a text in a column of each type, run by the tests that this page is written from. A value is exact or it is none: what a type cannot hold
to the last digit rejects its row, with the kind that stands here and the column's name, e.g. `too_precise:amount`. One such value costs one row.

Blanks around numbers, dates and truth values mean nothing, and where nothing is left there is no value. Around texts they are kept unless `trim=True`.

- Numbers are written `12`, `-1.5`, `.5` or `1.5E+10`, with any number of digits. A comma, or a mark between thousands, is declared with the format
  (`Csv(decimal=",", thousands=".")`). DOUBLE is the nearest double of the text.
- Moments are ISO 8601: day, `T` or a blank, hours and minutes, seconds with a fraction, offset. Without an offset the column needs its `zone`. Silver holds UTC.
- A `date_format` says everything about a text: `%Y` is four digits, `%y` two (69 to 99 are 1969 to 1999), `%d %m %H %M %S %I` one or two, and two where
  other digits stand beside them. What the format lacks is its beginning: `%Y-%m` is the first of a month.
- `epoch` counts since 1970-01-01 00:00 UTC.

| kind | meaning |
| --- | --- |
| `unparsable` | no text of this type, or not as declared |
| `not_an_integer` | a number, but no whole one |
| `too_precise` | more digits than the column holds |
| `out_of_range` | larger than the column holds; a moment outside the years 1 to 9999 (TIMESTAMP_NS: 1677 to 2262) |
| `not_finite` | NaN, an infinity, or too large for a DOUBLE |
| `decimal_comma`, `decimal_point`, `thousands_mark` | a number with a mark that is not declared |
| `no_zone` | a moment without an offset, in a column without a zone |
| `skipped_hour` | no clock of the zone showed this time |
| `repeated_hour` | clocks of the zone showed it twice, and no `fold` says which is meant |
| `missing`, `missing_key` | no value, in a column that needs one |
"""  # noqa: E501


if __name__ == "__main__":
    PAGE.write_text(casts_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written\n")
