"""Silver against a model, through everything that can happen to it.

A vendor publishes, revises, drops and re-adds rows, states some twice, sends the same again, sends late; runs stop at
any fault point, payloads are packed or not, the database is lost and made again, or comes from an older release. After
each step silver's current rows, its history and what it knew at every moment, and an instant either side, are those of
the model.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import attrs
import figures
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from older_release import back_to_schema_1
from warehouse import START, FakeVendor, Warehouse, counts_add_up, entry, price

from sbf_core import faults
from sbf_core.api import DataRules, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext
from sbf_core.vocabulary import Layer

KEYS = "ABC"
FUTURE = dt.datetime(2100, 1, 1)
INSTANT = dt.timedelta(microseconds=1)


def at(hour: int) -> dt.datetime:
    return START.replace(tzinfo=None) + dt.timedelta(hours=hour)


class Model:
    """Every payload with its hour; None stands for a value that was stated twice and differently."""

    def __init__(self, semantics: str) -> None:
        self.semantics = semantics
        self.payloads: dict[int, dict[str, int | None]] = {}

    def known(self, moment: dt.datetime) -> dict[str, int]:
        """What was known at a moment."""
        found: dict[str, int] = {}
        for hour in sorted(self.payloads):
            rows = self.payloads[hour]
            live = {key: value for key, value in rows.items() if value is not None}
            if at(hour) > moment or not live:
                continue
            if self.semantics == "snapshot":
                found = {key: value for key, value in found.items() if key in rows}
            if self.semantics == "append":
                live = {key: value for key, value in live.items() if key not in found}
            found |= live
        return found

    def versions(self) -> list[tuple[str, int, dt.datetime, dt.datetime]]:
        """Each value, 0 for a row that was gone, with the moments since and until when that was known;
        the far future where it still is.
        """
        found = []
        for key in KEYS:
            told: list[tuple[int, dt.datetime]] = []
            for hour in sorted(self.payloads):
                value = self.known(at(hour)).get(key, 0)
                if value != (told[-1][0] if told else 0):
                    told.append((value, at(hour)))
            ends = [moment for _, moment in told[1:]] + [FUTURE]
            found += [(key, value, moment, end) for (value, moment), end in zip(told, ends, strict=False)]
        return sorted(found)


class Published(FakeVendor):
    """Answers with the payload of an hour, dated to that hour."""

    hour = 0

    @hookimpl
    def fetch(self, entry: object, request: object) -> object:
        return attrs.evolve(
            super().fetch(entry, request),
            fetched_at=START + dt.timedelta(hours=self.hour),
            address=f"fake://{self.hour}",
        )


rows = st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3), max_size=3)
POINTS = [
    point
    for point in faults.FAULT_POINTS
    if point.split(".")[0] in ("fetch", "bronze", "pack", "journal", "manifest", "promote", "run", "recover", "publish")
]


class Silver(RuleBasedStateMachine):
    """The machine."""

    semantics = "upsert"

    @initialize()
    def start(self) -> None:
        semantics = self.semantics
        self.folder = Path(tempfile.mkdtemp(prefix="sbf-machine-"))
        self.model = Model(semantics)
        self.vendor = Published(entry(semantics=semantics, reject_share_max=1.0, is_data=DataRules(may_be_empty=True)))
        self.warehouse = Warehouse(self.folder / "home", self.vendor)
        self.last = 0
        self.small, self.is_plain = "files", True
        self.pending: dict[int, dict[str, int | None]] = {}

    def teardown(self) -> None:
        figures.add("histories compared with the model")
        faults.arm("")
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def run(self, hours_later: float = 0, **options: Any) -> RunContext:
        return self.warehouse.run(hours_later=hours_later, options=RunOptions(**options), bronze__small=self.small)

    @rule()
    def keeps_small_payloads_otherwise(self) -> None:
        self.small, self.is_plain = ("packs", False) if self.small == "files" else ("files", self.is_plain)

    def publish(self, hour: int, content: dict[str, int | None], text: str, *, only: Layer | None = None) -> None:
        self.vendor.hour = hour
        self.vendor.says(text + " " * hour)  # bytes of its own: the same bytes, one after the other, are kept once
        self.pending[hour] = content
        context = self.run(1, force=True, only=only)
        assert [error for error in context.errors if "rejected" not in error] == []
        self.arrived()

    def arrived(self) -> None:
        self.model.payloads |= self.pending
        self.pending = {}

    @rule(content=rows, only=st.sampled_from([None, Layer.BRONZE]))
    def publishes(self, content: dict[str, int], only: Layer | None) -> None:
        self.last += 2
        self.publish(
            self.last,
            dict(content),
            json.dumps([price(key, "2024-01-01", value) for key, value in content.items()]),
            only=only,
        )

    @rule(content=rows, back=st.integers(0, 6))
    @precondition(lambda self: self.last > 2)
    def publishes_late(self, content: dict[str, int], back: int) -> None:
        hour = max(1, self.last - 1 - 2 * back)
        if hour not in self.model.payloads:
            self.publish(
                hour, dict(content), json.dumps([price(key, "2024-01-01", value) for key, value in content.items()])
            )

    @rule(key=st.sampled_from(KEYS), values=st.tuples(st.integers(1, 2), st.integers(1, 2)))
    def states_a_key_twice(self, key: str, values: tuple[int, int]) -> None:
        self.last += 2
        other = next(each for each in KEYS if each != key)
        stated = [
            price(key, "2024-01-01", values[0]),
            price(key, "2024-01-01", values[1]),
            price(other, "2024-01-01", 3),
        ]
        self.publish(self.last, {key: values[0] if values[0] == values[1] else None, other: 3}, json.dumps(stated))

    @rule()
    @precondition(lambda self: self.last > 0)
    def sends_the_same_again(self) -> None:
        files = self.warehouse.bronze_files()
        context = self.run(1, force=True)
        assert context.rows_inserted + context.rows_updated == 0 or self.warehouse.bronze_files() == files

    @rule(content=rows, point=st.sampled_from(POINTS), number=st.integers(1, 2))
    def stops_at(self, content: dict[str, int], point: str, number: int) -> None:
        """A run stops; what it fetched is kept if its journal line is written, else it is fetched again."""
        self.last += 2
        self.vendor.hour = self.last
        self.vendor.says(
            json.dumps([price(key, "2024-01-01", value) for key, value in content.items()]) + " " * self.last
        )
        faults.arm(f"{point}:{number}:raise")
        try:
            self.run(1, force=True)
        except RuntimeError as error:
            assert "fault at" in str(error)
        finally:
            faults.arm("")
        self.pending[self.last] = dict(content)
        assert self.run(1, force=True).errors == []
        self.arrived()

    @rule()
    @precondition(lambda self: bool(self.model.payloads))
    def loses_the_database(self) -> None:
        manager = PluginManager(())
        manager.register(self.vendor, name="fake")
        assert rebuild(self.warehouse.opened(manager)).context.errors == []

    @rule()
    @precondition(lambda self: bool(self.model.payloads) and self.is_plain)  # which knew no packs
    def comes_from_an_older_release(self) -> None:
        self.run(only=Layer.SILVER)
        with self.warehouse.open(read_only=False) as cursor:
            back_to_schema_1(cursor)

    @invariant()
    def silver_is_the_model(self) -> None:
        if not getattr(self, "model", None) or not self.model.payloads:
            return
        assert self.run(only=Layer.SILVER).errors == []
        with self.warehouse.open() as cursor:
            current = cursor.execute("SELECT symbol, close::INTEGER FROM silver.px").fetchall()
            assert sorted(current) == sorted(self.model.known(at(10**5)).items())
            kept = cursor.execute(
                "SELECT symbol, close::INTEGER, known_from, TIMESTAMP '2100-01-01' FROM silver.px UNION ALL "
                "SELECT symbol, CASE WHEN _deleted THEN 0 ELSE close::INTEGER END, known_from, "
                "coalesce(known_to, TIMESTAMP '2100-01-01') FROM silver.px_history"
            )
            assert sorted(kept.fetchall()) == self.model.versions()
            for hour in self.model.payloads:
                for moment in (at(hour) - INSTANT, at(hour), at(hour) + INSTANT):
                    then = sorted(self.model.known(moment).items())
                    assert (
                        sorted(
                            cursor.execute("SELECT symbol, close::INTEGER FROM silver.px_as_of(?)", [moment]).fetchall()
                        )
                        == then
                    )
                    assert (
                        sorted(
                            cursor.execute(
                                "SELECT symbol, close::INTEGER FROM silver.px_as_of(TIMESTAMP '2100-01-01', ?)",
                                [moment],
                            ).fetchall()
                        )
                        == then
                    )
        counts_add_up(self.warehouse)


class Snapshots(Silver):
    """Rows that vanish are closed."""

    semantics = "snapshot"


class Appends(Silver):
    """Rows are written once."""

    semantics = "append"


MANY = int(os.environ.get("SBF_MACHINE_EXAMPLES", "5"))
#: To see that something fails, it need not be made small.
PHASES = (Phase.explicit, Phase.generate) if os.environ.get("SBF_MACHINE_QUICK") else tuple(Phase)
usual = settings(
    phases=PHASES, max_examples=MANY, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
for machine in (Silver, Snapshots, Appends):
    machine.TestCase.settings = usual
    machine.TestCase.pytestmark = [pytest.mark.timeout(7200 if MANY > 8 else 1800)]
TestUpserts, TestSnapshots, TestAppends = Silver.TestCase, Snapshots.TestCase, Appends.TestCase
