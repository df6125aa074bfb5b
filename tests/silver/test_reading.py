"""Payloads are read as they are declared: by the engine where that is certain, record by record where it is not,
and what a hook is given.
"""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from warehouse import FakeVendor, Warehouse, counts_add_up, entry, price

from sbf_core.api import (
    Csv,
    DatasetKeymapEntry,
    Json,
    JsonStat,
    ParseRows,
    PromotionBatch,
    SelectRows,
    column,
    hookimpl,
)
from sbf_core.payload import delimited, json_sql
from sbf_core.silver.inspection import record_by_record

NOW = "SELECT symbol, date, close, volume FROM silver.px ORDER BY ALL"


@attrs.frozen
class Label:
    """A text beside numbers."""

    item: str = column(key=True)
    label: str | None = column()
    amount: Decimal | None = column(precision=38, scale=6)


def labels(tmp_path: Path, *hooks: type[FakeVendor], **changes: object) -> tuple[FakeVendor, Warehouse]:
    """A warehouse of labels."""
    kind = hooks[0] if hooks else FakeVendor
    vendor = kind(entry(columns=Label, **changes))
    return vendor, Warehouse(tmp_path / "home", vendor)


def test_a_text_that_the_engine_may_have_printed_is_read_again(tmp_path: Path) -> None:
    vendor, warehouse = labels(tmp_path)
    vendor.says('[{"item":"a","label":1.10,"amount":1},{"item":"b","label":{"x":1.50},"amount":2}]')
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT label FROM silver.px ORDER BY item") == [("1.10",), ('{"x":1.50}',)]


def test_another_count_than_the_look_gave_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that loses a row, as its sniffers did, is found by the count of the bytes."""
    select = delimited.DelimitedReader.select
    monkeypatch.setattr(
        delimited.DelimitedReader,
        "select",
        lambda *given, **how: f"SELECT r.* FROM ({select(*given, **how)}) AS r LIMIT 1",
    )
    vendor = FakeVendor(entry())
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says("symbol,date,close,volume\nA,2024-01-01,1.5,10\nB,2024-01-01,2.5,10\n")
    assert warehouse.run().errors == []
    assert [row[0] for row in warehouse.ask(NOW)] == ["A", "B"]


def test_what_the_engine_refuses_costs_no_other_payload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        json_sql,
        "select",
        lambda *given: (
            "SELECT error('no') AS _file, NULL AS _place, NULL AS _fault, NULL AS _raw, "
            "NULL AS f0, NULL AS f1, NULL AS f2, NULL AS f3"
        ),
    )
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01"), price("B", "2024-01-01")])
    assert warehouse.run().errors == []
    assert [row[0] for row in warehouse.ask(NOW)] == ["A", "B"]


TROUBLE = {
    "ragged": (
        "symbol,date,close,volume\n"
        + "".join(f"S{n:02d},2024-01-01,1.5,10\n" for n in range(40))
        + "BAD,2024-01-01,1.5,10,\n",
        "ragged",
        40,
    ),
    "header again": (
        "symbol,date,close,volume\n"
        + "".join(f"S{n:02d},2024-01-01,1.5,10\n" for n in range(40))
        + "symbol,date,close,volume\n",
        "header_again",
        40,
    ),
    "moment": (
        "symbol,date,close,volume\n"
        + "".join(f"S{n:02d},2024-01-01,1.5,10\n" for n in range(40))
        + "BAD,2024-01-01,1.55555,10\n",
        "too_precise",
        40,
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_a_reject_is_told_with_its_place_and_costs_itself_alone(tmp_path: Path, name: str) -> None:
    text, reason, good = TROUBLE[name]
    vendor = FakeVendor(entry())
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(text)
    context = warehouse.run()
    assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], good, 1)
    assert [row[0] for row in warehouse.ask("SELECT reason FROM ops.rejects")] == [reason]
    (note,) = [note for note in context.notes if "rejected" in note]
    assert reason in note
    if reason != "too_precise":
        assert "line 42" in note
        assert json.loads(warehouse.ask("SELECT row_json FROM ops.rejects")[0][0])["_place"] == "line 42"
    counts_add_up(warehouse)


def test_a_decimal_comma_casts_doubt_on_the_points_beside_it(tmp_path: Path) -> None:
    """``1.234`` beside ``1.234,56`` is a thousand and more, and reads as one and a bit."""
    text = "item;label;amount\n" + "".join(f"r{n};x;1.{n}\n" for n in range(100, 197)) + "z;x;1.234,56\n"
    vendor, warehouse = labels(tmp_path, format=Csv(delimiter=";"))
    vendor.extension = "csv"
    vendor.says(text)
    (error,) = warehouse.run().errors
    assert "column amount holds '1.234,56'" in error
    assert warehouse.ask("SELECT count(*) FROM silver.px") == [(0,)]
    declared, second = labels(tmp_path / "declared", format=Csv(delimiter=";", decimal=",", thousands="."))
    declared.extension = "csv"
    declared.says(text)
    assert second.run().errors == []
    assert second.ask("SELECT amount FROM silver.px WHERE item IN ('r100', 'z') ORDER BY 1") == [
        (Decimal(1100),),
        (Decimal("1234.56"),),
    ]


class Numbering(FakeVendor):
    """Gives numbers beside texts."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> ParseRows:
        return ParseRows(
            lambda payload: [
                {"item": "a", "label": 1.234, "amount": Decimal("1.234")},
                {"item": "b", "amount": 1.5},
                {"item": "c", "amount": "1.234,5"},
            ]
        )


class Flat(FakeVendor):
    """Selects fields, of which it cannot tell whether they were texts."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> SelectRows:
        return SelectRows("SELECT * FROM batch")


@pytest.mark.parametrize("kind", [FakeVendor, Numbering])
def test_the_marks_of_texts_are_none_of_numbers(tmp_path: Path, kind: type[FakeVendor]) -> None:
    """``1.234`` in JSON is one and a bit, although a text beside it has points between thousands."""
    vendor, warehouse = labels(tmp_path, kind, format=Json(decimal=",", thousands="."))
    vendor.says('[{"item":"a","label":1.234,"amount":1.234},{"item":"b","amount":1.5},{"item":"c","amount":"1.234,5"}]')
    assert warehouse.run().errors == []
    right = [("a", "1.234", Decimal("1.234")), ("b", None, Decimal("1.5")), ("c", None, Decimal("1234.5"))]
    assert warehouse.ask("SELECT item, label, amount FROM silver.px ORDER BY 1") == right


def test_a_number_that_a_select_could_misread_refuses_the_payload(tmp_path: Path) -> None:
    vendor, warehouse = labels(tmp_path, Flat, format=Json(decimal=",", thousands="."))
    vendor.says('[{"item":"a","label":"x","amount":1.234}]')
    (error,) = warehouse.run().errors
    assert "holds the number 1.234 at $[0]" in error


def test_the_numbers_of_a_cube_have_a_point(tmp_path: Path) -> None:
    @attrs.frozen
    class Cell:
        year: str = column(key=True)
        value: Decimal = column(precision=18, scale=4)

    vendor, warehouse = labels(tmp_path, format=JsonStat(decimal=",", thousands="."))
    vendor.entries = [attrs.evolve(vendor.entries[0], columns=Cell)]
    vendor.says(
        '{"version":"2.0","class":"dataset","id":["year"],"size":[2],'
        '"dimension":{"year":{"category":{"index":["a","b"]}}},"value":[1.234,"1.234,5"]}'
    )
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT year, value FROM silver.px ORDER BY 1") == [
        ("a", Decimal("1.234")),
        ("b", Decimal("1234.5")),
    ]


def test_a_snapshot_with_a_row_of_unknown_key_closes_nothing(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(semantics="snapshot", reject_share_max=1))
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says("symbol,date,close,volume\nA,2024-01-01,1.5,10\nB,2024-01-01,2.5,10\n")
    warehouse.run()
    vendor.says("symbol,date,close,volume\nA,2024-01-01,1.5,10\nB,2024-01-01,2.5,10,9\n")
    (error,) = warehouse.run(hours_later=24).errors
    assert "1 row has no readable key" in error
    assert [row[0] for row in warehouse.ask(NOW)] == ["A", "B"]


@pytest.mark.parametrize("drift", ["tell", "fail"])
def test_a_field_that_is_gone_from_all_rows_is_told(tmp_path: Path, drift: str) -> None:
    vendor, warehouse = labels(tmp_path)
    vendor.says([{"item": "a", "label": "x", "amount": 1}])
    assert warehouse.run().notes == []
    vendor.says([{"item": "a", "title": "x", "amount": 2}])
    context = warehouse.run(hours_later=24, run__drift=drift)
    told = context.notes[0] if drift == "tell" else context.errors[0]
    assert "none of its 1 rows has 'label'" in told
    assert "'title'" in told
    right = [("a", None, 2)] if drift == "tell" else [("a", "x", 1)]
    assert warehouse.ask("SELECT item, label, amount FROM silver.px") == right


def test_another_name_of_a_field_is_declared_with_also(tmp_path: Path) -> None:
    @attrs.frozen
    class Renamed:
        item: str = column(key=True)
        label: str | None = column(also=("title",))

    for extension, first, second in (
        ("json", '[{"item":"a","label":"x"}]', '[{"item":"a","title":"y"}]'),
        ("csv", "item,label\na,x\n", "item,title\na,y\n"),
    ):
        vendor = FakeVendor(entry(columns=Renamed))
        vendor.extension = extension
        warehouse = Warehouse(tmp_path / extension, vendor)
        for hours, text in ((0, first), (24, second)):
            vendor.says(text)
            context = warehouse.run(hours_later=hours)
            assert (context.errors, context.notes) == ([], [])
        assert warehouse.ask("SELECT label FROM silver.px") == [("y",)]


class Selecting(FakeVendor):
    """Reads documents by SQL of its own."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> SelectRows:
        return SelectRows(
            "SELECT _file, f->>'item' AS item, f->>'label' AS label, f->>'amount' AS amount "
            "FROM (SELECT _file, unnest(from_json(document->'facts', '[\"JSON\"]')) AS f FROM batch)"
        )


def test_digits_survive_a_select_over_documents(tmp_path: Path) -> None:
    vendor, warehouse = labels(tmp_path, Selecting)
    vendor.says(
        '{"facts":[{"item":"a","label":1.10,"amount":12345678901.123456},'
        '{"item":"b","label":9007199254740993.0,"amount":0.1}]}'
    )
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT item, label, amount FROM silver.px ORDER BY 1") == [
        ("a", "1.10", Decimal("12345678901.123456")),
        ("b", "9007199254740993.0", Decimal("0.1")),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"message":"down"}', "holds no rows"),
        ('{"facts":[{"item":"a","item":"b","label":"x","amount":1}]}', "'item' twice"),
        ('{"facts":', "is no JSON"),
    ],
)
def test_what_is_no_data_is_told_under_a_select(tmp_path: Path, text: str, said: str) -> None:
    vendor, warehouse = labels(tmp_path, Selecting)
    vendor.says(text)
    (error,) = warehouse.run().errors
    assert said in error


class Leaving(FakeVendor):
    """Leaves everything to the declaration."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> None:
        return None


def test_a_hook_that_answers_none_leaves_it_to_the_declaration(tmp_path: Path) -> None:
    vendor, warehouse = labels(tmp_path, Leaving)
    vendor.says([{"item": "a", "label": "x", "amount": 1}])
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT item, label FROM silver.px") == [("a", "x")]


class Parsing(FakeVendor):
    """Parses bytes, and never asks for fields."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry, batch: PromotionBatch) -> ParseRows:
        def parse(payload: bytes) -> Iterable[Mapping[str, object]]:
            lines = payload.decode("latin-1").splitlines()
            return [{"item": line.partition("=")[0], "label": line.partition("=")[2]} for line in lines if "=" in line]

        return ParseRows(parse)


@pytest.mark.parametrize("extension", ["csv", "json", "weird", "zip"])
def test_bytes_of_any_kind_reach_a_hook_without_a_look(tmp_path: Path, extension: str) -> None:
    """Prose in Latin-1, which no format would take."""
    content = 'Überschrift, mit "Zeichen\n\na=é\nb=y\n'.encode("latin-1")
    if extension == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("table.CSV", content)
        content = (tmp_path / "a.zip").read_bytes()
    vendor, warehouse = labels(tmp_path, Parsing)
    vendor.extension = extension
    vendor.says(content)
    assert warehouse.run().errors == []
    assert warehouse.ask("SELECT item, label FROM silver.px ORDER BY 1") == [("a", "é"), ("b", "y")]


class Wide(FakeVendor):
    """Turns columns into rows."""

    @hookimpl
    def promote(self, batch: PromotionBatch) -> SelectRows:
        wide = ", ".join(f'"{name}"' for name in batch.fields if name != "day")
        return SelectRows(
            f"SELECT _file, day, name, value FROM batch UNPIVOT INCLUDE NULLS (value FOR name IN ({wide}))"
        )


def test_records_that_a_select_is_not_given_are_rejected_all_the_same(tmp_path: Path) -> None:
    @attrs.frozen
    class Cell:
        day: dt.date = column(key=True)
        name: str = column(key=True)
        value: Decimal | None = column(precision=18, scale=4)

    vendor = Wide(entry(columns=Cell, reject_share_max=0.5))
    vendor.extension = "csv"
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says("day,a,b\n2024-01-01,1,2\n2024-01-02,3\n2024-01-03,4,5\n")
    context = warehouse.run()
    assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], 4, 1)
    assert warehouse.ask("SELECT reason FROM ops.rejects") == [("ragged",)]
    counts_add_up(warehouse)


@pytest.mark.parametrize("extension", ["csv", "json"])
def test_read_record_by_record_everything_is_the_same(tmp_path: Path, extension: str) -> None:
    rows = [price(f"S{number:03d}", "2024-01-01", f"{number}.25", number) for number in range(300)]
    text = (
        "symbol,date,close,volume\n"
        + "".join(f"{row['symbol']},{row['date']},{row['close']},{row['volume']}\n" for row in rows)
        if extension == "csv"
        else rows
    )
    found = []
    for name in ("engine", "records"):
        vendor = FakeVendor(entry())
        vendor.extension = extension
        warehouse = Warehouse(tmp_path / name, vendor)
        vendor.says(text)
        if name == "records":
            with record_by_record():
                warehouse.run()
        else:
            warehouse.run()
        found.append(warehouse.ask(NOW))
    assert found[0] == found[1]
    assert len(found[0]) == 300


@pytest.mark.parametrize("pad", range(2))
def test_an_engine_error_cut_within_a_character_is_one_like_others(tmp_path: Path, pad: int) -> None:
    """The engine quotes so many bytes of the payload; what Python cannot decode it raises as another error."""
    vendor, warehouse = labels(tmp_path)
    twice = '{"item":"a","label":"' + "x" * pad + "é" * 60 + '","amount":1,"amount":2}'
    vendor.says(f"[{twice},{json.dumps([{'item': f'b{number}', 'amount': 1} for number in range(40)])[1:]}")
    context = warehouse.run()
    assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], 40, 1)
    assert warehouse.ask("SELECT reason FROM ops.rejects") == [("key_twice",)]


@pytest.mark.parametrize("pad", range(2))
def test_an_engine_error_cut_within_a_character_costs_its_payload_alone(tmp_path: Path, pad: int) -> None:
    class Decoding(FakeVendor):
        @hookimpl
        def promote(self, entry: DatasetKeymapEntry) -> SelectRows:
            return SelectRows(
                "SELECT _file, json(document->>'text')->>'item' AS item, 'x' AS label, 1 AS amount FROM batch"
            )

    vendor, warehouse = labels(tmp_path, Decoding)
    vendor.says(json.dumps({"text": '["' + "x" * pad + "é" * 60 + ",}"}))
    (error,) = warehouse.run().errors
    assert "Malformed JSON" in error
    vendor.says('{"text":"{\\"item\\":\\"c\\"}"}')
    assert warehouse.run(hours_later=24).errors == []
    assert warehouse.ask("SELECT item FROM silver.px") == [("c",)]
