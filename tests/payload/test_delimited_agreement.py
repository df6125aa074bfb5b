"""Both ways in give the same rows: the engine wherever the look says that a payload is regular, and Python.

More examples by hand: ``HYPOTHESIS_EXAMPLES=20000 pytest tests/payload/test_delimited_agreement.py``.
"""

from __future__ import annotations

import os

import attrs
import pytest
from delimited_reading import Bench, reading_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbf_core.dataset.formats import Csv
from sbf_core.errors import PayloadRefused
from sbf_core.payload import delimited_shape, text

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "100"))
NAMES = ("a", "bb", "c c", "Preis", "x\u00e9")
PIECES = [
    "",
    "1",
    "a",
    "bb",
    "NA",
    " ",
    '"',
    '""',
    "'",
    "\\",
    '\\"',
    ",",
    ";",
    "\t",
    "|",
    "#",
    "\n",
    "\r",
    "\r\n",
    "\u00e9",
    "\u2028",
    "\x85",
    "\x0b",
    "0",
    "n/a",
]
WELL = [
    piece for piece in PIECES if piece not in ('"', '""', '\\"', "\\", "\n", "\r", "\r\n", ",", ";", "\t", "|", "#")
]
ENDS = ["\n", "\n", "\n", "\r\n", "\r\n", "\r"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(folder=tmp_path_factory.mktemp("delimited"))


@st.composite
def dialects(draw: st.DrawFn) -> Csv:
    quote = draw(st.sampled_from(['"', '"', '"', "'", ""]))
    escape = draw(st.sampled_from([quote, quote, quote, "\\", ""]))
    return Csv(
        delimiter=draw(st.sampled_from([",", ",", ";", "\t", "|", " ", "||"])),
        quote=quote,
        escape=escape if quote else "",
        comment=draw(st.sampled_from(["", "", "#"])),
        skip_rows=draw(st.sampled_from([0, 0, 0, 1, 2])),
        footer_rows=draw(st.sampled_from([0, 0, 0, 1])),
        null=draw(st.sampled_from([(), (), ("NA",), ("NA", "n/a")])),
    )


@st.composite
def payloads(draw: st.DrawFn) -> tuple[Csv, tuple[str, ...], bytes, bool]:
    """A dialect, names, a text in it, and whether it is meant to be well formed."""
    dialect = draw(dialects())
    names = NAMES[: draw(st.integers(1, 5))]
    is_well = draw(st.booleans())
    end = draw(st.sampled_from(ENDS))
    pieces = st.sampled_from(PIECES if (dialect.quote and dialect.escape == dialect.quote) or not is_well else WELL)
    plain = st.lists(st.sampled_from(WELL), max_size=3).map("".join)
    anything = st.lists(pieces, max_size=3).map("".join)

    def field(value: str) -> str:
        if not dialect.quote:
            return value
        is_needed = any(mark in value for mark in (dialect.delimiter, dialect.quote, "\n", "\r"))
        if is_needed or draw(st.integers(0, 3)) == 0:
            escaped = value.replace(dialect.quote, dialect.escape + dialect.quote) if dialect.escape else value
            return dialect.quote + escaped + dialect.quote
        return value

    def line(count: int) -> str:
        values = [draw(anything if dialect.quote else plain) for _ in range(count)]
        return dialect.delimiter.join(field(value) if is_well or draw(st.booleans()) else value for value in values)

    lines = [draw(plain) for _ in range(dialect.skip_rows)]
    if draw(st.integers(0, 3)):
        lines.append(dialect.delimiter.join(field(name) for name in names))
    else:
        dialect = attrs.evolve(dialect, header=names)
    for _ in range(draw(st.integers(0, 5))):
        is_odd = not is_well and draw(st.integers(0, 4)) == 0
        lines.append(line(draw(st.integers(1, 6))) if is_odd else line(len(names)))
    lines += [draw(plain) for _ in range(dialect.footer_rows)]
    lines = lines or [""]
    ends = [end if is_well or draw(st.integers(0, 9)) else draw(st.sampled_from(ENDS)) for _ in lines]
    if draw(st.booleans()):
        ends[-1] = draw(st.sampled_from(["", end + end]))
    content = "".join(one + stop for one, stop in zip(lines, ends, strict=True))
    mark = draw(st.sampled_from(["", "", "", "\ufeff"]))
    odd = "" if is_well else draw(st.sampled_from(["", "", "", "\0", '"']))
    at = draw(st.integers(0, len(content)))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-16-be", "gb18030"]))
    dialect = attrs.evolve(dialect, encoding=encoding)
    return dialect, names, (mark + content[:at] + odd + content[at:]).encode(encoding), is_well


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(given_payload=payloads(), wanted=st.sets(st.integers(0, 4)), piece=st.sampled_from([0, 0, 9, 40]))
def test_the_engine_and_python_read_the_same(
    bench: Bench, given_payload: tuple[Csv, tuple[str, ...], bytes, bool], wanted: set[int], piece: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if piece:  # as large files are looked at: mapped, and in pieces
            patch.setattr(delimited_shape, "_PIECE_BYTES", piece)
            patch.setattr(text, "IN_MEMORY_BYTES_MAX", 10)
        agree(bench, given_payload, wanted, in_memory=not piece)


def agree(
    bench: Bench, given_payload: tuple[Csv, tuple[str, ...], bytes, bool], wanted: set[int], *, in_memory: bool
) -> None:
    dialect, names, content, _ = given_payload
    reading = reading_of(dialect, [name for place, name in enumerate(names) if place in wanted] or [names[0]])
    file = bench.file(content)
    try:
        look = bench.look(reading, file, in_memory=in_memory)
    except PayloadRefused:
        with pytest.raises(PayloadRefused):
            bench.records(reading, file)
        return
    if not look.is_regular:
        return
    records = bench.records(reading, file)
    assert all(not record.fault for record in records)
    assert look.record_count == len(records)
    assert bench.selected(reading, [look]) == [(file.file_id, *record.values) for record in records]
