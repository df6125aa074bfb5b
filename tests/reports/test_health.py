"""What is late and what fails, as monitors are told."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from warehouse import START, FakeVendor, Warehouse, entry, price

from sbf_core.api import Cadence, DatasetFailure, ExpectedBy, GoldModel, UsageError
from sbf_core.errors import EnvironmentFault
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.health import Fault, FaultKind, Health, record_of
from sbf_core.reports.health_checks import health_of, told_late, watched_of
from sbf_core.reports.metrics import metrics_text
from sbf_core.reports.overview import DatasetState, dataset_states
from sbf_core.runner.options import RunOptions

BY_NOON = ExpectedBy(hour="12:00", zone="UTC", calendar="weekdays")


def _looked(warehouse: Warehouse, **flags: Any) -> tuple[Health, list[DatasetState]]:
    home = warehouse.opened(**flags)
    now = warehouse.clock.now()
    with warehouse.open() as cursor:
        states = dataset_states(cursor, home.entries, bronze=home.config.bronze, now=now)
        gold = gold_states(cursor, home.gold_models(cursor)).table
        health = health_of(cursor, watched_of(home, home.entries, states, gold), now=now)
    return health, told_late(states, health)


def _faults(warehouse: Warehouse, **flags: Any) -> Sequence[Fault]:
    return _looked(warehouse, **flags)[0].faults


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Warehouse, FakeVendor]]:
    def make(**changes: Any) -> tuple[Warehouse, FakeVendor]:
        vendor = FakeVendor(entry(**changes))
        vendor.says([price("A", "2024-01-01"), price("A", "2024-01-02")])
        warehouse = Warehouse(tmp_path / "home", vendor)
        warehouse.run()
        return warehouse, vendor

    return make


def test_a_dataset_is_late_from_the_moment_at_which_its_rows_must_be_there(made: Any) -> None:
    warehouse, _ = made(expected_by=BY_NOON)
    assert warehouse.clock.now() == START == dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)
    health, states = _looked(warehouse)
    assert health.is_well and health.told == "WELL: 1 dataset, none late, none failing" and states[0].state == "fresh"
    warehouse.clock.advance(hours=23, minutes=59)
    assert _faults(warehouse) == ()
    warehouse.clock.advance(minutes=1)
    health, states = _looked(warehouse)
    (late,) = health.faults
    assert (late.kind, late.subject, late.since) == (FaultKind.LATE, "prices/fake/eod", warehouse.clock.now())
    assert late.told == "rows of 2024-01-03 are not there; the newest are of 2024-01-02"
    assert health.told == "NOT WELL: 1 late, 0 failing, of 1 dataset"
    assert (states[0].state, states[0].why) == ("late", late.told)
    warehouse.clock.advance(days=2)  # Friday noon: three days lack
    (late,) = _faults(warehouse)
    assert (late.wanted, late.since) == (dt.date(2024, 1, 5), dt.datetime(2024, 1, 3, 12, tzinfo=dt.UTC))


def test_an_answer_without_the_day_leaves_it_late_and_one_with_it_does_not(made: Any) -> None:
    warehouse, vendor = made(expected_by=BY_NOON)
    warehouse.run(hours_later=25)
    assert [one.kind for one in _faults(warehouse)] == [FaultKind.LATE]
    vendor.says([price("A", "2024-01-03")])
    warehouse.run(hours_later=1, options=RunOptions(force=True))
    assert _faults(warehouse) == ()


def test_a_row_of_a_day_to_come_is_no_proof_of_today(made: Any) -> None:
    warehouse, vendor = made(expected_by=BY_NOON)
    vendor.says([price("A", "2062-01-01")])
    warehouse.run(hours_later=25)
    (late,) = _faults(warehouse)
    assert (late.kind, late.newest) == (FaultKind.LATE, dt.date(2024, 1, 2))


def test_hours_within_which_a_vendor_has_to_answer(made: Any) -> None:
    warehouse, _ = made(expected_by=ExpectedBy(within_hours=48))
    warehouse.clock.advance(hours=48)
    assert _faults(warehouse) == ()
    warehouse.clock.advance(seconds=1)
    (silent,) = _faults(warehouse)
    assert (silent.kind, silent.is_late, silent.since) == (FaultKind.SILENT, True, START + dt.timedelta(hours=48))
    assert silent.told == "last answered 2024-01-02 12:00Z; that may be 48 h ago at most"
    warehouse.run()  # the same bytes: an answer all the same
    assert _faults(warehouse) == ()


@pytest.mark.parametrize(
    ("changes", "flags", "kinds"),
    [
        ({}, {}, [FaultKind.SILENT]),
        ({}, {"check__silent_hours_max": 100.0}, []),
        ({}, {"check__silent_hours_max": 0.0}, []),
        ({}, {"run__plugins": ["other"]}, []),
        ({}, {"run__plugins": ["f*"]}, [FaultKind.SILENT]),
        ({"refresh_after_hours": 30.0}, {}, []),
        ({"expected_by": ExpectedBy(within_hours=float("inf"))}, {}, []),
        ({"expected_by": ExpectedBy(hour="12:00", zone="UTC", days_later=90)}, {}, []),
    ],
)
def test_a_vendor_of_whom_nobody_says_when(
    made: Any, changes: dict[str, Any], flags: dict[str, Any], kinds: list[FaultKind]
) -> None:
    """It may be due for two days, as the setting says; what is declared holds in its place."""
    warehouse, _ = made(**changes)
    warehouse.clock.advance(hours=20 + 48, seconds=1)
    health, states = _looked(warehouse, **flags)
    assert [one.kind for one in health.faults] == kinds
    assert states[0].state == "due"


def test_requests_that_fail_are_failing_until_one_does_not(made: Any) -> None:
    warehouse, vendor = made()
    vendor.says(DatasetFailure("the vendor is down"))
    warehouse.run(hours_later=24)
    warehouse.run(hours_later=1, options=RunOptions(force=True))
    run, failing = sorted(_faults(warehouse), key=lambda one: one.kind, reverse=True)
    assert run.kind is FaultKind.RUN_FAILED and run.since == START + dt.timedelta(hours=25)
    assert (failing.kind, failing.subject, failing.is_late) == (FaultKind.NOT_FETCHED, "prices/fake/eod", False)
    assert failing.since == START + dt.timedelta(hours=24)
    assert "1 of 1 request failed: " in failing.told and "the vendor is down" in failing.told
    vendor.says([price("A", "2024-01-03")])
    warehouse.run(hours_later=1, options=RunOptions(force=True))
    assert _faults(warehouse) == ()


def test_payloads_that_cannot_be_promoted_are_failing(made: Any) -> None:
    warehouse, vendor = made()
    vendor.says("no JSON")
    warehouse.run(hours_later=24)
    assert [(one.kind, one.subject) for one in _faults(warehouse)] == [(FaultKind.NOT_PROMOTED, "prices/fake/eod")]


def test_gold_that_was_not_built_is_failing(made: Any) -> None:
    warehouse, vendor = made()
    vendor.models = [GoldModel(name="broken", key=("symbol",), sql="SELECT symbol, 1 // 'a' AS x FROM silver.px")]
    warehouse.run(hours_later=24)
    (failing,) = _faults(warehouse)
    assert (failing.kind, failing.subject) == (FaultKind.NOT_BUILT, "gold.broken") and failing.told


def test_a_run_that_failed_is_failing(made: Any) -> None:
    warehouse, vendor = made()
    vendor.says(MemoryError())
    with pytest.raises(EnvironmentFault):
        warehouse.run(hours_later=24)
    assert FaultKind.RUN_FAILED in [one.kind for one in _faults(warehouse)]


def test_a_calendar_that_cannot_be_had_is_told(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse, _ = made(expected_by=ExpectedBy(hour="12:00", zone="UTC", calendar="XNYS"))

    def missing(code: str) -> object:
        raise UsageError(f"the calendar {code} needs a library", fix='pip install "sbf[calendars]"', code="CADENCE")

    monkeypatch.setattr("sbf_core.plan.sessions._exchange", missing)
    (fault,) = _faults(warehouse)
    assert (fault.kind, fault.is_late, fault.fix) == (FaultKind.CANNOT_TELL, False, 'pip install "sbf[calendars]"')


def test_the_settings_go_before_the_declaration_and_a_name_before_a_pattern(made: Any) -> None:
    warehouse, _ = made(expected_by=BY_NOON, cadence=Cadence(calendar="weekdays"))
    warehouse.clock.advance(hours=24)
    toml = warehouse.home / "sbf.toml"
    assert len(_faults(warehouse)) == 1
    toml.write_text('[expected_by."prices/*"]\nwithin_hours = 30\n', encoding="utf-8")
    assert _faults(warehouse) == ()
    toml.write_text(
        '[expected_by."prices/*"]\nwithin_hours = 30\n[expected_by."prices/fake/eod"]\nhour = "11:00"\nzone = "UTC"\n',
        encoding="utf-8",
    )
    assert [one.since for one in _faults(warehouse)] == [START + dt.timedelta(hours=23)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[expected_by."a/b/c"]\nhuor = "11:00"', "there is no setting 'huor'"),
        ('[expected_by."a/b/c"]\nhour = "11:00"', "an hour without a zone"),
        ('[expected_by."a/b/c"]\nwithin_hours = "a"', "within_hours is 'a'"),
        ('[expected_by."a/b/c"]\nwithin_hours = true', "within_hours is True"),
        ('[expected_by]\nhour = "11:00"', "expected_by has tables"),
        ("expected_by = 3", "expected_by has tables"),
    ],
)
def test_settings_that_say_nothing_are_refused_before_anything_is_done(made: Any, text: str, told: str) -> None:
    warehouse, _ = made()
    (warehouse.home / "sbf.toml").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        warehouse.run()


def test_what_was_never_asked_for_is_late_where_the_settings_name_it(made: Any) -> None:
    warehouse, vendor = made()
    vendor.entries.append(
        entry(dataset="other", silver_table="other", expected_by=ExpectedBy(within_hours=1), opt_in=True)
    )
    assert _faults(warehouse) == ()
    (warehouse.home / "sbf.toml").write_text('[expected_by."prices/*"]\nwithin_hours = 1\n', encoding="utf-8")
    assert _faults(warehouse) == ()  # a pattern speaks of what is there
    (warehouse.home / "sbf.toml").write_text('[expected_by."prices/fake/other"]\nwithin_hours = 1\n', encoding="utf-8")
    (silent,) = _faults(warehouse)
    assert (silent.subject, silent.told) == ("prices/fake/other", "never answered; that may be 1 h ago at most")


def test_an_hour_needs_a_column_that_says_of_which_day_a_row_is(made: Any, tmp_path: Path) -> None:
    import attrs

    columns = [attrs.evolve(one, row_date=False) for one in entry().columns]
    with pytest.raises(UsageError, match="no column says of which day a row is"):
        entry(columns=columns, expected_by=BY_NOON)
    warehouse, _ = made(columns=columns)
    toml = warehouse.home / "sbf.toml"
    toml.write_text('[expected_by."prices/fake/eod"]\nhour = "11:00"\nzone = "UTC"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="prices/fake/eod has no column that says of which day a row is"):
        _faults(warehouse)
    toml.write_text('[expected_by."prices/*"]\nhour = "11:00"\nzone = "UTC"\n', encoding="utf-8")
    assert _faults(warehouse) == ()  # a pattern speaks of those that have days


def test_figures_for_prometheus(made: Any) -> None:
    """Read by the parser of the library that Prometheus itself gives out."""
    from prometheus_client.parser import text_string_to_metric_families

    warehouse, _ = made(expected_by=BY_NOON)
    warehouse.clock.advance(hours=24)
    text = metrics_text(*_looked(warehouse))
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert figures["sbf_well",] == 0
    assert figures["sbf_late",] == 1 and figures["sbf_failing",] == 0
    assert figures["sbf_dataset_late", "prices/fake/eod"] == 1
    assert figures["sbf_dataset_failing", "prices/fake/eod"] == 0
    assert figures["sbf_dataset_rows", "prices/fake/eod"] == 2
    newest = figures["sbf_dataset_newest_row_timestamp_seconds", "prices/fake/eod"]
    assert newest == dt.datetime(2024, 1, 2, tzinfo=dt.UTC).timestamp()
    assert figures["sbf_dataset_fetched_timestamp_seconds", "prices/fake/eod"] == START.timestamp()
    assert figures["sbf_last_run_status", "ok"] == 1 and figures["sbf_last_run_status", "failed"] == 0
    assert figures["sbf_last_run_start_timestamp_seconds",] == START.timestamp()


def test_a_program_gets_values(made: Any) -> None:
    warehouse, _ = made(expected_by=BY_NOON)
    warehouse.clock.advance(hours=24)
    record = json.loads(json.dumps(record_of(_looked(warehouse)[0]), default=str))
    assert (record["is_well"], record["late"], record["failing"], record["datasets"]) == (False, 1, 0, 1)
    (fault,) = record["faults"]
    assert (fault["kind"], fault["wanted"], fault["fix"]) == (
        "late", "2024-01-03", "sbf run --select prices/fake/eod",
    )  # fmt: skip
