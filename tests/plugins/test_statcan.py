"""A table of Statistics Canada as it came (Open Licence), and tables made in its form where it has no such cells."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded import NOW, Recording, payload, second_entries

from sbf_core.api import UsageError
from sbf_core.testing.suite import conformance
from sbf_plugins.statcan import plugin

TABLE = "18100204"
DATASET = f"macro/statcan/table_{TABLE}"
OPTIONS = f'[options.statcan]\ntables = ["{TABLE}"]\n'
HEADER = (
    '"REF_DATE","GEO","DGUID","Index","UOM","UOM_ID","SCALAR_FACTOR","SCALAR_ID","VECTOR","COORDINATE",'
    '"VALUE","STATUS","SYMBOL","TERMINATED","DECIMALS"'
)


def recorded() -> bytes:
    return payload(second_entries(endpoint="statcan.fullTable.csv")[0])


def zipped(*lines: str, header: str = HEADER) -> bytes:
    """A zip as it comes: the table with a mark of its encoding, and its description."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{TABLE}.csv", "\ufeff" + "\n".join([header, *lines, ""]))
        archive.writestr(f"{TABLE}_MetaData.csv", '\ufeff"Cube Title"\n"x"\n\n"Dimension ID"\n1\n')
    return packed.getvalue()


def cell(
    day: str, value: str, *, coordinate: str = "1.1", scalar: tuple[str, int] = ("units ", 0), status: str = ""
) -> str:
    word, power = scalar
    return (
        f'"{day}","Canada","2016A000011124","All, ""total""","Dollars","81","{word}","{power}","v1","{coordinate}",'
        f'"{value}","{status}","","","1"'
    )


def test_every_cell_of_the_table(tmp_path: Path) -> None:
    """11,804 cells, 32 of them without a value and with x; the mark of the encoding is no part of the first name."""
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add(DATASET, recorded(), extension="zip")
    context = recording.run()
    assert context.errors == []
    with zipfile.ZipFile(io.BytesIO(recorded())) as archive:
        text = archive.read(f"{TABLE}.csv").decode("utf-8-sig")
    told = {(row["REF_DATE"], row["COORDINATE"]): row for row in csv.DictReader(io.StringIO(text))}
    assert (context.rows_seen, context.rows_inserted, context.rows_rejected) == (len(told), 11_804, 0)
    found = recording.ask(
        "SELECT ref_date, coordinate, vector, geo, dimensions->>'Index', value, uom, scalar, scalar_factor, decimals, "
        f"status FROM silver.statcan_{TABLE}"
    )
    assert {row[:2]: row[2:] for row in found} == {
        key: (
            row["VECTOR"], row["GEO"], row["Index"], Decimal(row["VALUE"]) if row["VALUE"] else None,
            "Index, 2014=100", 0, "units", 1, row["STATUS"] or None,
        )
        for key, row in told.items()
    }  # fmt: skip
    gold = "SELECT count(*), min(period_begin), count(DISTINCT series) FROM gold.fact_statcan"
    assert recording.ask(gold) == [(11_804 - 32, dt.date(1981, 1, 1), 26)]


def test_values_are_read_with_their_factor(tmp_path: Path) -> None:
    """Gold has units, exactly; silver what was written. 1.1 and 1.10 are two places."""
    recording = Recording(tmp_path, options=OPTIONS)
    thousands, billions = ("thousands ", 3), ("billions", 9)
    lines = [
        cell("2018-10", "12.5", scalar=thousands),
        cell("2018-10", "0.1", coordinate="1.10", scalar=billions),
        cell("2018-11", "31.0"),
        cell("2018-12", "", status=".."),
    ]
    recording.add(DATASET, zipped(*lines), extension="zip")
    assert recording.run().errors == []
    assert recording.ask("SELECT ref_date, coordinate, value FROM gold.fact_statcan ORDER BY 1, 2") == [
        ("2018-10", "1.1", Decimal(12_500)), ("2018-10", "1.10", Decimal(100_000_000)), ("2018-11", "1.1", Decimal(31)),
    ]  # fmt: skip
    silver = (
        f"SELECT value, scalar, scalar_factor FROM silver.statcan_{TABLE} WHERE coordinate = '1.1' ORDER BY ref_date"
    )
    assert recording.ask(silver) == [(Decimal("12.5"), 3, "thousands"), (Decimal(31), 0, "units"), (None, 0, "units")]
    (dimensions,) = recording.ask(f"SELECT DISTINCT dimensions FROM silver.statcan_{TABLE}")
    assert json.loads(dimensions[0]) == {"Index": 'All, "total"'}


def test_periods_are_dated_only_where_they_say_when(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    days = ["2018", "2018-10", "2018-10-31", "2010/2011", "2018-13", "2018-Q1"]
    recording.add(DATASET, zipped(*(cell(day, "1.0") for day in days)), extension="zip")
    assert recording.run().errors == []
    found = dict(recording.ask("SELECT ref_date, period_begin FROM gold.fact_statcan"))
    dated = {"2018": dt.date(2018, 1, 1), "2018-10": dt.date(2018, 10, 1), "2018-10-31": dt.date(2018, 10, 31)}
    assert found == {**dict.fromkeys(days), **dated}


def test_what_the_table_has_no_more_is_closed(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    months = [f"2018-{month:02}" for month in range(1, 13)]
    for hour, shown in enumerate((months, months[1:])):
        content = zipped(*(cell(month, "1.0") for month in shown))
        recording.add(DATASET, content, extension="zip", moment=NOW + dt.timedelta(hours=hour))
    assert recording.run().errors == []
    assert recording.ask(f"SELECT min(ref_date), count(*) FROM silver.statcan_{TABLE}") == [("2018-02", 11)]
    past = f"SELECT _deleted, value FROM silver.statcan_{TABLE}_history WHERE ref_date = '2018-01' ORDER BY 1"
    assert recording.ask(past)[0] == (False, Decimal(1))


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    line = cell("2018", "1.0")
    recording.add(DATASET, zipped(line, header=HEADER.replace("SCALAR_ID", "SCALAR_CODE")), extension="zip")
    assert "SCALAR_ID" in " ".join(recording.run().errors)


def test_nothing_is_declared_before_tables_are_named() -> None:
    assert not plugin.datasets({})
    assert not plugin.build_gold({})
    assert [entry.id for entry in plugin.datasets({"tables": [TABLE, TABLE]})] == [DATASET]
    for wrong in ("18-10-0204-01", "1810020401", "18100204-eng"):
        with pytest.raises(UsageError, match="is no number of a table"):
            plugin.datasets({"tables": [wrong]})


def _recording(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add(DATASET, recorded(), extension="zip")
    return recording.folder


test_statcan_conforms = conformance(
    "statcan",
    recording=_recording,
    options={"tables": [TABLE]},
    exempt={"columns_are_filled": "the recorded table has neither symbols nor series that ended"},
)
