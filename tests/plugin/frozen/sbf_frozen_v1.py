"""A plugin as it was written for HOOK_API 1. It is frozen: what it does must work for as long as the number is supported. Do not edit."""

import datetime as dt
import json
from decimal import Decimal

import attrs

from sbf_core.api import (
    AcceptedRange,
    Cadence,
    DataRules,
    DatasetKeymapEntry,
    FileRecipe,
    ForeignKey,
    GoldModel,
    GoldSource,
    NotNull,
    ParseRows,
    PayloadRefused,
    RunResult,
    SelectRows,
    Unique,
    UniverseMember,
    checked_options,
    column,
    fetch_by_recipe,
    hookimpl,
)

HOOK_API = 1


@attrs.frozen
class Rain:
    station: str = column(key=True, source="request.ticker")
    day: dt.date = column(key=True, row_date=True, date_format="%d.%m.%Y")
    amount: Decimal | None = column(source="mm", precision=8, scale=1, missing=("n/a",), unit="mm", doc="in 24 hours")


@attrs.frozen
class Station:
    station: str = column(key=True)
    height: int | None = column(unit="m")


@hookimpl
def datasets(options):
    stations = checked_options(options, stations=("Kew", "Oxford"))["stations"]
    shared = {"domain": "weather", "source": "frozen", "title": "Rain", "terms": "None.", "source_url": "https://example.com", "tags": ("daily",)}
    return [
        DatasetKeymapEntry(
            **shared, dataset="rain", silver_table="frozen_rain", columns=Rain, scope="per_ticker", members=stations, recipe=FileRecipe(path="{ticker}.csv"),
            refresh_after_hours=1, cadence=Cadence(min_age_days=1), lookback_days=3, reject_share_max=0.5, first_date=dt.date(2024, 1, 1),
        ),
        DatasetKeymapEntry(
            **shared, dataset="stations", silver_table="frozen_station", columns=Station, semantics="snapshot", recipe=FileRecipe(path="stations.json", extension="json"),
            is_data=DataRules(error_fields=("error",), may_be_empty=False), on_duplicate="last",
        ),
    ]  # fmt: skip


@hookimpl
def fetch(entry, request, http):
    if entry.dataset == "stations":
        result = http.read(request, "stations.json", extension="json")
        assert isinstance(result, RunResult)
        return result
    return fetch_by_recipe(entry, request, http)


@hookimpl
def promote(entry, batch):
    if entry.dataset == "stations":
        return ParseRows(parse)
    assert batch.extension == "csv" and batch.fields == ("day", "mm")
    return SelectRows("SELECT _file, day, mm FROM batch")


def parse(payload):
    found = json.loads(payload)
    if not isinstance(found, list):
        raise PayloadRefused("no list")
    return found


@hookimpl
def build_gold(options):
    return [
        GoldModel(
            name="frozen_wet", key=("station",), kind="fact", sql="SELECT station, sum(amount) AS amount, max(day) AS day FROM rain GROUP BY station",
            sources={"rain": [GoldSource(table="silver.frozen_rain")]}, date_column="day", surrogate_key="wet_key", doc="One row a station.",
            tests=(NotNull(column="amount"), AcceptedRange(column="amount", low=0), Unique(columns=("day", "station"))),
        ),
        GoldModel(
            name="frozen_dry", key=("station",), sql="SELECT station FROM gold.frozen_wet WHERE amount = 0",
            tests=(ForeignKey(columns=("station",), to="frozen_wet", to_columns=("station",)),),
        ),
    ]  # fmt: skip


@hookimpl
def universe_members():
    return [UniverseMember(ticker="Kew", valid_from=dt.date(2020, 1, 1))]
