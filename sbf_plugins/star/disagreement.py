"""Where sources of prices differ, by more than the user lets pass."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sbf_core.api import AcceptedRange, GoldModel, NotNull, UsageError, sql_file
from sbf_plugins.star import sources

_TICK = re.compile(r"[0-9]{1,6}(\.[0-9]{1,8})?")


def price_disagreement(compared: Sequence[str], tick: str) -> GoldModel:
    """The model over the sources that are compared.

    Args:
        compared: their names, two at least.
        tick: the largest difference that is none, as a text so that it is exact, e.g. ``0.01``.

    Raises:
        UsageError: fewer than two sources, a name that is none, or a tick that is no number.
    """
    if len(set(compared)) < 2:
        raise UsageError(
            "two sources at least can be compared",
            where="[options.star] compare",
            fix='compare = ["fmp", "polygon"], tick = "0.01"',
            code="OPTION",
        )
    if not _TICK.fullmatch(tick):
        raise UsageError(
            f"tick {tick!r} is no number" if tick else "nothing says what difference counts",
            where="[options.star] tick",
            fix='tick = "0.01", in the currency of the price and as a text',
            code="OPTION",
        )
    return GoldModel(
        name="price_disagreement",
        key=("ticker", "date", "measure", "source", "other_source"),
        date_column="date",
        sql=sql_file(__file__, "price_disagreement").replace("$tick", f"CAST('{tick}' AS DECIMAL(24,8))"),
        sources={"bars": sources.bars(compared, option="compare")},
        tests=(NotNull(column="difference"), AcceptedRange(column="difference", low=0)),
        doc=(
            "One row a price that two sources state differently, by more than the tick: of one day, currency and "
            "adjustment. Prices adjusted for dividends are not compared: each vendor does that in its own way."
        ),
    )
