"""Declarations and payloads as vendors write them, and as they write them wrongly: for ``test_reading_oracle``."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any

import attrs
from hypothesis import strategies as st
from properties.cast_oracle import value_of

from sbf_core.dataset.columns import Column
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Csv, Json

#: Payloads of one declaration.
PAYLOADS = 6
#: Records of a payload.
COUNTS = [4, 5, 3, 6, 7, 2, 8, 1, 0]
Draw = st.DrawFn


@attrs.frozen
class Case:
    """A declaration and its payloads, the oldest first."""

    entry: DatasetKeymapEntry
    payloads: tuple[bytes, ...]


def one_in(draw: Draw, count: int) -> bool:
    """True once in ``count`` times."""
    return draw(st.integers(1, count)) == count


def unlike(payloads: Sequence[bytes], more: bytes) -> tuple[bytes, ...]:
    """The payloads, each with bytes of its own: what a series ends with is not kept twice."""
    found: list[bytes] = []
    for payload in payloads:
        while payload in found:
            payload += more
        found.append(payload)
    return tuple(found)


# Texts of values ------------------------------------------------------------------------------------------------------

NUMBERS = [
    "0", "-0", "0.0", ".0", "+7", "007", "5.", ".5", "-.5", "1.10", "2.50", "1e3", "1E5", "1.5E+10", "2.5e-3", "1e-11",
    "1e-40", "1e400000000", "0e999", "-1.5e-310", "4503599627370497.5", "2.99999999999999999", "9007199254740993",
    "9007199254740993.0", "9223372036854775807", "9223372036854775808", "0.30000000000000004", "12345678901.123456",
    "12345678901234567890.12", "0.12345678901234567890", "99.995", "999.99", "1,234", "12,75", "1.234,50", "1.234",
    "1 234", "1'234.5", "12,34,567", "1_000", "0x10", "+-5", "5%", "$5", "(3)", "NaN", "-inf", "n/a", "-", "e5", "1e",
    "twelve", "\u0661", "20240105", "1385579841.8818", "100000.0", "1e22", "-99.99",
]  # fmt: skip
TEXTS = [
    "A", "B", "a", " A", "A ", "\u00a0A", "x y", "", "0", "-0", "1.0", "1.10", "1e5", "100000.0", "null", "NA", "n/a",
    "NaN", "true", "2024-01-05", "{", "[1]", "q'r", "\\", "\\n", "k,v", "k;v", "a|b", "c||d", '"', 'in "quotes"', "\n",
    "two\nlines", "cr\rhere", "\u00e9", "\u20ac", "\U0001f600", "\u2028", "#", "#5", "9007199254740993.0", "\u0000",
]  # fmt: skip
TRUTHS = ["true", "false", "T", "f", "1", "0", "Yes", "no", "TRUE", "FALSE", " y ", "N", "on", "2", ""]
DAYS = [
    "2024-02-29",
    "2023-02-29",
    "2024-01-05",
    "2024-1-5",
    "20240105",
    "2024/01/05",
    "05.01.2024",
    "2024-01-05T00:00:00",
    "0000-01-01",
    "10000-01-01",
    "infinity",
    " 2024-01-06\t",
    "n/a",
]
FRACTIONS = [*[""] * 8, ".5", ".123456", ".1234560", ".123456789", ".1234567891", ".0000000", "."]
OFFSETS = [*[""] * 8, "Z", "Z", "+00:00", "-05:00", "+0530", "+14", "-00:00", "+24:00", " Z", "z", "EST"]
WITH_OFFSET = [*["Z", "+00:00", "-05:00", "+0530", "+14"] * 2, ""]
ZONES = ["", "", "UTC", "America/New_York", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]
DAY_FORMATS = ["%d.%m.%Y", "%Y%m%d", "%d/%m/%y", "%d-%b-%Y", "%Y-%m", "%m/%d/%Y"]
MOMENT_FORMATS = [
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%m/%d/%Y %I:%M %p",
    "%Y-%m-%dT%H:%M:%S%z",
    "%d/%m/%Y %H:%M:%S.%f",
]
CHANGES = [
    dt.datetime(2024, 3, 10, 2),
    dt.datetime(2024, 11, 3, 1),
    dt.datetime(2024, 3, 31, 2),
    dt.datetime(2024, 10, 27, 2),
    dt.datetime(2024, 4, 7, 1, 30),
    dt.datetime(2024, 10, 6, 2),
]
moments = st.one_of(
    st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2037, 12, 31)).map(lambda moment: moment.replace(microsecond=0)),
    st.builds(
        lambda moment, minutes: moment + dt.timedelta(minutes=minutes),
        st.sampled_from(CHANGES),
        st.sampled_from([-90, -31, -1, 0, 1, 29, 45, 75, 120]),
    ),
)
digits = st.from_regex(r"[0-9]{1,20}", fullmatch=True)


def number_text(draw: Draw, column: Column, marks: Csv | Json) -> str:
    """A number, mostly with the declared marks."""
    kind = draw(st.integers(0, 19))
    if kind < 9 or (kind < 15 and column.type == "BIGINT"):
        text = str(draw(st.integers(-50, 3000)))
    elif kind < 15:
        text = f"{draw(st.integers(-99_999, 999_999)) / 100:.2f}"
    elif kind < 18:
        return draw(st.sampled_from(NUMBERS))
    else:
        text = draw(st.sampled_from(["", "", "-", "+"])) + draw(digits)
        text += f".{draw(digits)}" if draw(st.booleans()) else ""
        text += f"e{draw(st.integers(-40, 40))}" if one_in(draw, 4) else ""
    if marks.thousands and draw(st.booleans()):
        whole, point, rest = text.partition(".")
        text = (
            re.sub(r"(?<=[0-9])(?=(?:[0-9]{3})+$)", "_", whole).replace("_", marks.thousands)
            + point.replace(".", marks.decimal)
            + rest
        )
    elif marks.decimal != "." and not one_in(draw, 20):
        text = text.replace(".", marks.decimal)
    return f" {text}\t" if one_in(draw, 12) else text


def day_text(draw: Draw, column: Column) -> str:
    if one_in(draw, 12):
        return draw(st.sampled_from(DAYS))
    if not column.date_format:
        return str(draw(st.dates(dt.date(1600, 1, 1), dt.date(2200, 1, 1))))
    return formatted(draw, column.date_format)


def formatted(draw: Draw, form: str) -> str:
    moment = draw(moments)
    text = moment.strftime(
        form.replace("%z", "").replace("%f", draw(st.sampled_from(["5", "123456", "1234567", "000000000"])))
    )
    if "%z" in form:
        text += draw(st.sampled_from(["Z", "+0530", "-05:00", "+02", "-1130", "", "EST"]))
    if one_in(draw, 4) and form not in ("%Y%m%d", "%Y%m%d%H%M%S"):
        text = re.sub(r"(?<![0-9])0([0-9])(?![0-9])", r"\1", text)
    if one_in(draw, 15):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from("019. -/x")) + text[at + 1 :]
    return text if "0000" not in text[:4] else "2024"


def moment_text(draw: Draw, column: Column) -> str:
    if column.date_format:
        return formatted(draw, column.date_format)
    moment = draw(moments)
    text = f"{moment:%Y-%m-%d}{draw(st.sampled_from('TTTTTTTTT      t'))}{moment:%H:%M}"
    if one_in(draw, 15):
        return draw(st.sampled_from(["2024-02-30T10:00:00Z", "2024-03-09T24:00:00Z", "2024-03-09T09:30:60Z",
                                     "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
                                     "1600-01-01T00:00:00Z", "2024-01-05", "1677-09-21T12:00:00Z",
                                     "2262-04-11T23:47:16.854775807Z", "2262-04-12T00:00:00Z"]))  # fmt: skip
    if not one_in(draw, 6):
        text += f":{moment:%S}{draw(st.sampled_from(FRACTIONS))}"
    return text + draw(st.sampled_from(OFFSETS if column.zone else WITH_OFFSET))


def epoch_text(draw: Draw, column: Column, marks: Csv | Json) -> str:
    if one_in(draw, 10):
        return number_text(draw, column, marks)
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.epoch]
    text = str(draw(st.integers(31_536_000 * scale, 2_100_000_000 * scale)))
    return text + draw(st.sampled_from([*[""] * 9, ".5", ".0", ".8818", "e0", ".123456789123"])).replace(
        ".", marks.decimal
    )


def text_for(draw: Draw, column: Column, marks: Csv | Json) -> str:
    """A text for a column, most of which fit."""
    if column.type == "VARCHAR":
        return draw(st.sampled_from(TEXTS))
    if column.type == "BOOLEAN":
        return draw(st.sampled_from(TRUTHS))
    if column.epoch:
        return epoch_text(draw, column, marks)
    if column.type == "DATE":
        return day_text(draw, column)
    return moment_text(draw, column) if column.type.startswith("TIMESTAMP") else number_text(draw, column, marks)


# Declarations ---------------------------------------------------------------------------------------------------------

TYPES = [
    "VARCHAR",
    "VARCHAR",
    "BIGINT",
    "BIGINT",
    "DECIMAL(18,4)",
    "DECIMAL(38,6)",
    "DECIMAL(5,2)",
    "DECIMAL(38,20)",
    "DOUBLE",
    "DOUBLE",
    "BOOLEAN",
    "DATE",
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP",
    "TIMESTAMP_NS",
]
MISSING = [(), (), (), ("n/a",), ("-99.99", "NA"), ("0", "-")]


def column_of(draw: Draw, number: int, source: str, also: tuple[str, ...] = ()) -> Column:
    """A column, of which the first is of the key."""
    kind = draw(st.sampled_from(TYPES))
    is_key = number == 0 or (number == 1 and one_in(draw, 4))
    facts: dict[str, Any] = {}
    if kind == "VARCHAR":
        facts["trim"] = one_in(draw, 3)
    elif kind in ("DATE", "TIMESTAMP", "TIMESTAMP_NS"):
        how = draw(st.integers(0, 4))
        is_day = kind == "DATE"
        if how == 0:
            facts["epoch"] = draw(st.sampled_from(["s", "ms", "us", "ns"]))
            facts["zone"] = draw(st.sampled_from(ZONES)) if is_day else ""
        elif how < 3 or is_day:
            facts["date_format"] = draw(st.sampled_from(DAY_FORMATS if is_day else MOMENT_FORMATS)) if how < 3 else ""
            facts["zone"] = draw(st.sampled_from(ZONES)) or ("" if is_day else "UTC")
        else:
            facts["zone"] = draw(st.sampled_from(ZONES))
        if facts.get("zone") and not is_day:
            facts["fold"] = draw(st.sampled_from(["", "first", "last"]))
    return Column(
        name=f"c{number}", type=kind, key=is_key, nullable=not is_key and draw(st.booleans()), source=source, also=also,
        optional=one_in(draw, 3), missing=draw(st.sampled_from(MISSING)), **facts,
    )  # fmt: skip


def entry_of(draw: Draw, columns: Sequence[Column], **facts: Any) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="d", source="s", dataset="x", silver_table="t", columns=tuple(columns), drift="tell",
        reject_share_max=draw(st.sampled_from([1.0, 1.0, 1.0, 0.5])),
        on_duplicate=draw(st.sampled_from(["reject", "reject", "first", "last"])),
        is_data=DataRules(may_be_empty=one_in(draw, 4)), **facts,
    )  # fmt: skip


def pools_of(draw: Draw, columns: Sequence[Column], marks: Csv | Json) -> list[list[str]]:
    """For each column of the key a few texts, so that payloads speak of the same rows."""
    return [pool_of(draw, column, marks) if column.key else [] for column in columns]


def pool_of(draw: Draw, column: Column, marks: Csv | Json) -> list[str]:
    """Mostly texts that are values; declarations that fit none of them have what there is."""
    found = [text_for(draw, column, marks) for _ in range(12)]
    good = [text for text in found if value_of(column, text, marks.decimal, marks.thousands)[0] is not None]
    return (good + found)[:8]


def cell(draw: Draw, column: Column, pool: list[str], marks: Csv | Json) -> str:
    return draw(st.sampled_from(pool)) if pool and not one_in(draw, 8) else text_for(draw, column, marks)


# Delimited text -------------------------------------------------------------------------------------------------------

FIELDS = ["a", "V", "v", "b c", "Preis", "x\u00e9", "d.e", "'q'"]
OTHERS = ["", "z", "A", "note"]
ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r"]


def dialect(draw: Draw) -> Csv:
    quote = draw(st.sampled_from(['"', '"', '"', "'", ""]))
    decimal = draw(st.sampled_from([".", ".", ","]))
    thousands = draw(st.sampled_from(["", "", {".": ",", ",": "."}[decimal], "'", " "]))
    return Csv(
        delimiter=draw(st.sampled_from([",", ",", ";", "\t", "|", "||"])), quote=quote,
        escape=draw(st.sampled_from([quote, quote, quote, "\\", ""])) if quote else "",
        comment=draw(st.sampled_from(["", "", "#"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "cp1252", "utf-16"])),
        skip_rows=draw(st.sampled_from([0, 0, 0, 2])), footer_rows=draw(st.sampled_from([0, 0, 0, 1])),
        null=draw(st.sampled_from([(), (), ("NA", "n/a")])), decimal=decimal, thousands=thousands,
    )  # fmt: skip


@st.composite
def text_cases(draw: Draw) -> Case:
    """Delimited text."""
    csv = dialect(draw)
    count = draw(st.integers(1, 5))
    names = draw(st.permutations(FIELDS))
    columns = [
        column_of(draw, number, names[number], (names[5],) if number == 0 and one_in(draw, 3) else ())
        for number in range(count)
    ]
    if one_in(draw, 4):
        csv = attrs.evolve(csv, header=tuple(draw(st.permutations(names[: count + 1]))))
    pools = pools_of(draw, columns, csv)
    payloads = unlike(
        [text_payload(draw, csv, columns, pools) for _ in range(PAYLOADS)],
        "\n".encode("utf-16-le" if csv.encoding == "utf-16" else "ascii"),
    )
    return Case(entry_of(draw, columns, format=csv), payloads)


def text_payload(draw: Draw, csv: Csv, columns: Sequence[Column], pools: list[list[str]]) -> bytes:
    by_name = {column.source: column for column in columns}
    if isinstance(csv.header, tuple):
        names = list(csv.header)
    else:
        names = [column.source for column in columns if not (column.optional and one_in(draw, 4))]
        names += draw(st.lists(st.sampled_from(OTHERS), max_size=2))
        names = list(draw(st.permutations(names)))
        if one_in(draw, 4):
            names = [
                next((other for column in columns if column.source == name for other in column.also), name)
                for name in names
            ]
        if one_in(draw, 30) and names:
            names[0] = draw(st.sampled_from([names[0].swapcase(), names[-1], "gone"]))
    by_name |= {other: column for column in columns for other in column.also}
    end = draw(st.sampled_from(ENDS))
    lines = [draw(st.sampled_from(["Title", "", 'a "b', "x,y"])) for _ in range(csv.skip_rows)]
    if csv.header is True:
        lines.append(line_of(draw, csv, [f" {name}" if one_in(draw, 12) else name for name in names]))
    is_damaged = one_in(draw, 4)
    for _ in range(draw(st.sampled_from(COUNTS))):
        texts = [
            cell(draw, by_name[name], pools[columns.index(by_name[name])], csv)
            if name in by_name
            else draw(st.sampled_from(TEXTS[:12]))
            for name in names
        ]
        if is_damaged and one_in(draw, 3):
            lines.append(damaged(draw, csv, texts, names))
        else:
            lines.append(line_of(draw, csv, texts))
    lines += [draw(st.sampled_from(["Total", "", "sum,1"])) for _ in range(csv.footer_rows)]
    ends = [end if not (is_damaged and one_in(draw, 9)) else draw(st.sampled_from(ENDS)) for _ in lines]
    if ends and one_in(draw, 3):
        ends[-1] = draw(st.sampled_from(["", end * 2]))
    text = "".join(line + stop for line, stop in zip(lines, ends, strict=True))
    if is_damaged and one_in(draw, 4):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(['"', "'", csv.delimiter, "\n", "\0"])) + text[at:]
    mark = "\ufeff" if csv.encoding == "utf-8" and one_in(draw, 8) else ""
    payload = (mark + text).encode(csv.encoding, "replace")
    if one_in(draw, 30):
        at = draw(st.integers(0, len(payload)))
        payload = payload[:at] + b"\xff" + payload[at:]
    return payload


def line_of(draw: Draw, csv: Csv, texts: Sequence[str]) -> str:
    return csv.delimiter.join(field_of(draw, csv, text) for text in texts)


def field_of(draw: Draw, csv: Csv, text: str) -> str:
    """A field as the dialect writes it; what it cannot write is left as it is, or out."""
    needs = (
        csv.delimiter in text
        or "\n" in text
        or "\r" in text
        or (bool(csv.quote) and csv.quote in text)
        or (bool(csv.comment) and text.startswith(csv.comment))
    )
    if not csv.quote:
        return "" if needs and not one_in(draw, 20) else text
    if not needs and not one_in(draw, 5):
        return text
    if not csv.escape and csv.quote in text:
        return ""
    if csv.escape and csv.escape != csv.quote:
        text = text.replace(csv.escape, csv.escape * 2) if draw(st.booleans()) else text
    return csv.quote + (text.replace(csv.quote, csv.escape + csv.quote) if csv.escape else text) + csv.quote


def damaged(draw: Draw, csv: Csv, texts: list[str], names: Sequence[str]) -> str:
    kind = draw(st.integers(0, 7))
    if kind == 0:
        return line_of(draw, csv, texts[:-1])
    if kind == 1:
        return line_of(draw, csv, [*texts, draw(st.sampled_from(["", "x"]))])
    if kind == 2:
        return line_of(draw, csv, names)
    if kind == 3:
        return csv.delimiter.join(texts)
    if kind == 4:
        return draw(st.sampled_from(["", " ", "\t", "# a comment", "#", csv.delimiter]))
    quote = csv.quote or '"'
    at = draw(st.integers(0, max(len(texts) - 1, 0)))
    odd = draw(
        st.sampled_from(
            [
                f"x{quote}y",
                f"{quote}x",
                f"{quote}x{quote}y",
                f"{quote}x\ny",
                f"{quote}x{quote * 2}",
                f"{quote}x\\{quote}",
            ]
        )
    )
    return csv.delimiter.join([*texts[:at], odd, *texts[at + 1 :]])


# JSON -----------------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class Raw(str):
    """JSON as it stands."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object, in which a name may stand twice."""

    def put(self, path: Sequence[str | int], value: Any) -> None:
        """Set a value at a path of names and places of lists."""
        first, rest = path[0], path[1:]
        known = next((inner for name, inner in self if name == first), None)
        if rest and isinstance(known, Pairs):
            known.put(rest, value)
            return
        if rest and isinstance(rest[0], int):
            value = [0, value] if rest[0] != 0 else [value]
        elif rest:
            inner = Pairs()
            inner.put(rest, value)
            value = inner
        self.append((str(first), value))


def written(value: Any, blank: str = "") -> str:
    """JSON text."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return (
            "{" + f",{blank}".join(f"{json.dumps(name)}:{blank}{written(inner, blank)}" for name, inner in value) + "}"
        )
    if isinstance(value, list):
        return "[" + f",{blank}".join(written(inner, blank) for inner in value) + "]"
    return json.dumps(
        value, ensure_ascii=any("\ud800" <= letter <= "\udfff" for letter in value) if isinstance(value, str) else True
    )


ODD = [
    None, None, None, Raw("true"), Raw("false"), [], [Raw("1.50"), "x"], Pairs([("p", Raw("1.50")), ("q", None)]),
    Pairs([("p", 1), ("p", 2)]), Raw("NaN"), Raw("-Infinity"), "\ud800", "\udc00x", Pairs(), [Raw("NaN")], "", Raw("0"),
    Raw("-0"), Raw("-0.0"), Raw("1E400"),
]  # fmt: skip


def json_value(draw: Draw, text: str) -> Any:
    if one_in(draw, 20):
        return draw(st.sampled_from(ODD))
    if _NUMBER.fullmatch(text) and not one_in(draw, 4):
        return Raw(text)
    if text in ("true", "false") and draw(st.booleans()):
        return Raw(text)
    return text


@attrs.frozen
class Shape:
    """A way to hold rows: where, sources of columns with the path at which their values are put, and the document."""

    rows_at: str
    sources: tuple[tuple[str, tuple[str | int, ...]], ...]
    holder: str = "list"
    is_array: bool = False


IN_ROW: tuple[tuple[str, tuple[str | int, ...]], ...] = (
    ("a", ("a",)), ("V", ("V",)), ("b c", ("b c",)), ("@.n.x", ("n", "x")), ("@['q r'].y", ("q r", "y")),
    ("@.l[1]", ("l", 1)), ("@.m[-1]", ("m", -1)), ("x\u00e9", ("x\u00e9",)),
)  # fmt: skip
BESIDE = (("$.meta.m", ()), ("@~", ()))
ARRAY = (*((f"@[{place}]", (place,)) for place in range(4)), ("@[-1]", (4,)))
HEADED = tuple((f"@[$.fields:'{name}']", (place,)) for place, name in enumerate(("a", "V", "v", "b c")))
SHAPES = [
    Shape("", IN_ROW), Shape("", IN_ROW[:3]), Shape("data", IN_ROW), Shape("data.items", (*IN_ROW[:5], *BESIDE)),
    Shape("$.data[*]", (*IN_ROW[:4], *BESIDE)),
    Shape("$.*", (*IN_ROW[:4], ("@~", ())), "named"), Shape("$.d.items.*", (*IN_ROW[:4], *BESIDE), "named"),
    Shape("", ARRAY, is_array=True), Shape("$.data[*]", (*ARRAY[:3], *BESIDE), is_array=True),
    Shape("$.data[*]", (*HEADED, ("$.meta.m", ())), is_array=True),
    Shape("$.acc[*].t[*]", (*IN_ROW[:3], ("@^.id", ()), ("@^~", ()), ("@~", ()))),
    Shape("$.acc.*.t[*]", (*IN_ROW[:3], ("@^.id", ()), ("@^~", ()))),
    Shape("$", (*IN_ROW[:4], ("$.meta.m", ())), "one"),
    Shape("$.ts[*]", (("@", ()), ("$.close[#]", (1,)), ("$.o.open[#]", (2,)), ("@~", ())), "parallel"),
    Shape("$.body![*]", IN_ROW[:4]),
    Shape("$.data[*]", (("a", ("a",)), ("@.p!.x", ("p", "x")), ("@.p!.y", ("p", "y")))),
]  # fmt: skip


@st.composite
def json_cases(draw: Draw) -> Case:
    """JSON documents."""
    shape = draw(st.sampled_from(SHAPES))
    chosen = draw(st.permutations(shape.sources))[: draw(st.integers(1, min(5, len(shape.sources))))]
    has_other = one_in(draw, 4) and not shape.is_array and shape.holder == "list"
    columns = [
        column_of(draw, number, source, ("other",) if number == 0 and has_other else ())
        for number, (source, _) in enumerate(chosen)
    ]
    decimal = draw(st.sampled_from([".", ".", ".", ","]))
    form = Json(decimal=decimal, thousands=draw(st.sampled_from(["", "", {".": ",", ",": "."}[decimal]])))
    pools = pools_of(draw, columns, form)
    paths = [path for _, path in chosen]
    payloads = unlike([json_payload(draw, shape, columns, paths, pools, form) for _ in range(PAYLOADS)], b"\n")
    return Case(entry_of(draw, columns, format=form, rows_at=shape.rows_at), payloads)


def json_payload(
    draw: Draw,
    shape: Shape,
    columns: Sequence[Column],
    paths: Sequence[tuple[str | int, ...]],
    pools: list[list[str]],
    form: Json,
) -> bytes:
    is_odd = one_in(draw, 4)
    quiet = one_in(draw, 3)
    table = []
    for _ in range(1 if shape.holder == "one" else draw(st.sampled_from(COUNTS))):
        texts = [cell(draw, column, pool, form) for column, pool in zip(columns, pools, strict=True)]
        table.append(texts if quiet else [json_value(draw, text) for text in texts])
    if shape.holder == "parallel":
        document: Any = parallel(draw, columns, table)
    else:
        rows = [row_of(draw, shape, columns, paths, values, is_odd) for values in table]
        document = document_of(draw, shape, columns, rows, table[0] if table else [], is_odd)
    text = written(document, draw(st.sampled_from(["", "", " ", "\n  "])))
    if is_odd and one_in(draw, 8):
        at = draw(st.integers(0, len(text)))
        text = draw(
            st.sampled_from([text[:at], text + " ]", text + "{}", text[:at] + "," + text[at:], "", "null", "[]", "{}"])
        )
    return (draw(st.sampled_from(["", "", "", "\ufeff", "\n "])) + text).encode()


def row_of(
    draw: Draw,
    shape: Shape,
    columns: Sequence[Column],
    paths: Sequence[tuple[str | int, ...]],
    values: list[Any],
    is_odd: bool,
) -> Any:
    if is_odd and one_in(draw, 12):
        return draw(st.sampled_from([None, Raw("1"), "x", [], Pairs()]))
    if shape.is_array:
        row: list[Any] = [Raw("0")] * (4 if shape.sources[0][0].startswith("@[$") else 5)
        for path, value in zip(paths, values, strict=True):
            if path:
                row[int(path[0]) if int(path[0]) < len(row) else -1] = value
        return row[:-1] if is_odd and one_in(draw, 10) else row
    made = Pairs([("other field", "x")] if draw(st.booleans()) else [])
    inner = Pairs()
    for column, path, value in zip(columns, paths, values, strict=True):
        if not path or (is_odd and one_in(draw, 10)):
            continue
        if path[0] == "p":
            inner.put(path[1:], value)
        else:
            made.put(["other"] if column.also and one_in(draw, 3) else path, value)
            if is_odd and one_in(draw, 20):
                made.append((str(path[0]), value))
    if inner:
        made.append(("p", written(inner) if not one_in(draw, 10) else draw(st.sampled_from([None, "{", inner]))))
    return Pairs(draw(st.permutations(made))) if one_in(draw, 4) else made


def document_of(
    draw: Draw, shape: Shape, columns: Sequence[Column], rows: list[Any], values: list[Any], is_odd: bool
) -> Any:
    """What holds the rows, and what stands beside them."""
    meta = next(
        (
            value
            for column, value in zip(columns, values, strict=False)
            if not column.source.startswith(("a", "V", "b"))
        ),
        "m",
    )
    top = Pairs([("meta", Pairs([("m", meta)])), ("n", Raw("1"))])
    if is_odd and one_in(draw, 10):
        top.append(("n", Raw("2")))
    names = [
        str(draw(st.sampled_from(["K", "BRK.B", "5", "x y"])))
        + (str(number) if not (is_odd and one_in(draw, 6)) else "")
        for number in range(len(rows))
    ]
    held: Any = Pairs(zip(names, rows, strict=True)) if shape.holder == "named" else rows
    if shape.holder == "one":
        if not isinstance(rows[0], Pairs):
            return rows[0]
        return Pairs([*rows[0], *top[:1]])
    if shape.rows_at in ("", "$.*"):
        return held
    if "acc" in shape.rows_at:
        cut = draw(st.integers(0, len(rows)))
        accounts = [
            Pairs([("id", meta), ("t", rows[:cut])]),
            Pairs([("id", draw(st.sampled_from(["x", Raw("7"), None]))), ("t", rows[cut:])]),
        ]
        if is_odd and one_in(draw, 4):
            accounts.append(Pairs([("id", "none")]))
        return Pairs(
            [
                (
                    "acc",
                    accounts
                    if "[*].t" in shape.rows_at
                    else Pairs([(f"P{number}", one) for number, one in enumerate(accounts)]),
                )
            ]
        )
    if "!" in shape.rows_at:
        return Pairs([("body", written(held))])
    inside, name = {"data.items": (("data",), "items"), "$.d.items.*": (("d",), "items")}.get(
        shape.rows_at, ((), "data")
    )
    if is_odd and one_in(draw, 12):
        held = draw(st.sampled_from([None, "down", Raw("0"), Pairs([("message", "down")])]))
    last = Pairs([(name, held)])
    if is_odd and one_in(draw, 20):
        last.append((name, held))
    if shape.sources[0][0].startswith("@[$"):
        top.append(("fields", ["a", "V", "v", "b c"]))
    return (
        Pairs([*top, *([(inside[0], last)] if inside else last)])
        if draw(st.booleans()) or shape.is_array
        else Pairs([*([(inside[0], last)] if inside else last), *top])
    )


def parallel(draw: Draw, columns: Sequence[Column], table: list[list[Any]]) -> Pairs:
    """Lists beside each other."""
    lists: dict[str, list[Any]] = {
        "@": [Raw(str(number)) for number in range(len(table))],
        "$.close[#]": [],
        "$.o.open[#]": [],
    }
    for place, column in enumerate(columns):
        if column.source in lists:
            lists[column.source] = [values[place] for values in table]
    if one_in(draw, 12) and lists["$.close[#]"]:
        lists["$.close[#]"].pop()
    return Pairs([("ts", lists["@"]), ("close", lists["$.close[#]"]), ("o", Pairs([("open", lists["$.o.open[#]"])]))])
