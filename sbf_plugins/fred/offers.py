"""Series of FRED that are offered, and its own search for all others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sbf_core.api import DataRules, Offer, PayloadRefused, RestRecipe, VendorSearch, offers_of_table

#: Of each frequency that FRED writes, in short, what it is; BW is a week in two.
_FREQUENCIES = {"D": "day", "W": "week", "BW": "week", "M": "month", "Q": "quarter", "SA": "half-year", "A": "year"}
_FOUND_MAX = 200
_WORDS_LETTERS = 300


def offers(*, usual: Sequence[str], terms: str, rules: DataRules, asked: dict[str, Any]) -> list[Offer | VendorSearch]:
    """The series that are shipped, and the search.

    Args:
        usual: the series that are fetched where the settings name none.
        terms: of use.
        rules: what tells an answer from an error.
        asked: keys and limits of a request.
    """
    facts: dict[str, Any] = {"usual": {"series": usual}, "terms": terms, "cost": "free with key"}

    def read(payload: bytes) -> list[Offer]:
        found = json.loads(payload).get("seriess")
        if not isinstance(found, list):
            raise PayloadRefused("lists no series")
        return [_offer(series, facts) for series in found]

    recipe = RestRecipe(
        url=(
            "https://api.stlouisfed.org/fred/series/search?search_text={ticker}&file_type=json"
            f"&order_by=search_rank&limit={_FOUND_MAX}"
        ),
        **asked,
    )
    return [
        *offers_of_table(Path(__file__).with_name("offers.tsv"), source_url="https://fred.stlouisfed.org", **facts),
        VendorSearch(name="fred", title="FRED", recipe=recipe, read=read, judges=True, is_data=rules),
    ]


def _offer(series: dict[str, Any], facts: dict[str, Any]) -> Offer:
    name = str(series["id"])
    return Offer(
        id=name,
        title=str(series["title"]),
        words=f"{series.get('units', '')} {str(series.get('notes', ''))[:_WORDS_LETTERS]}",
        frequency=_FREQUENCIES.get(str(series.get("frequency_short", "")), ""),
        options={"series": (name,)},
        source_url=f"https://fred.stlouisfed.org/series/{name}",
        **facts,
    )
