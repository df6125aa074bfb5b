"""How the Bank of Canada is asked, and what an observation is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import Cadence, Chart, DataRules, DatasetKeymapEntry, RestRecipe, column

TERMS = "Source: Bank of Canada, https://www.bankofcanada.ca/terms/. No key."

_VALET = "https://www.bankofcanada.ca/valet/observations"


@attrs.frozen
class Observation:
    """One value of one series. A series that has none on a day is left out of that day by the bank."""

    series: str = column(key=True, source="@~", doc="e.g. FXUSDCAD: Canadian dollars for one US dollar")
    date: dt.date = column(key=True, row_date=True, source="@^.d")
    value: Decimal | None = column(precision=28, scale=12, source="@", unit="that of the series", missing=("",))


_CHART = Chart(name="values", title="Values", x="date", y="value", series="series", sessions=True)


def entries(groups: Sequence[str], series: Sequence[str], since: dt.date) -> list[DatasetKeymapEntry]:
    """The datasets that have members. Answers of groups and of series have one form."""
    shared: dict[str, Any] = {
        "domain": "rates",
        "source": "boc",
        "scope": "per_ticker",
        "columns": Observation,
        "rows_at": "$.observations[*].*.v",
        "is_data": DataRules(error_fields=("message",), may_be_empty=True),
        "first_date": since,
        "lookback_days": 7,
        "refresh_after_hours": 12,
        "cadence": Cadence(calendar="weekdays"),
        "tags": ("daily", "rates", "fx"),
        "charts": (_CHART,),
        "terms": TERMS,
        "region": "CA",
        "frequency": ("day", "week", "month", "quarter"),
        "cost": "free",
        "source_url": "https://www.bankofcanada.ca/valet/docs",
    }
    days = "json?start_date={from_date}&end_date={to_date}"
    made = []
    if groups:
        recipe = RestRecipe(url=f"{_VALET}/group/{{ticker}}/{days}", limits=("2/second",))
        made.append(
            DatasetKeymapEntry(
                **shared, dataset="groups", silver_table="boc_group", members=tuple(dict.fromkeys(groups)),
                recipe=recipe, title="Series of groups, such as daily exchange rates",
            )
        )  # fmt: skip
    if series:
        recipe = RestRecipe(url=f"{_VALET}/{{ticker}}/{days}", limits=("2/second",))
        made.append(
            DatasetKeymapEntry(
                **shared, dataset="series", silver_table="boc_series", members=tuple(dict.fromkeys(series)),
                recipe=recipe, title="Single series, such as the target for the overnight rate",
            )
        )  # fmt: skip
    return made
