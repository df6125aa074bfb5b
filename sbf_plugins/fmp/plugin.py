"""Financial Modeling Prep: prices, companies, statements, calendars and indicators.

The key's plan decides what of it can be had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sbf_core.api import (
    DatasetKeymapEntry,
    PromotionBatch,
    RestRecipe,
    SelectRows,
    UsageError,
    checked_options,
    hookimpl,
)
from sbf_plugins.fmp import columns as c
from sbf_plugins.fmp.catalog import API, PLANS, RULES, SPECS, Spec

if TYPE_CHECKING:
    from sbf_core.api import Offer

#: What is fetched where the settings choose nothing.
USUAL = ("profile", "eod", "dividends", "splits", "income_statement", "balance_sheet", "cash_flow")
_TERMS = "FMP's terms; the data may not be passed on. Key: FMP_API_KEY."
_DESCRIBED = "https://site.financialmodelingprep.com/developer/docs"
_BY_NAME = {spec.name: spec for spec in SPECS}


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """The datasets that the settings choose and the plan covers."""
    chosen = checked_options(
        options, plan="free", datasets=USUAL, fx=("EURUSD", "GBPUSD", "USDJPY"),
        crypto=("BTCUSD", "ETHUSD"), indicators=("GDP", "CPI", "unemploymentRate", "federalFunds"),
    )  # fmt: skip
    if chosen["plan"] not in PLANS:
        raise UsageError(
            f"plan {chosen['plan']!r} is not known",
            where="[options.fmp]",
            fix=f"use one of {', '.join(PLANS)}",
            code="OPTION",
        )
    names = tuple(_BY_NAME) if chosen["datasets"] == ("all",) else chosen["datasets"]
    unknown = next((name for name in names if name not in _BY_NAME), None)
    if unknown is not None:
        raise UsageError(
            f"there is no dataset {unknown!r}",
            where="[options.fmp] datasets",
            fix=f"use all, or some of {', '.join(_BY_NAME)}",
            code="OPTION",
        )
    rank = tuple(PLANS).index(chosen["plan"])
    covered = [_BY_NAME[name] for name in names if tuple(PLANS).index(_BY_NAME[name].plan) <= rank]
    return [_entry(spec, PLANS[chosen["plan"]], chosen) for spec in covered]


def _entry(spec: Spec, limits: Sequence[str], chosen: Mapping[str, Any]) -> DatasetKeymapEntry:
    recipe = RestRecipe(
        url=f"{API}/{spec.ask}",
        secrets={"apikey": "FMP_API_KEY"},
        limits=tuple(limits),
        class_mark="-",
        plan=spec.plan,
        **spec.recipe,
    )
    facts: dict[str, Any] = {"is_data": RULES, **spec.entry}
    if spec.per != "all":
        facts |= {"scope": "per_ticker", "members": chosen.get(spec.per, ())}
    return DatasetKeymapEntry(
        domain=spec.domain,
        source="fmp",
        dataset=spec.name,
        silver_table=f"fmp_{spec.name}",
        columns=tuple(spec.columns),
        recipe=recipe,
        first_date=spec.first,
        lookback_days=spec.lookback,
        refresh_after_hours=spec.hours,
        title=spec.title,
        region=spec.region,
        frequency=spec.frequency,
        cost=_cost(spec),
        terms=_TERMS,
        passing_on="no",
        source_url=_DESCRIBED,
        **facts,
    )


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> SelectRows:
    """Three shapes: lists of objects (``stable``), objects with ``historical`` (v3), and bulk CSV;
    v3 has other names for some fields.
    """
    names = {
        column.source_name: c.V3_NAMES.get(entry.dataset, {}).get(column.source_name, (column.source_name,))
        for column in entry.columns
    }
    if batch.extension == "csv":
        present = set(batch.fields)
        picked = ", ".join(
            _first_of(name, [f'"{field}"' for field in fields if field in present]) for name, fields in names.items()
        )
        return SelectRows(f"SELECT _file, {picked} FROM batch")
    shape = json.dumps({fields[0]: "VARCHAR" for fields in names.values()})
    rows = "CASE json_type(document) WHEN 'OBJECT' THEN document->'historical' ELSE document END"
    above = {"symbol": ["document->>'symbol'"]}  # v3 names the symbol once
    # Other names are taken from the JSON itself: the keys of a structure may not differ in case only, as epsDiluted and
    # epsdiluted do.
    picked = ", ".join(
        _first_of(name, [f'r."{fields[0]}"', *(f"item->>'{field}'" for field in fields[1:]), *above.get(name, [])])
        for name, fields in names.items()
    )
    items = f"SELECT _file, document, unnest(from_json({rows}, '[\"JSON\"]')) AS item FROM batch"
    return SelectRows(f"SELECT _file, {picked} FROM (SELECT *, from_json(item, '{shape}') AS r FROM ({items}))")


def _first_of(name: str, expressions: Sequence[str]) -> str:
    return f'coalesce({", ".join([*expressions, "NULL"])}) AS "{name}"'


@hookimpl
def offers(options: Mapping[str, Any]) -> Sequence[Offer]:
    """Every dataset that is not chosen, with the plan that has it where the chosen one has not."""
    from sbf_core.api import Offer

    rank = tuple(PLANS).index(options.get("plan", "free"))
    return [
        Offer(
            id=f"{spec.domain}/fmp/{spec.name}",
            title=spec.title,
            words=spec.plan,
            options={"datasets": (spec.name,), **({"plan": spec.plan} if tuple(PLANS).index(spec.plan) > rank else {})},
            usual={"datasets": USUAL},
            region=spec.region,
            frequency=spec.frequency,
            cost=_cost(spec),
            terms=_TERMS,
            passing_on="no",
            source_url=_DESCRIBED,
        )
        for spec in SPECS
        if options.get("datasets") != ["all"]
    ]


def _cost(spec: Spec) -> str:
    return "free with key" if spec.plan == "free" else "paid"
