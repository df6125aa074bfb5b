"""What was known at any moment, against a model of a few lines.

A vendor publishes payloads; they are promoted in any order and any grouping. The model keeps all of them and answers
from the youngest payload that names a key.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warehouse import START, FakeVendor, Warehouse, counts_add_up, entry, price

from sbf_core.api import DataRules, hookimpl
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

Payload = dict[str, int]
payloads = st.dictionaries(st.sampled_from("ABC"), st.integers(1, 3), max_size=3)


class Published(FakeVendor):
    """Answers with the payload of an hour, dated to that hour."""

    hour = 0

    @hookimpl
    def fetch(self, entry: object, request: object) -> object:
        result = super().fetch(entry, request)
        return attrs.evolve(result, fetched_at=moment(self.hour), address=f"fake://{self.hour}")


def moment(hour: float) -> dt.datetime:
    return START + dt.timedelta(hours=hour)


def model(history: list[Payload], hour: float) -> dict[str, int]:
    """The values known at ``hour``: each key's value in the youngest payload that names it."""
    known: dict[str, int] = {}
    for published, payload in enumerate(history):
        if published <= hour:
            known.update(payload)
    return known


def versions(history: list[Payload]) -> list[tuple[str, int, dt.datetime]]:
    """Each value with the moment since when it is known, where it differs from what was known before."""
    found = []
    for hour, payload in enumerate(history):
        before = model(history, hour - 1)
        found += [
            (symbol, value, moment(hour).replace(tzinfo=None))
            for symbol, value in payload.items()
            if before.get(symbol) != value
        ]
    return sorted(found)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(payloads, min_size=1, max_size=5), data=st.data())
def test_as_of_equals_the_model_whatever_the_order(history: list[Payload], data: st.DataObject) -> None:
    arrival = data.draw(st.permutations(range(len(history))))
    together = data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history)))
    with tempfile.TemporaryDirectory() as folder:
        vendor = Published(entry(is_data=DataRules(may_be_empty=True)))
        warehouse = Warehouse(Path(folder) / "home", vendor)
        for hour, wait in zip(arrival, together, strict=True):
            vendor.hour = hour
            rows = json.dumps([price(symbol, "2024-01-01", value) for symbol, value in history[hour].items()])
            vendor.says(rows + " " * hour)  # bytes of its own: equal bytes, one after the other, would be kept once
            only = Layer.BRONZE if wait else None
            assert warehouse.run(hours_later=1, options=RunOptions(force=True, only=only)).errors == []
        assert warehouse.run(options=RunOptions(only=Layer.SILVER)).errors == []
        with warehouse.open() as cursor:
            for hour in range(-1, len(history) + 1):
                for shift in (-1, 0, 1):
                    when = moment(hour) + dt.timedelta(microseconds=shift)
                    expected = model(history, hour if shift >= 0 else hour - 1)
                    found = cursor.execute(
                        "SELECT symbol, close::INTEGER FROM silver.px_as_of(?)", [when.replace(tzinfo=None)]
                    )
                    assert dict(found.fetchall()) == expected, (hour, shift)
            canonical = (
                "SELECT symbol, close::INTEGER, known_from FROM ("
                "FROM silver.px SELECT symbol, close, known_from "
                "UNION ALL FROM silver.px_history SELECT symbol, close, known_from) "
                "ORDER BY ALL"
            )
            assert [(symbol, value, when) for symbol, value, when in cursor.execute(canonical).fetchall()] == versions(
                history
            )
        assert dict(warehouse.ask("SELECT symbol, close::INTEGER FROM silver.px")) == model(history, len(history))
        assert warehouse.ask("SELECT symbol FROM silver.px GROUP BY 1 HAVING count(*) > 1") == []
        counts_add_up(warehouse)
