"""The dialect of delimited samples: what is inferred is written, what is not sure is marked,
and the sample is read whole by what was written.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from recorded import FOLDER, entries, payload

from sbf_core.dataset.formats import Csv
from sbf_core.errors import UsageError
from sbf_core.scaffold.code import plugin_text
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.proposal import Proposal, Sampled, Words

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
Load = Callable[[Proposal], list[dict[str, Any]]]


def proposed(content: bytes | str, **asked: Any) -> Proposal:
    sample = Sampled(payload=content.encode() if isinstance(content, str) else content, fetched_at=NOW)
    return propose(Words(name="mine"), sample, template=None, where="here", **asked)


def table(
    delimiter: str = ",",
    *,
    count: int = 25,
    number: str = "{}.{:02d}5",
    above: str = "",
    below: str = "",
    end: str = "\n",
) -> str:
    lines = [delimiter.join(("day", "place", "amount"))]
    lines += [
        delimiter.join((str(dt.date(2024, 1, 1) + dt.timedelta(days=day)), "Zürich", number.format(day + 1000, day)))
        for day in range(count)
    ]
    return above + end.join(lines) + end + below


def dialect(proposal: Proposal) -> dict[str, Any]:
    """What differs from the defaults of ``Csv``."""
    if proposal.found.format is None:
        return {}
    assert isinstance(proposal.found.format, Csv)
    return {
        name: getattr(proposal.found.format, name)
        for name in Csv.__slots__
        if hasattr(Csv(), name) and getattr(proposal.found.format, name) != getattr(Csv(), name)
    }


def has_doubt(proposal: Proposal, words: str) -> bool:
    return any(words in doubt for doubt in proposal.doubts)


@pytest.mark.parametrize(
    ("content", "declared", "doubt"),
    [
        (table(), {}, ""),
        (table().encode("utf-8-sig"), {}, ""),
        (table(end="\r\n"), {}, ""),
        (table(";"), {"delimiter": ";"}, ""),
        (table("|"), {"delimiter": "|"}, ""),
        (table(";", number="{},{:02d}5"), {"delimiter": ";", "decimal": ","}, ""),
        (table(";", number="1.{},{:02d}5").replace("1.1", "1."), {"delimiter": ";", "decimal": ",", "thousands": "."},
         ""),
        (table("\t", number="{},{:02d}5"), {"delimiter": "\t", "decimal": ","}, ""),
        (table(";", number="{}'000.{:02d}").replace("10", "1"), {"delimiter": ";", "thousands": "'"}, ""),
        (table().encode("cp1252"), {"encoding": "cp1252"}, "format: no UTF-8; taken as cp1252, where byte 30 reads"),
        (table().encode("utf-16"), {"encoding": "utf-16"}, ""),
        (table().encode("utf-16-le"), {"encoding": "utf-16-le"}, "format: utf-16-le without a byte order mark"),
        (table(above="A bank's rates\nin euro, daily\n\n"), {"skip_rows": 3},
         "format: 3 lines above the header are left out"),
        (table(below="\nSource: a bank\n"), {"footer_rows": 1}, "format: 1 line below the rows left out"),
        (table(below="Created: 2024,,\n"), {"footer_rows": 1}, "format: 1 line below the rows left out"),
        (table(above="# made by a bank\n"), {"comment": "#"}, "format: lines that begin with # are taken as comments"),
        (table(below="# end, it is\n"), {"comment": "#"}, "format: lines that begin with # are taken as comments"),
        (table().partition("\n")[2], {"header": ("field_1", "field_2", "field_3")},
         "format: there is no line of names"),
        (table().replace("place", "day"), {"header": ("day", "day_2", "amount"), "skip_rows": 1},
         "format: the header names 'day' twice"),
        (table().replace("place", ""), {"header": ("day", "field", "amount"), "skip_rows": 1},
         "format: the header has a field without a name"),
        (table().replace("Zürich", '"Zürich, ""ZH"""'), {}, ""),
        (table().replace("Zürich", '"Zürich \\" ZH"'), {"escape": "\\"},
         "format: a backslash is taken as the escape of a quote"),
        (table().replace("Zürich", 'Zürich 3" ZH'), {"quote": "", "escape": ""},
         "format: quotes are taken as letters like any other"),
        (table().replace("Zürich", "'Zürich, ZH'"), {"quote": "'", "escape": "'"}, "format: ' is taken as the quote"),
        ("a,b;c\n" + "".join(f"k{row},x{row};y{row}\n" for row in range(25)), {},
         "format: the delimiter ';' would fit, too"),
    ],
)  # fmt: skip
def test_a_dialect_is_inferred_and_written(
    content: bytes | str, declared: dict[str, Any], doubt: str, loaded: Load
) -> None:
    proposal = proposed(content)
    expected = {} if declared == {"delimiter": "\t"} else declared
    assert dialect(proposal) == expected
    assert [said for said in proposal.found.doubts if doubt not in said or not doubt] == []
    assert not doubt or has_doubt(proposal, doubt)
    rows = loaded(proposal)
    assert len(rows) == len(proposal.found.rows)
    text = plugin_text(proposal)
    assert ("format=Csv(" in text) == bool(expected)
    assert not doubt or f"# unsure: {doubt}" in text


def test_numbers_are_what_the_vendor_meant(loaded: Load) -> None:
    for content, wanted in (
        (table(";", number="1.{},{:02d}5").replace("1.1", "1."), Decimal("1000.005")),
        (table(";", number="{},{:02d}5"), Decimal("1000.005")),
        (table(), Decimal("1000.005")),
    ):
        rows = loaded(proposed(content))
        assert rows[0]["amount"] == wanted, content
        assert rows[0]["place"] == "Zürich"


def test_one_reading_holds_for_all_numbers_of_a_file(loaded: Load) -> None:
    """A column that could be read either way is read as the others are, and then it is no doubt."""
    lines = [f"2024-01-{day:02d};1.{day:03d};{day},5" for day in range(1, 26)]
    proposal = proposed("day;volume;price\n" + "\n".join(lines))
    assert dialect(proposal) == {"delimiter": ";", "decimal": ",", "thousands": "."}
    assert loaded(proposal)[0] == {"day": dt.date(2024, 1, 1), "volume": 1001, "price": Decimal("1.5")}
    assert not has_doubt(proposal, "it would be")
    alone = proposed("day;volume\n" + "\n".join(line.rpartition(";")[0] for line in lines))
    assert has_doubt(alone, "volume: 1.001 is taken as 1.001; with decimal=',', thousands='.' it would be 1001")


def test_words_for_no_value_of_many_columns_are_those_of_the_file(loaded: Load) -> None:
    lines = [
        f"2024-01-{day:02d},{day}.5,{'N/A' if day == 3 else day},"
        f"{'N/A' if day == 4 else day},{'N/A' if day == 5 else day},A{day}"
        for day in range(1, 26)
    ]
    proposal = proposed("day,a,b,c,d,e\n" + "\n".join(lines))
    assert dialect(proposal) == {"null": ("N/A",)}
    assert "missing=" not in plugin_text(proposal)
    assert loaded(proposal)[2]["b"] is None
    quoted = proposed("day,a,b,c,d,e\n" + "\n".join(lines).replace("N/A", '"N/A"'))  # a word in quotes is a text
    assert dialect(quoted) == {}
    assert loaded(quoted)[2]["b"] is None


def test_times_say_their_zone_or_the_doubt(loaded: Load) -> None:
    lines = ["opened_at,local,made,seen,text"] + [
        f"{1704067200 + day * 3600},2024-01-{day:02d} 10:00,{1704067200000 + day},"
        f"2024-01-{day:02d}T10:00:00.123456789Z,01/{day:02d}/2024 3:05 PM"
        for day in range(1, 26)
    ]
    proposal = proposed("\n".join(lines), key=("opened_at",))
    by_name = {column.name: column for column in proposal.columns}
    assert (by_name["opened_at"].epoch, by_name["made"].epoch) == ("s", "ms")
    assert by_name["local"].zone == "UTC" and 'no zone is written: zone="UTC" is a guess' in by_name["local"].doubts
    assert (by_name["seen"].resolution, by_name["seen"].zone) == ("ns", "")
    assert by_name["text"].date_format == "%m/%d/%Y %I:%M %p"
    row = loaded(proposal)[0]
    assert row["opened_at"] == dt.datetime(2024, 1, 1, 1)
    assert row["made"] == dt.datetime(2024, 1, 1, 0, 0, 0, 1000)
    assert row["text"] == dt.datetime(2024, 1, 1, 15, 5)
    text = plugin_text(proposal)
    assert 'epoch="s")  # unsure: taken as s since 1970: 2024-01-01 01:00:00 UTC' in text
    assert 'resolution="ns"' in text


def test_what_only_looks_like_a_time_is_a_number() -> None:
    lines = [f"2024-01-{day:02d},{1704067200 + day * 7919 % 1000},{day}" for day in range(1, 26)]
    assert [column.python for column in proposed("day,volume,n\n" + "\n".join(lines)).columns] == [
        "dt.date",
        "int",
        "int",
    ]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_packed_samples_are_looked_into(loaded: Load) -> None:
    content = table().encode()
    rows = json.dumps([{"day": f"2024-01-{day:02d}", "amount": day + 0.5} for day in range(1, 26)]).encode()
    for packed, extension, member, more in (
        (gzip.compress(content), "csv.gz", "", {}),
        (gzip.compress(content[:50]) + gzip.compress(content[50:]), "csv.gz", "", {}),
        (gzip.compress(rows), "json.gz", "", {}),
        (zipped({"rates.csv": content}), "zip", "*.csv", {}),
        (zipped({"rates.csv": table("|").encode(), "readme.txt": b"No."}), "zip", "*.csv", {"delimiter": "|"}),
        (zipped({"rates.json": rows}), "zip", "*.json", {}),
        (zipped({"rates.tsv": table("\t").encode()}), "zip", "*.tsv", {}),
        (zipped({"rates.txt": table("\t").encode()}), "zip", "*.txt", {"delimiter": "\t"}),
        (zipped({"rates.TXT": content}), "zip", "*.TXT", None),
    ):
        proposal = proposed(packed)
        assert (proposal.extension, proposal.found.member) == (extension, member)
        assert (None if dialect(proposal) == {} and proposal.found.format else dialect(proposal)) == more
        assert len(loaded(proposal)) == 25
    two = proposed(zipped({"notes.csv": b"a,b\n1,2\n", "rates.csv": content}))
    assert two.found.member == "rates.csv"
    assert two.doubts[0] == "member: rates.csv is the largest of 2 files of the zip that may be data"
    assert 'member="rates.csv",' in plugin_text(two)


def test_a_line_that_was_cut_is_no_footer() -> None:
    with pytest.raises(UsageError, match="line 27 has 2 fields, the header has 3"):
        proposed(table() + "2024-02-01,Zür")
    with pytest.raises(UsageError, match="line 40 has another number of fields"):
        proposed(table(count=60).replace("2024-02-08,", "2024-02-08,,"))


REAL = {
    "iso10383": ({"encoding": "cp1252"}, ["mic"], "format: no UTF-8; taken as cp1252"),
    "nasdaqtrader.nasdaqlisted": ({"delimiter": "|"}, ["symbol"], ""),
    "nasdaqtrader.otherlisted": (
        {"delimiter": "|", "footer_rows": 1},
        ["act_symbol"],
        "format: 1 line below the rows left out",
    ),
    "aemo": ({"skip_rows": 1, "footer_rows": 1}, ["regionid", "interval_datetime"], "format: 1 line"),
    "eskom": ({}, ["date_time_hour_beginning"], 'no zone is written: zone="UTC" is a guess'),
    "cftc.deacot": (
        {"null": (".",)},
        ["as_of_date_in_form_yyyy_mm_dd", "cftc_contract_market_code"],
        "'.' taken as no value",
    ),
    "nse.EQUITY_L": ({}, ["symbol"], ""),
    "statcan.fullTable": ({}, [], ""),
    "ME_Breakpoints": ({}, [], "format: there is no line of names"),
}


@pytest.mark.parametrize("vendor", REAL)
def test_what_vendors_send(vendor: str, loaded: Load) -> None:
    declared, key, doubt = REAL[vendor]
    folder = FOLDER.parent / "recorded2"
    if not folder.exists():
        pytest.skip("the recorded payloads of vendors are not here; they are not shipped with the project")
    listed = [json.loads(line) for line in (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()]
    row = next(row for row in listed if vendor in row["file"])
    content = (folder / row["file"]).read_bytes()
    proposal = proposed(gzip.decompress(content) if row["file_compression"] == "gzip" else content)
    if declared:
        assert dialect(proposal) == declared
    if key:
        assert [column.name for column in proposal.columns if column.key] == key
    assert not doubt or has_doubt(proposal, doubt)
    assert len(loaded(proposal)) == len(proposal.found.rows)


@pytest.mark.parametrize("vendor", ["quandl", "cb-boe", "cb-nb", "treasury", "alphavantage"])
def test_what_other_vendors_send(vendor: str, loaded: Load) -> None:
    for row in entries(vendor=vendor):
        if row["file"].endswith((".csv", ".csv.gz", ".zip")):
            proposal = proposed(payload(row))
            if proposal.wide is None:  # else its hook makes the rows
                assert len(loaded(proposal)) == len(proposal.found.rows)


def test_padded_texts_of_the_bureau_of_labor_statistics(loaded: Load) -> None:
    """Form of ``download.bls.gov/pub/time.series``: tabs, and blanks to a width, in the header as well."""
    lines = ["series_id        \tyear\tperiod\t       value\tfootnote_codes"]
    lines += [
        f"CUSR0000SA0      \t{year}\tM{month:02d}\t{year / 10 + month:12.3f}\t"
        for year in range(2000, 2010)
        for month in range(1, 13)
    ]
    proposal = proposed("\r\n".join(lines) + "\r\n")
    assert proposal.extension == "tsv"
    assert dialect(proposal) == {"delimiter": "\t"} or proposal.found.format is None
    series = next(column for column in proposal.columns if column.name == "series_id")
    assert series.trim and not series.doubts
    assert loaded(proposal)[0] == {
        "series_id": "CUSR0000SA0",
        "year": 2000,
        "period": "M01",
        "value": Decimal("201.000"),
    }
