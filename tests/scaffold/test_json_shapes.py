"""JSON of the shapes that vendors send: where the rows are, and where their fields are, without a SELECT."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from recorded import FOLDER, entries, payload

from sbf_core.errors import UsageError
from sbf_core.scaffold.code import plugin_text
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.proposal import Proposal, Sampled, Words

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAYS = [f"2024-01-{day:02d}" for day in range(1, 26)]
Load = Callable[[Proposal], list[dict[str, Any]]]


def proposed(document: Any, **asked: Any) -> Proposal:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return propose(Words(name="mine"), Sampled(payload=content, fetched_at=NOW), template=None, where="here", **asked)


def sources(proposal: Proposal) -> dict[str, str]:
    return {column.name: column.source for column in proposal.columns}


def row(index: int, **more: Any) -> dict[str, Any]:
    return {"day": DAYS[index], "price": index + 0.5, **more}


SHAPES: list[tuple[str, Any, str, dict[str, str], str]] = [
    ("objects within", [row(index, rate={"buy": index, "sell": {"now": index + 0.25}}) for index in range(25)], "",
     {"day": "day", "price": "price", "rate_buy": "@.rate.buy", "rate_sell_now": "@.rate.sell.now"}, ""),
    ("objects by name", {"AAPL": row(1), "MSFT": row(2)}, "$.*", {"name": "@~", "day": "day", "price": "price"},
     "rows_at: each object at $.* is taken as a row"),
    ("objects by day", {"Time Series (Daily)": {day: {"1. open": index + 0.5} for index, day in enumerate(DAYS)}},
     "$['Time Series (Daily)'].*",
     {"date": "@~", "n1_open": "1. open"}, "rows_at: each object at"),
    ("values by name", {"base": "EUR", "date": DAYS[0], "rates": {f"C{index}D": index + 0.5 for index in range(25)}},
     "$.rates.*",
     {"name": "@~", "value": "@", "date": "$.date"}, "rows_at: each value at $.rates.* is taken as a row"),
    ("rows by position", {"candles": [[1704067200 + 60 * index, index + 0.5, index] for index in range(25)]}, "candles",
     {"field_0": "@[0]", "field_1": "@[1]", "field_2": "@[2]"},
     "fields: the rows are lists; what stands at @[0] to @[2]?"),
    ("rows by position under names",
     {"fields": ["day", "last price"], "data": [[day, index + 0.5] for index, day in enumerate(DAYS)]}, "data",
     {"day": "@[$.fields:'day']", "last_price": "@[$.fields:'last price']"}, "fields: named by the list at $.fields"),
    ("rows by position under columns",
     {"columns": [{"name": "day"}, {"name": "price"}],
      "data": [[day, index + 0.5] for index, day in enumerate(DAYS)]}, "data",
     {"day": "@[$.columns[*].name:'day']", "price": "@[$.columns[*].name:'price']"},
     "fields: named by the list at $.columns[*].name"),
    ("lists beside each other", {"chart": {"day": DAYS, "close": list(range(25)), "a b": list(range(25))}},
     "$.chart.day[*]",
     {"day": "@", "close": "$.chart.close[#]", "a_b": "$.chart['a b'][#]"}, ""),
    ("lists beside each other within rows",
     {"result": [{"meta": {"symbol": code}, "day": DAYS, "q": [{"close": list(range(25))}]} for code in ("A", "B")]},
     "$.result[*].day[*]",
     {"meta_symbol": "@^.meta.symbol", "day": "@", "close": "@^.q[0].close[#]"},
     "rows_at: a row for each element of .day and the lists beside it"),
    ("lists within rows",
     [{"board": "A", "day": day, "rates": [{"code": code, "mid": 1.5} for code in "XYZ"]} for day in DAYS],
     "$[*].rates[*]",
     {"board": "@^.board", "day": "@^.day", "code": "code", "mid": "mid"}, "rows_at: a row for each of 'rates'"),
    ("lists within objects by name", {code: {"bars": [row(index) for index in range(25)]} for code in ("AA", "BB")},
     "$.*.bars[*]",
     {"name": "@^~", "day": "day", "price": "price"}, "rows_at: a row for each of 'bars'"),
    ("facts before rows", [{"page": 1}, [row(index) for index in range(25)]], "$[1][*]",
     {"day": "day", "price": "price"}, ""),
    ("names that are paths", [{"@time": day, "$price": 1.5, "a.b": index} for index, day in enumerate(DAYS)], "",
     {"time": "@['@time']", "price": "@['$price']", "a_b": "a.b"}, ""),
    ("a day beside the rows",
     {"as_of": DAYS[0], "meta": {"n": 1},
      "data": {"items": [{"code": f"C{index}", "x": index} for index in range(25)]}}, "data.items",
     {"code": "code", "x": "x", "as_of_value": "$.as_of"},
     "$.as_of: the rows have no day of their own; is it this one?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "rows_at", "wanted", "doubt"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
def test_a_shape_is_declared_and_read_whole(
    document: Any, rows_at: str, wanted: dict[str, str], doubt: str, loaded: Load
) -> None:
    proposal = proposed(document)
    assert proposal.found.rows_at == rows_at
    found = sources(proposal)
    assert list(found.values()) == list(wanted.values()), found
    assert set(wanted) - {"as_of_value"} <= set(found)
    assert (doubt and any(said.startswith(doubt) for said in proposal.doubts)) or (
        not doubt and not proposal.found.doubts
    )
    rows = loaded(proposal)
    assert len(rows) == len(proposal.found.rows) > 1
    assert all(any(value[name] is not None for value in rows) for name in found)


def test_a_path_can_be_asked_for(loaded: Load) -> None:
    document = {
        "a": {"rows": [row(index) for index in range(25)]},
        "one": {"day": DAYS[0], "x": 1},
        "b": [{"inner": [row(1), row(2)]}],
    }
    assert len(loaded(proposed(document, rows_at="$.b[*].inner[*]"))) == 2
    assert len(loaded(proposed(document, rows_at="a.rows"))) == 25
    assert loaded(proposed(document, rows_at="$.one"))[0] == {"day": dt.date(2024, 1, 1), "x": 1}
    with pytest.raises(UsageError, match=r"there is no list at '\$.c\[\*\]'"):
        proposed(document, rows_at="$.c[*]")


def test_numbers_keep_their_digits(loaded: Load) -> None:
    content = (
        b"["
        + b",".join(
            b'{"day": "%s", "price": 12345678901.%06d, "id": %d}'
            % (day.encode(), index + 123456, 9007199254740993 + index)
            for index, day in enumerate(DAYS)
        )
        + b"]"
    )
    rows = loaded(proposed(content))
    assert rows[0]["price"] == Decimal("12345678901.123456")
    assert rows[0]["id"] == 9007199254740993


def test_numbers_in_texts_have_marks_of_their_own(loaded: Load) -> None:
    proposal = proposed([{"day": day, "rate": f"1.{index:03d},5"} for index, day in enumerate(DAYS)])
    assert 'format=Json(decimal=",", thousands="."),' in plugin_text(proposal)
    assert loaded(proposal)[3]["rate"] == Decimal("1003.5")
    mixed = proposed([{"day": day, "rate": f"1,{index}", "other": index + 0.5} for index, day in enumerate(DAYS)])
    assert mixed.found.format is None  # JSON's own numbers have points
    assert any("numbers in another spelling than elsewhere" in doubt for doubt in mixed.doubts)


def test_days_that_are_numbers(loaded: Load) -> None:
    proposal = proposed(
        [
            {
                "trade_date": int(day.replace("-", "")),
                "at": 1704067200000 + 86400000 * index,
                "volume": 20240101 + index,
            }
            for index, day in enumerate(DAYS)
        ]
    )
    assert [column.python for column in proposal.columns] == ["dt.date", "dt.date", "int"]
    first = loaded(proposal)[0]
    assert list(first.values())[:2] == [dt.date(2024, 1, 1), dt.date(2024, 1, 1)]


REAL = {
    "cb-nbp.api.exchangerates.tables": ("$[*].rates[*]", ""),
    "cb-nbg": ("$[*].currencies[*]", ""),
    "cb-boc": ("observations", ""),
    "cb-boj.api": ("$.RESULTSET[*].VALUES.SURVEY_DATES[*]", ""),
    "fx.CurrencyLayer.historical": ("$.quotes.*", ""),
    "alphavantage.time_series__": ("$['Time Series (1min)'].*", ""),
    "sec.submissions__0001847577": ("$.filings.recent.accessionNumber[*]", ""),
    "yahoo.chart__AAPL__82bb2442": (
        "$.chart.result[*].timestamp[*]",
        "timestamp: taken as s since 1970: 2020-08-31 13:30:00 UTC",
    ),
}


@pytest.mark.parametrize("vendor", REAL)
def test_what_vendors_send(vendor: str, loaded: Load) -> None:
    rows_at, doubt = REAL[vendor]
    proposal = proposed(payload(next(entry for entry in entries() if vendor in entry["file"])))
    assert proposal.found.rows_at == rows_at
    assert not doubt or doubt in proposal.doubts
    assert len(loaded(proposal)) == len(proposal.found.rows)


REAL_2 = {
    "kraken.public.OHLC": "result.XXBTZUSD",
    "coinbase.candles": "",
    "dydx": "$.markets.*",
    "worldbank.v1.indicators__Monthly": "$[1][*]",
    "cb-boj": "$.RESULTSET[*].VALUES.SURVEY_DATES[*]",
}


@pytest.mark.parametrize("vendor", REAL_2)
def test_what_others_send(vendor: str, loaded: Load) -> None:
    folder = FOLDER.parent / "recorded2"
    if not folder.exists():
        pytest.skip("the recorded payloads of vendors are not here; they are not shipped with the project")
    listed = [json.loads(line) for line in (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()]
    entry = next(entry for entry in listed if vendor in entry["file"])
    content = (folder / entry["file"]).read_bytes()
    proposal = proposed(gzip.decompress(content) if entry["file_compression"] == "gzip" else content)
    assert proposal.found.rows_at == REAL_2[vendor]
    assert len(loaded(proposal)) == len(proposal.found.rows)
    assert "SelectRows" not in plugin_text(proposal)


def test_what_is_beside_a_list_of_one_document_is_reached_from_the_top() -> None:
    """Nobody goes up where there is but one: rows of one object, whose fields are beside its list."""
    document = {"cik": "1", "name": "A", "formerNames": [{"name": "B", "from": "2020"}, {"name": "C", "from": "2021"}]}
    found = proposed(document, rows_at="$")
    assert [column.source for column in found.columns] == ["$.cik", "$.name", "name", "from"]


def test_lists_among_values_are_no_numbers() -> None:
    assert proposed({"a": "x", "b": ["1", 2]}, rows_at="$.*") is not None
