"""Nights of a warehouse, one after the other, and what its owner is told: each alert once, and nothing else."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from older_release import back_to_schema
from warehouse import START, FakeVendor, Warehouse, entry, price

from sbf_core.alerts.alerting import Sent, alert
from sbf_core.alerts.message import Message
from sbf_core.api import DatasetFailure, ExpectedBy
from sbf_core.duck.migrate import latest_version, schema_version
from sbf_core.errors import EnvironmentFault
from sbf_core.secret import Secret

BY_NOON_OF_THE_NEXT = ExpectedBy(hour="12:00", zone="UTC", calendar="weekdays", days_later=1)
#: An old ledger, as of a release of long ago.
OLD_SCHEMA = 5


class Inbox:
    """Takes every message."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> str:
        self.messages.append(message)
        return ""

    def open(self, address: Secret, name: str) -> Inbox:
        del address, name
        return self


class Nights:
    """A warehouse that runs each night at ten, and tells then."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        datasets = [
            entry(dataset=name, silver_table=f"fake_{name}", expected_by=BY_NOON_OF_THE_NEXT) for name in ("eod", "fx")
        ]
        self.vendor = FakeVendor(*datasets)
        self.warehouse = Warehouse(folder / "home", self.vendor)
        self.warehouse.clock.advance(hours=10)
        self.inbox = Inbox()
        self.told: dict[int, list[str]] = {}
        self.patch = monkeypatch
        self.is_full = False
        monkeypatch.setenv("ALERT_MAIL", "json://127.0.0.1:9/")
        self.night = 0
        self._keep_room()

    def _keep_room(self) -> None:
        """The disk as it is, or a full one: no payload can be written, and nothing is free."""
        usage, write = shutil.disk_usage, os.write
        self.patch.setattr(
            shutil, "disk_usage", lambda path: usage(path)._replace(free=4096) if self.is_full else usage(path)
        )

        def written(handle: int, content: Any) -> int:
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(handle, content)

        self.patch.setattr("sbf_core.atomic_file.os.write", written)

    def days(self) -> list[dt.date]:
        """The last weekdays, today's included."""
        today = (START + dt.timedelta(days=self.night)).date()
        return [day for age in range(9, -1, -1) if (day := today - dt.timedelta(days=age)).isoweekday() <= 5]

    def pass_one(self, events: Mapping[str, bool]) -> None:
        """A night: vendors answer, the run runs, the owner is told."""
        first = self.days()[0]
        rows = [
            price("A", f"{day}", "2.5" if events.get("restated") and day == first else "1.5") for day in self.days()
        ]
        self.vendor.says(DatasetFailure("answered 503") if events.get("down") else rows, dataset="eod")
        if not events.get("silent"):
            self.vendor.says(rows, dataset="fx")
        self.is_full = bool(events.get("full"))
        if self.night == 0:
            (self.warehouse.home).mkdir(parents=True, exist_ok=True)
            (self.warehouse.home / "sbf.toml").write_text("[alerts.mail]\nto = 'ALERT_MAIL'\n", encoding="utf-8")
        with suppress(EnvironmentFault):
            self.warehouse.run()
        for outcome in alert(self.warehouse.opened(), open_channel=self.inbox.open):
            if outcome.sent is not Sent.NOTHING:
                assert outcome.sent is Sent.TOLD and outcome.message is not None
                self.told[self.night] = _short(outcome.message)
        self.warehouse.clock.advance(hours=24)
        self.night += 1


def _short(message: Message) -> list[str]:
    """What began, and with a minus what is over."""
    lines = message.body.splitlines()
    at = lines.index("well again:") if "well again:" in lines else len(lines)
    begun = [line.partition(",")[0] for line in lines[:at] if line and not line.startswith("  ")]
    return [*begun, *(f"-{line.strip().partition(',')[0]}" for line in lines[at + 1 :])]


def _plan(stretch: int) -> list[Mapping[str, bool]]:
    """What befalls a warehouse night by night, with ``stretch`` quiet nights between."""
    quiet: list[Mapping[str, bool]] = [{}] * stretch
    return [
        *quiet, {"restated": True}, *quiet, *[{"down": True}] * 5, *quiet, *[{"silent": True}] * 4, *quiet,
        *[{"full": True}] * 2, *quiet, {"upgraded": True}, *quiet, {"silent": True, "down": True}, *quiet,
    ]  # fmt: skip


def _expected(plan: Sequence[Mapping[str, bool]]) -> dict[int, list[str]]:
    """What the owner should be told, by a model of its own: a day's rows come on its night, and are late from noon of
    the day after it on.
    """
    told: dict[int, list[str]] = {}
    newest = dict.fromkeys(("eod", "fx"), dt.date.min)
    before: list[str] = []
    for night, events in enumerate(plan):
        today = (START + dt.timedelta(days=night)).date()
        weekdays = [day for age in range(7) if (day := today - dt.timedelta(days=age)).isoweekday() <= 5]
        came = {
            "eod": not (events.get("down") or events.get("full")),
            "fx": not (events.get("silent") or events.get("full")),
        }
        newest |= {name: weekdays[0] for name, is_there in came.items() if is_there}
        wanted = next(day for day in weekdays if day < today)
        faults = ["disk_low disk"] if events.get("full") else []
        faults += [f"late prices/fake/{name}" for name in newest if newest[name] < wanted]
        faults += ["not_fetched prices/fake/eod"] if events.get("down") else []
        begun, over = [one for one in faults if one not in before], [one for one in before if one not in faults]
        if begun or over:
            told[night] = [*begun, *(f"-{one}" for one in over)]
        before = faults
    return told


@pytest.mark.parametrize("stretch", [5, pytest.param(51, marks=pytest.mark.slow)])
def test_nights_are_told_as_they_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stretch: int) -> None:
    plan = _plan(stretch)
    nights = Nights(tmp_path, monkeypatch)
    for night, events in enumerate(plan):
        if events.get("upgraded"):
            with nights.warehouse.open(read_only=False) as cursor:
                back_to_schema(cursor, OLD_SCHEMA)
        nights.pass_one(events)
        assert nights.night == night + 1
    expected = _expected(plan)
    assert {night: sorted(told) for night, told in nights.told.items()} == {
        night: sorted(told) for night, told in expected.items()
    }
    assert {one.lstrip("-") for told in expected.values() for one in told} == {
        "disk_low disk", "late prices/fake/eod", "late prices/fake/fx", "not_fetched prices/fake/eod",
    }  # fmt: skip
    warehouse = nights.warehouse
    with warehouse.open() as cursor:
        assert schema_version(cursor) == latest_version()
    assert list((warehouse.home / "backups").glob(f"sbf-schema{OLD_SCHEMA}-*.duckdb"))
    weekdays = {
        day for number in range(len(plan)) if (day := (START + dt.timedelta(days=number)).date()).isoweekday() <= 5
    }
    for table in ("fake_eod", "fake_fx"):
        days = {day for (day,) in warehouse.ask(f"SELECT date FROM silver.{table}")}
        assert weekdays <= days, "no night is lost, whatever befell it"
    restated = warehouse.ask(
        "SELECT now.close, before.close FROM silver.fake_eod AS now JOIN silver.fake_eod_history AS before "
        "USING (symbol, date)"
    )
    assert restated == [(Decimal("2.5"), Decimal("1.5"))], "the value that was restated, and the one before"
