"""What the scaffold sees in a payload beside its rows: whole lists, notes, wide tables, epochs, totals; on what vendors
really sent.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from plugin_author import Author, fills_silver, is_sound
from recorded import entries, payload
from table_payloads import recorded_body
from written import entry_of

from sbf_core.errors import UsageError
from sbf_core.scaffold.address import template_of
from sbf_core.scaffold.code import plugin_text
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.proposal import Proposal, Sampled, Words

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
DAYS = [f"2024-01-{day:02d}" for day in range(1, 25)]


def proposed(content: Any, url: str = "", **asked: Any) -> Proposal:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    template = template_of(url, name="mine") if url else None
    return propose(Words(name="mine"), Sampled(payload=body, fetched_at=NOW), template=template, where="here", **asked)


def semantics(proposal: Proposal) -> tuple[str, str]:
    """As it is declared, and why it may be otherwise."""
    told = next((one.doubt for one in proposal.declared if one.name == "semantics"), "")
    return str(entry_of(proposal).semantics), told


WHOLE = {
    "a chain of options of Cboe": ("cboe-0118", ["option"]),
    "what Cboe's indices are": ("cboe-0094", ["index_symbol"]),
    "what is listed on Nasdaq": ("nasdaqtrader-r2-001", ["symbol"]),
    "what is listed elsewhere": ("nasdaqtrader-r2-002", ["act_symbol"]),
    "what OpenFIGI maps": ("openfigi-r2-001", ["figi"]),
    "pairs of an exchange": ("upbit-r2-001", ["market"]),
    "market identifier codes": ("iso10383-r2-001", ["mic"]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_list_without_days_is_a_snapshot(name: str) -> None:
    payload_id, key = WHOLE[name]
    proposal = proposed(recorded_body(payload_id), "https://api.example.com/list", rows_at=None)
    assert [column.name for column in proposal.columns if column.key] == key
    declared, doubt = semantics(proposal)
    assert declared == "snapshot"
    assert doubt == "the rows have no date: is each answer the whole list? What a later one lacks is closed then"
    assert f"# unsure: {doubt}" in plugin_text(proposal)


def test_the_moment_of_a_chain_is_since_when_it_was_known() -> None:
    """It stands beside the rows, and is another one in each answer."""
    proposal = proposed(recorded_body("cboe-0118"), "https://api.example.com/AAPL.json")
    (moment,) = [column for column in proposal.columns if column.known_from]
    assert (moment.source, moment.python, moment.zone) == ("$.timestamp", "dt.datetime", "UTC")
    assert "known_from=True" in plugin_text(proposal)
    assert any("is it the moment of the answer" in doubt for doubt in moment.doubts)


@pytest.mark.parametrize(
    ("payload_id", "day"),
    [("worldbank-r2-002", ""), ("eia-v2-r2-001", ""), ("cboe-0097", "date"), ("cb-boj-r2-001", "survey_dates")],
)
def test_rows_of_days_or_periods_are_no_snapshot(payload_id: str, day: str) -> None:
    proposal = proposed(recorded_body(payload_id), "https://api.example.com/x")
    assert semantics(proposal) == ("upsert", "")
    assert [column.name for column in proposal.columns if column.row_date] == ([day] if day else [])


def test_lists_and_periods_of_our_own() -> None:
    names = [{"id": f"A{number}", "name": "x"} for number in range(24)]
    assert semantics(proposed(names, "https://api.example.com/x"))[0] == "snapshot"
    assert semantics(proposed(names, "https://api.example.com/x?from=2024-01-01"))[0] == "upsert", "days are asked for"
    quarters = [{"id": "A", "period": f"{2000 + number}-Q1", "price": number / 4} for number in range(24)]
    assert semantics(proposed(quarters, "https://api.example.com/x"))[0] == "upsert"
    moment = {"made": "2024-01-01T10:00:00Z", "rows": names}
    assert [column.name for column in proposed(moment).columns if column.known_from] == ["made"]


def test_measures_in_capitals_are_no_tickers() -> None:
    prices = "DATE,OPEN,HIGH,LOW,CLOSE,VOLUME\n" + "".join(
        f"{day},1.5,2,1,1.5,{n + 1}00\n" for n, day in enumerate(DAYS)
    )
    assert proposed(prices.encode()).wide is None


def test_pages_are_no_snapshot() -> None:
    """Which must come in one payload."""
    proposal = proposed({"items": [{"id": f"A{n}"} for n in range(24)], "next": "https://api.example.com/x?p=2"},
                        "https://api.example.com/x")  # fmt: skip
    assert semantics(proposal) == ("upsert", "")
    assert any(
        doubt.startswith("semantics: the rows have no date, and pages are no snapshot") for doubt in proposal.doubts
    )


def test_the_facts_before_the_rows_of_the_world_bank() -> None:
    """A list of facts and rows: the total stands in the first, and a measure is no key."""
    content = json.loads(recorded_body("worldbank-r2-001"))
    content[0]["total"] = 25
    proposal = proposed(content, "http://api.worldbank.org/x?per_page=8&page=1")
    assert [column.name for column in proposal.columns if column.key] == ["country_id", "date"]
    told = "total_at='$[0].total'"
    assert any("pages: perhaps pages=Pages(by='page', parameter='page', first=1, size=8" in doubt and told in doubt
               for doubt in proposal.doubts)  # fmt: skip
    assert any(doubt.startswith("pages: $[0].total says 25, and this answer has 8 rows") for doubt in proposal.doubts)


def test_where_the_next_page_of_openfigi_begins() -> None:
    proposal = proposed(recorded_body("openfigi-r2-006"), "https://api.openfigi.com/v3/filter")
    (doubt,) = [doubt for doubt in proposal.doubts if doubt.startswith("pages: next is")]
    assert "Pages(by='cursor', parameter='cursor', next_at='next')" in doubt


NOTES = {
    "fx-currencydatafeed-0351": "No access. Please upgrade your subscription",
    "fx-currencylayer-0354": "You have not supplied a valid API Access Key",
    "fx-exchangeratesapi-0368": "Your query did not return any results",
    "fx-fixer-0369": "base_currency_access_restricted",
    "fx-openexchangerates-0374": "not_allowed",
    "fmp-0441": "Limit Reach . Please upgrade your plan",
}


@pytest.mark.parametrize("payload_id", NOTES)
def test_a_note_is_told_as_what_the_vendor_says(payload_id: str) -> None:
    with pytest.raises(UsageError) as refused:
        proposed(recorded_body(payload_id), "https://api.example.com/x")
    assert f"the vendor says '{NOTES[payload_id]}" in refused.value.what


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"message": "no such route"}, "the vendor says 'no such route'"),
        ([{"Error Message": "Invalid API call"}], "the vendor says 'Invalid API call'"),
        ({"errors": [{"field": "a", "why": "b"}], "message": "bad"}, "the vendor says 'bad'"),
        ({"Note": "5 calls a minute", "Information": "x"}, "the vendor says '5 calls a minute'"),
    ],
)
def test_notes_of_other_shapes(document: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        proposed(document)


def test_a_good_answer_says_where_a_note_would_stand() -> None:
    """Kraken's ``error`` is an empty list, and times count seconds."""
    proposal = proposed(recorded_body("kraken-r2-001"), "https://api.kraken.com/0/public/OHLC?pair=XBTUSD")
    assert entry_of(proposal).is_data.error_fields == ("error",)
    assert proposal.columns[0].epoch == "s"
    assert any("taken as s since 1970" in doubt for doubt in proposal.doubts)
    rows = [{"id": f"A{n}", "message": "x", "day": day} for n, day in enumerate(DAYS)]
    assert [one.name for one in proposed({"message": "ok", "rows": rows}, "https://a.example.com/").declared] == []


@pytest.mark.parametrize(("unit", "size"), [("s", 1), ("ms", 10**3), ("us", 10**6)])
def test_epochs(unit: str, size: int) -> None:
    rows = [{"t": (1704067200 + 61 * number) * size, "price": number + 0.5} for number in range(24)]
    (column, _) = proposed(rows).columns
    assert (column.epoch, column.python, column.key) == (unit, "dt.datetime", True)


#: Tables with a column for each of something: their text, the columns that are declared, how many rows, and a row.
WIDE: dict[str, tuple[str, list[str], int, str, dict[str, Any]]] = {
    "tickers": (
        "Date,AAPL,MSFT,BRK-B,^SPX\n" + "".join(f"{day},1.5,2.5,N/A,{n}\n" for n, day in enumerate(DAYS)),
        ["date", "symbol", "value"], 96, "symbol = '^SPX' AND date = '2024-01-03'", {"value": "2.000"},
    ),
    "years": (
        "Country Name;Country Code;2019;2020;2021\nA;AAA;1,5;;2,5\nB;BBB;3;4;5\n" + "C;CCC;1;2;3\n",
        ["country_name", "country_code", "year", "value"], 9, "country_code = 'AAA' AND year = '2021-01-01'",
        {"country_name": "A", "value": "2.500"},
    ),
    "months": (
        "code,2024-01,2024-02,2024-03\nA,1,2,3\nB,4,5,6\n",
        ["code", "month", "value"], 6, "code = 'B' AND month = '2024-02-01'", {"value": 5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WIDE)
def test_a_wide_table_becomes_rows(author: Author, name: str) -> None:
    text, columns, count, where, wanted = WIDE[name]
    (author.folder / "wide.csv").write_text(text, encoding="utf-8")
    shown = author.new("wide_of_tests", "--from-file", "wide.csv", "--terms", "free")
    assert "unsure: wide: a row for each of" in shown
    if name == "tickers":
        is_sound(author, "wide_of_tests", count)
    else:
        fills_silver(author, "wide_of_tests", count)
    found = author.rows(f"SELECT {', '.join(columns)} FROM silver.wide_of_tests WHERE {where}")
    assert len(found) == 1
    assert {key: found[0][key] for key in wanted} == wanted


def test_wide_tables_that_banks_and_offices_send() -> None:
    """The ECB's currencies, the Bank of England's series; and what only looks so."""
    for row in [*entries(vendor="cb-boe"), *entries(vendor="ecb")]:
        if row["file"].endswith((".csv", ".csv.gz")) and b"XUDL" in payload(row)[:200]:
            proposal = proposed(payload(row))
            assert proposal.wide is not None
            assert [column.name for column in proposal.columns] == ["date", "symbol", "value"]
    for payload_id in ("nse-r2-002", "cboe-0116", "cftc-cot-text-r2-001", "statcan-r2-004", "cb-nb-0339"):
        body = recorded_body(payload_id, "") if payload_id != "statcan-r2-004" else recorded_body(payload_id, "204.csv")
        assert proposed(body).wide is None, payload_id


@pytest.mark.parametrize(
    ("document", "rows_at", "sources"),
    [
        ({"base": "EUR", "rates": {day: {"USD": 1.1, "GBP": 0.9, "JPY": 150 + n} for n, day in enumerate(DAYS)}},
         "$.rates.*.*", ["@^~", "@~", "@"]),
        ([{"date": day, "rates": {"USD": 1.1, "GBP": 0.9, "JPY": 150 + n}} for n, day in enumerate(DAYS)],
         "$[*].rates.*", ["@^.date", "@~", "@"]),
        ([{"date": day, "ohlc": {"OPEN": 1, "HIGH": 2, "LOW": 3}} for day in DAYS], "",
         ["date", "@.ohlc.OPEN", "@.ohlc.HIGH", "@.ohlc.LOW"]),
    ],
)  # fmt: skip
def test_values_by_code_in_json(document: Any, rows_at: str, sources: list[str]) -> None:
    proposal = proposed(document)
    assert proposal.found.rows_at == rows_at
    assert [column.source for column in proposal.columns] == sources
    assert len(proposal.found.rows) == (72 if "*" in rows_at else 24)


def test_a_column_of_words_for_no_value_is_no_date() -> None:
    proposal = proposed(b"day,a,b\n" + b"".join(f"{day},N/A,1.5\n".encode() for day in DAYS))
    (column,) = [column for column in proposal.columns if column.name == "a"]
    assert (column.python, column.is_empty, column.missing) == ("str", True, ("N/A",))


def test_what_a_vendor_calls_its_fields_is_no_code() -> None:
    """A name that ends a line would end the comment that tells of it, and what follows would be run."""
    evil = "a\nraise SystemExit('run')\n#\u2028\r"
    rows = [{"day": day, evil: [1], f"{evil}b": number} for number, day in enumerate(DAYS)]
    proposal = propose(
        Words(name="mine", title=f'x"""\n{evil}\\'), Sampled(payload=json.dumps(rows).encode(), fetched_at=NOW),
        template=None, where="here",
    )  # fmt: skip
    assert len(entry_of(proposal).columns) == 2
    assert "raise SystemExit" not in [line.strip() for line in plugin_text(proposal).splitlines()]
