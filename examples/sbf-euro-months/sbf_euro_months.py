"""A gold table and nothing else: one SELECT over what the plugin ecb fills."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.api import AcceptedRange, Chart, GoldModel, NotNull, hookimpl

SQL = """
SELECT currency, CAST(date_trunc('month', date) AS DATE) AS month, count(*) AS days,
    arg_min(rate, date) AS first_rate, arg_max(rate, date) AS last_rate, min(rate) AS lowest, max(rate) AS highest
FROM silver.ecb_reference_rate
WHERE rate IS NOT NULL
GROUP BY ALL
"""


@hookimpl
def build_gold() -> Sequence[GoldModel]:
    """Built whenever the rates have changed, skipped otherwise; written only if every test passes."""
    return [
        GoldModel(
            name="euro_month", key=("currency", "month"), date_column="month", sql=SQL,
            tests=(NotNull(column="last_rate"), AcceptedRange(column="days", low=1, high=23)),
            charts=(
                Chart(
                    name="last", title="The euro at the end of each month", x="month", y="last_rate", series="currency",
                    shown=("USD", "CHF"), unit="units for one euro",
                ),
            ),
            doc="Euro reference rates by currency and month: units of the currency for one euro.",
        )
    ]  # fmt: skip
