"""How days stand in addresses: by a format, or as moments since 1970."""

from __future__ import annotations

import datetime as dt

import pytest

from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.questions import filled, filled_body
from sbf_core.runs.request import RunRequest

URL = "https://api.example.com/bars?from={from_date}&to={to_date}"
DAYS = RunRequest(
    run_id="r",
    domain="prices",
    source="example",
    dataset="bars",
    from_date=dt.date(2024, 2, 28),
    to_date=dt.date(2024, 2, 29),
)
FIRST, LAST = 1709078400, 1709251199  # 28 February 00:00:00 and 29 February 23:59:59, UTC


@pytest.mark.parametrize(
    ("date_format", "wanted"),
    [
        ("%Y-%m-%d", "from=2024-02-28&to=2024-02-29"),
        ("%d.%m.%y", "from=28.02.24&to=29.02.24"),
        ("s", f"from={FIRST}&to={LAST}"),
        ("ms", f"from={FIRST}000&to={LAST}999"),
        ("us", f"from={FIRST}000000&to={LAST}999999"),
        ("ns", f"from={FIRST}000000000&to={LAST}999999999"),
    ],
)
def test_days_are_written_as_declared(date_format: str, wanted: str) -> None:
    recipe = RestRecipe(url=URL, date_format=date_format)
    assert filled(recipe.url, DAYS, quoting=True, recipe=recipe).endswith(wanted)


def test_a_body_has_the_same_moments() -> None:
    recipe = RestRecipe(
        url="https://api.example.com/bars", json={"from": "{from_date}", "to": "{to_date}"}, date_format="s"
    )
    assert filled_body(recipe, DAYS).text == f'{{"from":"{FIRST}","to":"{LAST}"}}'
