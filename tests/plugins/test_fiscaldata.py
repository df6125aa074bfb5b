"""Fiscal Data of the Treasury, in the form that its documentation gives: every value is a text, also "null"."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from kit_of import kit_of
from recorded import Recording

from sbf_core.api import DatasetKeymapEntry, UsageError
from sbf_core.http.content import why_no_data
from sbf_plugins.fiscaldata import plugin

ALL = {"datasets": list(plugin._TABLES)}
OPTIONS = f"[options.fiscaldata]\ndatasets = {ALL['datasets']}\n"
DAY = "2026-09-30"
#: What a field holds, by how its column is typed. The numbers are made up.
VALUES = {"VARCHAR": "Treasury Notes", "DATE": DAY, "BIGINT": "1"}
#: Lines that show what is peculiar.
PECULIAR: dict[str, list[dict[str, str]]] = {
    "cash_balance": [
        {"account_type": "Treasury General Account (TGA) Closing Balance", "open_today_bal": "822275",
         "close_today_bal": "null"},
        {"account_type": "Treasury General Account (TGA) Opening Balance", "open_today_bal": "815000",
         "close_today_bal": "null"},
    ],
    "auctions": [
        {"cusip": "912797VH7", "security_type": "Bill", "high_yield": "null", "high_discnt_rate": "3.690000"},
        {"cusip": "91282CXX0", "security_type": "Note", "high_yield": "4.125000", "high_discnt_rate": "null"},
    ],
    "debt_to_penny": [{"tot_pub_debt_out_amt": "38968295059805.35"}],
    "rates_of_exchange": [
        {"country_currency_desc": "Canada-Dollar", "effective_date": DAY, "exchange_rate": "1.393"},
        {"country_currency_desc": "Canada-Dollar", "effective_date": "2026-10-15", "exchange_rate": "1.512"},
    ],
}  # fmt: skip


def answer(entry: DatasetKeymapEntry) -> bytes:
    plain = {column.source_name: VALUES.get(column.type, "1.5") for column in entry.columns} | {
        "record_date": DAY,
        "auction_date": DAY,
        "src_line_nbr": "1",
    }
    rows = [{**plain, **more} for more in PECULIAR.get(entry.dataset, [{}])]
    meta = {"count": len(rows), "labels": {}, "dataTypes": {}, "total-count": len(rows), "total-pages": 1}
    return json.dumps({"data": rows, "meta": meta, "links": {"self": "&page%5Bnumber%5D=1", "next": None}}).encode()


def recorded(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    moment = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    for entry in plugin.datasets(ALL):
        recording.add(entry.id, answer(entry), first=entry.first_date, moment=moment)
    return recording


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = recorded(tmp_path_factory.mktemp("fiscaldata"))
    context = recording.run(plugins=("fiscaldata",))
    assert (context.errors, context.rows_rejected) == ([], 0)
    return recording


def test_the_closing_balance_stands_where_the_opening_one_does(filled: Recording) -> None:
    """Since April 2022 close_today_bal is the text null, and account_type says which balance open_today_bal is."""
    found = filled.ask(
        "SELECT account LIKE '%Closing%', today_opens, today_closes FROM silver.fiscaldata_cash_balance ORDER BY 1"
    )
    assert found == [(False, Decimal("815000.00"), None), (True, Decimal("822275.00"), None)]


def test_debt_to_the_penny(filled: Recording) -> None:
    """Sixteen digits, of which a double holds no cents for long."""
    assert filled.ask("SELECT total FROM silver.fiscaldata_debt_to_penny") == [(Decimal("38968295059805.35"),)]


def test_an_amended_rate_is_a_row_beside_the_first(filled: Recording) -> None:
    assert filled.ask("SELECT effective, rate FROM silver.fiscaldata_rates_of_exchange ORDER BY 1") == [
        (dt.date(2026, 9, 30), Decimal("1.393")), (dt.date(2026, 10, 15), Decimal("1.512")),
    ]  # fmt: skip


def test_bills_have_a_discount_and_notes_a_yield(filled: Recording) -> None:
    assert filled.ask("SELECT kind, high_yield, high_discount FROM silver.fiscaldata_auctions ORDER BY 1") == [
        ("Bill", None, Decimal("3.690000")), ("Note", Decimal("4.125000"), None),
    ]  # fmt: skip


def test_a_note_of_the_service_is_no_data() -> None:
    (entry,) = plugin.datasets({"datasets": ["auctions"]})
    note: dict[str, Any] = {"error": "Invalid Query Param", "message": "Invalid query parameter 'pages'"}
    assert why_no_data(entry, json.dumps(note).encode(), "json") is not None
    with pytest.raises(UsageError, match="no dataset 'debt'"):
        plugin.datasets({"datasets": ["debt"]})


test_fiscaldata_conforms, test_fiscaldata_conforms_wholly = kit_of(
    "fiscaldata", lambda folder: recorded(folder).folder, ALL
)
