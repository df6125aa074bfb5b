"""A number's way back to its payload, and a payload's way to what it changed."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import Column, Csv, DatasetKeymapEntry, GoldModel
from sbf_core.errors import UsageError
from sbf_core.reports.lineage import TableImpact, explain_gold, explain_silver, impact
from sbf_core.reports.payload import payload_facts
from sbf_core.reports.row_place import Place, place_in_payload
from sbf_core.runner.options import RunOptions

KEY = {"symbol": "A", "date": dt.date(2024, 1, 2)}
ROWS = [price("B", "2024-01-02", "2.5"), price("A", "2024-01-01", "1.25"), price("A", "2024-01-02", " 1.5 ")]
CSV = 'symbol,date,close,volume\nB,2024-01-02,2.5,1\n"A",2024-01-02,1.50,"1\n"\nA,2024-01-03,9,1\n'


@pytest.mark.parametrize(
    ("name", "content", "changes", "found"),
    [
        ("a.json", json.dumps(ROWS), {}, Place(where="$[2].close", raw="1.5")),
        (
            "a.json",
            json.dumps({"data": {"items": ROWS}}),
            {"rows_at": "data.items"},
            Place(where="$.data.items[2].close", raw="1.5"),
        ),
        ("a.csv", CSV, {}, Place(where="line 3", raw="1.50")),
        ("a.tsv", CSV.replace(",", "\t"), {}, Place(where="line 3", raw="1.50")),
        ("a.csv", CSV.replace(",", ";"), {"format": Csv(delimiter=";")}, Place(where="line 3", raw="1.50")),
        ("a.csv", "\ufeffSYMBOL,Date,CLOSE\nA,2024-01-02,1.5\n", {}, Place(where="line 2", raw="1.5")),
        ("a.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,1.5,2.5\n", {}, Place(where="line 3, column A", raw="1.5")),
        (
            "a.csv",
            "symbol,date,close\nA,2024-01-02,1\nA,2024-01-02,2\n",
            {},
            Place(note="2 rows of the payload have this key"),
        ),
        (
            "a.csv",
            "code,day,close\nA,2024-01-02,1\n",
            {},
            Place(note="its plugin reads the payload in a way of its own"),
        ),
        (
            "a.xml",
            "<a><b/></a>",
            {},
            Place(note="the payload cannot be read as it is declared: no format is declared for xml"),
        ),
        (
            "a.json",
            "{",
            {},
            Place(
                note=(
                    "the payload cannot be read as it is declared: is no JSON list but starts with '{'; "
                    "declare rows_at, where the rows are"
                )
            ),
        ),
        (
            "a.json",
            "[" * 100_000,
            {},
            Place(note="the payload cannot be read as it is declared: is nested too deeply to be read"),
        ),
    ],
)
def test_the_place_of_a_row_in_its_payload(
    tmp_path: Path, name: str, content: str, changes: dict[str, Any], found: Place
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    assert place_in_payload(path, name.partition(".")[2], entry(**changes), KEY, "close") == found


def test_packed_payloads_are_looked_into(tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(CSV.encode()))
    assert place_in_payload(packed, "csv.gz", entry(), KEY, "close").where == "line 3"
    packed.write_bytes(packed.read_bytes()[:-20])
    assert place_in_payload(packed, "csv.gz", entry(), KEY, "close").where == ""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("readme.txt", "nothing")
        files.writestr("rows.csv", CSV)
    (tmp_path / "a.zip").write_bytes(archive.getvalue())
    assert place_in_payload(tmp_path / "a.zip", "zip", entry(member="rows.csv"), KEY, "close").where == "line 3"


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A value that was revised once, and gold tables of two floors."""
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path_factory.mktemp("revised") / "home", vendor)
    vendor.models = _models()
    vendor.says([price("A", "2024-01-01", "1.5"), price("B", "2024-01-01", "2.5")])
    warehouse.run()
    vendor.says([price("A", "2024-01-01", "1.75"), price("B", "2024-01-01", "2.5")])
    warehouse.run(hours_later=24, options=RunOptions(force=True))
    return warehouse


def _models() -> list[GoldModel]:
    return [
        GoldModel(name="lasts", key=("symbol",), sql="SELECT symbol, max(close) AS close FROM silver.px GROUP BY 1"),
        GoldModel(name="total", key=("one",), sql="SELECT 1 AS one, sum(close) AS close FROM gold.lasts"),
        GoldModel(name="alone", key=("one",), sql="SELECT 1 AS one"),
    ]


def _entries(warehouse: Warehouse) -> list[DatasetKeymapEntry]:
    return [one for plugin in warehouse.plugins.values() for one in plugin.entries]  # type: ignore[attr-defined]


def test_a_silver_value_leads_to_its_version_payload_place_and_request(revised: Warehouse) -> None:
    with revised.open() as cursor:
        found = explain_silver(
            cursor, revised.home / "bronze", _entries(revised), table="silver.px", key="A,2024-01-01", column="close"
        )
    assert str(found.value) == "1.7500"
    assert [row["state"] for row in found.versions.records] == ["superseded", "current"]
    assert found.place == Place(where="$[0].close", raw="1.75")
    assert found.payload["address"] == "fake://prices/fake/eod"
    payload = revised.home / "bronze" / found.payload["payload"]
    assert json.loads(payload.read_bytes())[0]["close"] == "1.75"


def test_a_gold_value_leads_to_its_sql_and_the_rows_that_share_its_key(revised: Warehouse) -> None:
    with revised.open() as cursor:
        found = explain_gold(cursor, _models(), table="gold.lasts", key="symbol=A", column="close")
        assert (str(found.value), found.model.sql) == ("1.7500", _models()[0].sql)
        assert [(one.table, one.by, one.count) for one in found.inputs] == [("silver.px", ("symbol",), 1)]
        assert str(found.inputs[0].rows.records[0]["close"]) == "1.7500"
        whole = explain_gold(cursor, _models(), table="gold.total", key="1", column="close")
        assert [(one.table, one.by, one.count, one.rows.rows) for one in whole.inputs] == [("gold.lasts", (), 2, ())]


@pytest.mark.parametrize("change", [lambda content: content.replace(b"1", b"7"), lambda content: content + b" "])
def test_bytes_that_were_not_recorded_are_no_evidence(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    """A payload that somebody edited was shown as what the vendor had written, beside the hash of what it had."""
    vendor = FakeVendor(entry())
    vendor.says([price("A", "2024-01-01", "1.5")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    path = warehouse.home / "bronze" / warehouse.bronze_files()[0]
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))
    changed = "these are not the bytes that were recorded; see `sbf verify`"
    with warehouse.open() as cursor:
        origin = explain_silver(
            cursor, warehouse.home / "bronze", vendor.entries, table="px", key="A,2024-01-01", column="close"
        )
        facts = payload_facts(cursor, warehouse.home / "bronze", origin.payload["bronze_file_id"], compared=False)
    assert origin.place == Place(note=changed)
    assert facts.note.startswith(f"{changed} (all ")


def test_a_payload_leads_to_its_rows_and_to_gold_through_gold(revised: Warehouse) -> None:
    with revised.open() as cursor:
        names = [
            row[0] for row in cursor.execute("SELECT rel_path FROM ops.bronze_manifest ORDER BY fetched_at").fetchall()
        ]
        first, second = (impact(cursor, _models(), name) for name in names)
        by_hash = impact(cursor, _models(), first.payload["sha256"][:12])
    one = TableImpact(silver_table="px", current=1, superseded=1, rejected=0)
    assert (first.tables, first.gold) == ((one,), ("gold.lasts", "gold.total"))
    assert [(each.current, each.superseded) for each in second.tables] == [(1, 0)]
    assert by_hash == first


@pytest.mark.parametrize(
    ("table", "key", "column", "said"),
    [
        ("nosuch", "A,2024-01-01", "close", "there is no dataset"),
        ("px", "A", "close", "this is no key"),
        ("px", "C,2024-01-01", "close", "has no row with the key"),
        ("px", "A,2024-01-01", "clos", "did you mean 'close'"),
        ("px", "A,someday", "close", "does not fit"),
        ("gold.nosuch", "A", "close", "no installed plugin builds"),
        ("gold.lasts", "A,B", "close", "this is no key"),
        ("gold.lasts", "C", "close", "has no row with the key"),
        ("gold.lasts", "A", "clos", "did you mean 'close'"),
        ("gold.total", "x", "close", "does not fit"),
    ],
)
def test_a_mistake_is_one_line(revised: Warehouse, table: str, key: str, column: str, said: str) -> None:
    with revised.open() as cursor, pytest.raises(UsageError, match=said):
        if table.startswith("gold."):
            explain_gold(cursor, _models(), table=table, key=key, column=column)
        else:
            explain_silver(cursor, revised.home / "bronze", _entries(revised), table=table, key=key, column=column)


def test_a_payload_that_nobody_knows_is_one_line(revised: Warehouse) -> None:
    with revised.open() as cursor:
        for name in ("nosuch", "1234567"):
            with pytest.raises(UsageError, match="there is no payload"):
                impact(cursor, _models(), name)


def test_the_beginning_of_a_hash_names_a_payload(tmp_path: Path) -> None:
    """From 4 digits on, as in git; where it is too short or several begin so, that is said, with their paths."""
    vendor = FakeVendor(entry(), entry(dataset="other", silver_table="other"))
    warehouse = Warehouse(tmp_path / "home", vendor)
    for dataset in ("eod", "other"):
        vendor.says([price("A", "2024-01-01")], dataset=dataset)
    warehouse.run()
    vendor.says([price("A", "2024-01-02")])
    warehouse.run(hours_later=48)
    with warehouse.open() as cursor:
        listed = cursor.execute("SELECT payload_hash, rel_path FROM ops.bronze_manifest ORDER BY 1, 2").fetchall()
        hashes = [one for one, _ in listed]
        (alone,) = (one for one in hashes if hashes.count(one) == 1)
        for name in (alone[:4], alone[:4].upper(), alone[:11], alone):
            assert impact(cursor, [], name).payload["payload"] == dict(listed)[alone]
        (twice,) = {one for one in hashes if hashes.count(one) == 2}
        with pytest.raises(UsageError, match=f"the hashes of 2 payloads begin with '{twice[:6]}'") as several:
            impact(cursor, [], twice[:6])
        assert several.value.where == ", ".join(path for one, path in listed if one == twice)
        for name in (alone[:3], ""):
            with pytest.raises(UsageError, match=r"too short .*; write 4 digits or more; or write its path"):
                impact(cursor, [], name)


MOMENTS: dict[str, tuple[dict[str, Any], object, object]] = {
    # how the column is declared, what the vendor writes, and another that he writes beside it
    "ISO 8601 in UTC": ({"zone": "UTC"}, "2007-01-10T00:00:00Z", "2007-01-11T00:00:00Z"),
    "with milliseconds": ({"zone": "UTC"}, "2007-01-10T00:00:00.000Z", "2007-01-11T00:00:00.000Z"),
    "with an offset": ({"zone": "UTC"}, "2007-01-10T02:00:00+02:00", "2007-01-11T02:00:00+02:00"),
    "in a zone": ({"zone": "America/New_York"}, "2007-01-09 19:00:00", "2007-01-10 19:00:00"),
    "as seconds": ({"epoch": "s"}, 1168387200, 1168473600),
    "as milliseconds": ({"epoch": "ms"}, 1168387200000, 1168473600000),
    "in a form": ({"date_format": "%d.%m.%Y %H:%M", "zone": "UTC"}, "10.01.2007 00:00", "11.01.2007 00:00"),
}


@pytest.mark.parametrize("case", MOMENTS)
def test_a_moment_in_the_key_leads_back_to_its_row(tmp_path: Path, case: str) -> None:
    declared, told, other = MOMENTS[case]
    columns = [
        Column(name="traded", type="TIMESTAMP", key=True, **declared),  # type: ignore[arg-type]
        Column(name="final", type="BOOLEAN", key=True), Column(name="close", type="DOUBLE"),
    ]  # fmt: skip
    vendor = FakeVendor(entry(columns=columns))
    vendor.says([
        {"traded": told, "final": "Yes", "close": 1.5}, {"traded": told, "final": "no", "close": 2.5},
        {"traded": other, "final": "Yes", "close": 3.5},
    ])  # fmt: skip
    warehouse = Warehouse(tmp_path / "home", vendor)
    assert warehouse.run().errors == []
    with warehouse.open() as cursor:
        origin = explain_silver(
            cursor, warehouse.home / "bronze", warehouse.opened().entries, table="px",
            key="2007-01-10 00:00:00,true", column="close",
        )  # fmt: skip
    assert (origin.value, origin.place.where, origin.place.raw) == (1.5, "$[0].close", "1.5")
