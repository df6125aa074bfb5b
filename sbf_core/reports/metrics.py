"""Figures of a warehouse in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats).

Times are seconds since 1970, durations seconds, as Prometheus wants them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sbf_core.clock import from_naive_utc
from sbf_core.errors import UsageError
from sbf_core.reports.health import Health
from sbf_core.reports.overview import DatasetState
from sbf_core.vocabulary import RunStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(health: Health, states: Sequence[DatasetState]) -> str:
    """What a scrape gets.

    Raises:
        UsageError: the library prometheus_client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, Gauge, generate_latest
    except ImportError:
        raise UsageError(
            "figures for Prometheus need a library", fix='pip install "sbf[metrics]"', code="EXTRA"
        ) from None
    registry = CollectorRegistry()

    def gauge(name: str, doc: str, rows: Iterable[tuple[str, float]], label: str = "dataset") -> None:
        one = Gauge(f"sbf_{name}", doc, (label,), registry=registry)
        for subject, value in rows:
            one.labels(subject).set(value)

    def single(name: str, doc: str, value: float) -> None:
        Gauge(f"sbf_{name}", doc, registry=registry).set(value)

    late = {one.subject for one in health.late}
    failing = {one.subject for one in health.failing}
    single("well", "1 where nothing is late or failing.", float(health.is_well))
    single("late", "How many rules of time are broken.", len(health.late))
    single("failing", "How much fails.", len(health.failing))
    single("looked_at_timestamp_seconds", "When these figures were made.", health.at.timestamp())
    gauge("dataset_late", "1 where rows or answers are late.", ((one.id, float(one.id in late)) for one in states))
    gauge("dataset_failing", "1 where it fails.", ((one.id, float(one.id in failing)) for one in states))
    gauge("dataset_rows", "Current rows in silver.", ((one.id, one.rows) for one in states))
    gauge("dataset_payloads", "Payloads in Bronze.", ((one.id, one.payloads) for one in states))
    gauge("dataset_rejected_rows", "Rows that were rejected, ever.", ((one.id, one.rejected) for one in states))
    gauge(
        "dataset_fetched_timestamp_seconds", "When its last payload came.",
        ((one.id, from_naive_utc(one.last_fetched).timestamp()) for one in states if one.last_fetched is not None),
    )  # fmt: skip
    gauge(
        "dataset_newest_row_timestamp_seconds", "Midnight (UTC) of the newest day that has rows, for datasets that "
        "declare when rows are expected.",
        ((name, _midnight(day)) for name, day in sorted(health.newest.items()) if day is not None),
    )  # fmt: skip
    gauge(
        "gold_failing", "1 where a gold table could not be built.",
        ((one.subject.removeprefix("gold."), 1.0) for one in health.failing if one.subject.startswith("gold.")),
        label="table",
    )  # fmt: skip
    if health.last_run is not None:
        _, status, started, finished = health.last_run
        single("last_run_start_timestamp_seconds", "When the last run began.", started.timestamp())
        if finished is not None:
            single("last_run_duration_seconds", "How long it took.", (finished - started).total_seconds())
        rows = ((str(one), float(str(one) == status)) for one in RunStatus)
        gauge("last_run_status", "1 for the status that the last run has.", rows, label="status")
    return bytes(generate_latest(registry)).decode()


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()
