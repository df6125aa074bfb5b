"""Fiscal Data of the U.S. Treasury: debt, cash, interest, gold, rates of exchange and auctions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import (
    Column,
    DataRules,
    DatasetKeymapEntry,
    Pages,
    RestRecipe,
    checked_options,
    checked_words,
    hookimpl,
)

_API = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/"
#: The API writes what there is not as a text.
_NONE = ("null",)
#: A stretch without a day of business has no rows.
_RULES = DataRules(error_fields=("error",), may_be_empty=True)


def _record_date(doc: str = "") -> Column:
    return Column(name="record_date", type="DATE", key=True, row_date=True, doc=doc)


def _text(name: str, source: str, *, key: bool = False, doc: str = "") -> Column:
    missing = () if key else _NONE
    return Column(name=name, type="VARCHAR", source=source, key=key, nullable=not key, missing=missing, doc=doc)


def _amount(name: str, source: str, unit: str = "USD", doc: str = "", kind: str = "DECIMAL(24,2)") -> Column:
    return Column(name=name, type=kind, nullable=True, source=source, missing=_NONE, unit=unit, doc=doc)


def _day(name: str, source: str, doc: str = "") -> Column:
    return Column(name=name, type="DATE", nullable=True, source=source, missing=_NONE, doc=doc)


_LINE = Column(name="line", type="BIGINT", key=True, source="src_line_nbr", doc="of the statement, from 1 on each day")
_MILLIONS = "million USD"
_THREE = tuple(
    _amount(name, source, _MILLIONS)
    for name, source in (
        ("today", "transaction_today_amt"), ("month", "transaction_mtd_amt"), ("fiscal_year", "transaction_fytd_amt"),
    )
)  # fmt: skip
_BIDDERS = tuple(
    _amount(f"{bidder}_accepted", f"{bidder}_accepted")
    for bidder in ("primary_dealer", "direct_bidder", "indirect_bidder", "comp", "noncomp", "soma")
)
_AUCTION = (
    Column(name="cusip", type="VARCHAR", key=True),
    Column(name="auction_date", type="DATE", key=True, row_date=True),
    _text("kind", "security_type", doc="Bill, Note, Bond; TIPS and FRN, too"),
    _text("term", "security_term", doc="what is left of it, where it is reopened: 9-Year 10-Month"),
    _text("original_term", "original_security_term"),
    _text("is_reopening", "reopening", doc="Yes, No"),
    _text("is_inflation_indexed", "inflation_index_security", doc="Yes, No"),
    _text("is_floating", "floating_rate", doc="Yes, No"),
    _day("announced", "announcemt_date"),
    _day("issued", "issue_date"),
    _day("matures", "maturity_date"),
    _amount("coupon", "int_rate", "percent", kind="DECIMAL(12,6)"),
    _amount("high_yield", "high_yield", "percent", "NULL of a bill", kind="DECIMAL(12,6)"),
    _amount("high_discount", "high_discnt_rate", "percent", "of a bill", kind="DECIMAL(12,6)"),
    _amount("high_investment", "high_investment_rate", "percent", "of a bill", kind="DECIMAL(12,6)"),
    _amount("price", "price_per100", "USD for 100", kind="DECIMAL(14,6)"),
    _amount("bid_to_cover", "bid_to_cover_ratio", "ratio", "tendered by accepted", kind="DECIMAL(8,2)"),
    _amount("offered", "offering_amt"),
    _amount("tendered", "total_tendered"),
    _amount("accepted", "total_accepted"),
    *_BIDDERS,
)
#: By name: the endpoint, its columns, its first day, and its title.
_TABLES: dict[str, tuple[str, tuple[Column, ...], dt.date, str]] = {
    "debt_to_penny": (
        "v2/accounting/od/debt_to_penny",
        (
            _record_date(), _amount("held_by_public", "debt_held_public_amt", doc="NULL before 2001"),
            _amount("intragovernmental", "intragov_hold_amt", doc="NULL before 2001"),
            _amount("total", "tot_pub_debt_out_amt"),
        ),
        dt.date(1993, 4, 1), "Debt of the U.S., to the penny",
    ),
    "debt_outstanding": (
        "v2/accounting/od/debt_outstanding",
        (_record_date("the last day of the fiscal year"), _amount("outstanding", "debt_outstanding_amt")),
        dt.date(1790, 1, 1), "Debt of the U.S. since 1790, by fiscal year",
    ),
    "average_rates": (
        "v2/accounting/od/avg_interest_rates",
        (
            _record_date("the last day of the month"), _text("kind", "security_type_desc", key=True),
            _text("security", "security_desc", key=True),
            _amount("rate", "avg_interest_rate_amt", "percent a year", kind="DECIMAL(9,4)"),
        ),
        dt.date(2001, 1, 1), "Mean interest on the debt, by kind",
    ),
    "interest_expense": (
        "v2/accounting/od/interest_expense",
        (
            _record_date("the last day of the month"), _text("category", "expense_catg_desc", key=True),
            _text("expense_group", "expense_group_desc", key=True), _text("kind", "expense_type_desc", key=True),
            _amount("month", "month_expense_amt"), _amount("fiscal_year", "fytd_expense_amt"),
        ),
        dt.date(2010, 5, 1), "Interest paid on the debt",
    ),
    "rates_of_exchange": (
        "v1/accounting/od/rates_of_exchange",
        (
            _record_date("the last day of the quarter"), _text("country_currency", "country_currency_desc", key=True),
            Column(name="effective", type="DATE", key=True, source="effective_date", doc="later where it was amended"),
            _text("country", "country"), _text("currency", "currency"),
            _amount("rate", "exchange_rate", "of the currency for a USD", kind="DECIMAL(18,6)"),
        ),
        dt.date(2001, 1, 1), "Rates of exchange by which the U.S. reports",
    ),
    "gold_reserve": (
        "v2/accounting/od/gold_reserve",
        (
            _record_date("the last day of the month"), _text("facility", "facility_desc", key=True),
            _text("form", "form_desc", key=True), _text("location", "location_desc", key=True),
            _amount("ounces", "fine_troy_ounce_qty", "troy ounces", kind="DECIMAL(20,3)"),
            _amount("book_value", "book_value_amt", doc="at 42.2222 USD an ounce, by law"),
        ),
        dt.date(2011, 1, 1), "Gold of the Treasury",
    ),
    "cash_balance": (
        "v1/accounting/dts/operating_cash_balance",
        (
            _record_date(), _text("account", "account_type", key=True),
            _amount("today_opens", "open_today_bal", _MILLIONS, "since 18 April 2022 the closing balance, too, where "
                    "account says so"),
            _amount("today_closes", "close_today_bal", _MILLIONS, "NULL since 18 April 2022"),
            _amount("month_opens", "open_month_bal", _MILLIONS),
            _amount("fiscal_year_opens", "open_fiscal_year_bal", _MILLIONS),
        ),
        dt.date(2005, 10, 3), "Cash of the Treasury (daily statement)",
    ),
    "cash_flows": (
        "v1/accounting/dts/deposits_withdrawals_operating_cash",
        (
            _record_date(), _LINE, _text("account", "account_type"), _text("direction", "transaction_type"),
            _text("category", "transaction_catg"), _text("category_more", "transaction_catg_desc"), *_THREE,
        ),
        dt.date(2005, 10, 3), "Deposits and withdrawals of the Treasury (daily statement)",
    ),
    "debt_transactions": (
        "v1/accounting/dts/public_debt_transactions",
        (
            _record_date(), _LINE, _text("direction", "transaction_type", doc="Issues, Redemptions"),
            _text("market", "security_market", doc="Marketable, Nonmarketable"), _text("kind", "security_type"),
            _text("kind_more", "security_type_desc"), *_THREE,
        ),
        dt.date(2005, 10, 3), "Debt issued and redeemed (daily statement)",
    ),
    "auctions": ("v1/accounting/od/auctions_query", _AUCTION, dt.date(1979, 11, 15), "Auctions of Treasury securities"),
}  # fmt: skip
#: What is fetched where the settings choose nothing: all but the statements of many lines a day.
USUAL = tuple(name for name in _TABLES if name not in ("cash_flows", "debt_transactions"))


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The tables that the settings choose, by days."""
    chosen = checked_options(options, datasets=USUAL)["datasets"]
    names = checked_words(chosen, _TABLES, what="dataset", where="[options.fiscaldata] datasets")
    return [_entry(name) for name in names]


_FREQUENCIES = {
    "debt_to_penny": "day", "debt_outstanding": "year", "average_rates": "month", "interest_expense": "month",
    "rates_of_exchange": "quarter", "gold_reserve": "month", "cash_balance": "day", "cash_flows": "day",
    "debt_transactions": "day", "auctions": "irregular",
}  # fmt: skip


def _entry(name: str) -> DatasetKeymapEntry:
    path, columns, first, title = _TABLES[name]
    day = next(column.source_name for column in columns if column.row_date)
    return DatasetKeymapEntry(
        domain="fiscal",
        source="fiscaldata",
        dataset=name,
        silver_table=f"fiscaldata_{name}",
        columns=columns,
        rows_at="data",
        recipe=RestRecipe(
            url=(f"{_API}{path}?filter={day}:gte:{{from_date}},{day}:lte:{{to_date}}&sort={day}&format=json"),
            pages=Pages(
                by="page",
                parameter="page[number]",
                size=10_000,
                size_parameter="page[size]",
                total_at="meta.total-count",
            ),
            limits=("2/second",),
            connections=2,
        ),
        is_data=_RULES,
        first_date=first,
        lookback_days=45,
        horizon="any" if name == "auctions" else 1,
        opt_in=True,
        tags=("fiscal",),
        region="world" if name == "rates_of_exchange" else "US",
        frequency=_FREQUENCIES[name],
        cost="free",
        title=title,
        terms="U.S. government work, public domain.",
        source_url="https://fiscaldata.treasury.gov/api-documentation/",
    )
