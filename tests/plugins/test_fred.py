"""FRED by vintages, against a server that does what the real one does: it cuts the day of publication of each value to
what was asked for, answers in pages, and refuses a request for more than 2,000 vintages.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import attrs
import pytest
from pytest_httpserver import HTTPServer
from warehouse import Warehouse
from werkzeug import Request, Response

from sbf_core.api import DatasetKeymapEntry, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_plugins.fred import plugin as fred

#: Day of the value: when it was published, and what, oldest first.
Vintages = dict[dt.date, list[tuple[dt.date, str]]]
DAY = dt.timedelta(days=1)
#: All vintages of the series GDP of ALFRED on 19 December 2024, a work of the US government (Bureau of Economic
#: Analysis), as the package pyfredapi recorded them for its tests: 395 vintages, 3,201 values.
GDP = Path(__file__).with_name("alfred-gdp.csv.gz")


def gdp() -> Vintages:
    found: Vintages = defaultdict(list)
    with gzip.open(GDP, "rt", encoding="ascii", newline="") as stream:
        for row in csv.DictReader(stream):
            found[dt.date.fromisoformat(row["date"])].append((dt.date.fromisoformat(row["published"]), row["value"]))
    return dict(found)


class Alfred:
    """What the vendor answers on a day."""

    def __init__(self, server: HTTPServer, series: Mapping[str, Vintages]) -> None:
        self.series = series
        self.today = dt.date(2000, 1, 1)
        self.asked: list[dict[str, str]] = []
        self.page = 100_000
        server.expect_request("/fred/series/vintagedates").respond_with_handler(self._dates)
        server.expect_request("/fred/series/observations").respond_with_handler(self._values)

    def _known(self, request: Request) -> Vintages:
        shown = {
            day: [each for each in vintages if each[0] <= self.today]
            for day, vintages in self.series[request.args["series_id"]].items()
        }
        return {day: vintages for day, vintages in shown.items() if vintages}

    def _span(self, request: Request) -> tuple[dt.date, dt.date]:
        self.asked.append({"what": request.path.rpartition("/")[2], **request.args.to_dict()})
        start, end = (dt.date.fromisoformat(request.args[name]) for name in ("realtime_start", "realtime_end"))
        assert start <= self.today, "what lies ahead is refused"
        return start, end

    def _dates(self, request: Request) -> Response:
        start, end = self._span(request)
        dates = sorted({v[0] for vintages in self._known(request).values() for v in vintages})
        return self._paged(request, "vintage_dates", [str(day) for day in dates if start <= day <= end], start, end)

    def _values(self, request: Request) -> Response:
        start, end = self._span(request)
        known = self._known(request)
        if len({v[0] for vintages in known.values() for v in vintages if start <= v[0] <= end}) > 2000:
            return Response('{"error_code": 400, "error_message": "too many vintages"}', status=400)
        rows = []
        for day, vintages in sorted(known.items()):
            for (begun, value), (later, _) in pairwise([*vintages, (dt.date.max, "")]):
                if begun <= end and later > start:
                    until = "9999-12-31" if later == dt.date.max else str(later - DAY)
                    rows.append(
                        {
                            "realtime_start": str(max(begun, start)),
                            "realtime_end": min(until, str(end)),
                            "date": str(day),
                            "value": value,
                        }
                    )
        return self._paged(request, "observations", rows, start, end)

    def _paged(self, request: Request, name: str, rows: Sequence[object], start: dt.date, end: dt.date) -> Response:
        offset, limit = int(request.args.get("offset", 0)), min(int(request.args.get("limit", 100_000)), self.page)
        page = {
            "realtime_start": str(start),
            "realtime_end": str(end),
            "count": len(rows),
            "offset": offset,
            "limit": limit,
        }
        return Response(json.dumps({**page, name: rows[offset:][:limit]}), content_type="application/json")


class Fred:
    """The bundled plugin without key and limits, which a server on loopback has not."""

    def __init__(self, *series: str) -> None:
        self.series = list(series)

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [
            attrs.evolve(entry, recipe=attrs.evolve(entry.recipe, limits=(), secrets={}))
            for entry in fred.datasets({"series": self.series})
            if entry.dataset == "observations"
        ]

    fetch = staticmethod(fred.fetch)


@pytest.fixture
def server(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    monkeypatch.setattr(fred, "_API", httpserver.url_for("/fred"))
    return httpserver


def on(warehouse: Warehouse, vendor: Alfred, day: dt.date, **options: object) -> str:
    """The status of a run at noon of a day."""
    vendor.today = day
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    warehouse.clock.advance(hours=(noon - warehouse.clock.now()).total_seconds() / 3600)
    context = warehouse.runner(RunOptions(**options)).run()  # type: ignore[arg-type]
    assert context.errors == []
    return str(context.status)


def published(warehouse: Warehouse) -> list[tuple[dt.date, dt.date | None, float | None]]:
    """Every version of every value."""
    both = (
        "SELECT date, published, value FROM silver.fred_observation UNION ALL "
        "SELECT date, published, value FROM silver.fred_observation_history"
    )
    return warehouse.ask(f"FROM ({both}) ORDER BY ALL")


def rebuilt(warehouse: Warehouse) -> None:
    manager = PluginManager(())
    for name, plugin in warehouse.plugins.items():
        manager.register(plugin, name=name)
    rebuild(warehouse.opened(manager))


def number(text: str) -> float | None:
    return None if text == "." else float(text)


def versions(vintages: Vintages) -> list[tuple[dt.date, dt.date, float | None]]:
    return [(day, begun, number(value)) for day, each in sorted(vintages.items()) for begun, value in each]


def as_of(vintages: Vintages, moment: dt.date) -> list[tuple[dt.date, float | None]]:
    shown = {day: [value for begun, value in each if begun <= moment] for day, each in vintages.items()}
    return sorted((day, number(values[-1])) for day, values in shown.items() if values)


def test_gdp_at_each_of_its_vintages(tmp_path: Path, server: HTTPServer) -> None:
    """Whenever one asks, silver ends as ALFRED has it, and a rebuild makes the same."""
    vendor = Alfred(server, {"GDP": gdp()})
    vendor.page = 1000
    warehouse = Warehouse(tmp_path / "home", Fred("GDP"))
    days = [
        dt.date(2005, 6, 30),
        dt.date(2005, 7, 28),
        dt.date(2005, 7, 29),
        dt.date(2005, 7, 30),
        dt.date(2013, 7, 31),
    ]
    days += [dt.date(2024, 10, 29) + DAY * step for step in range(4)]
    for day in [*days, dt.date(2024, 12, 20)]:
        on(warehouse, vendor, day)
    assert published(warehouse) == versions(gdp())
    for vintage in ("1991-12-04", "2005-07-28", "2005-07-29", "2013-07-31", "2019-01-01", "2024-10-30", "2024-12-19"):
        found = warehouse.ask(
            f"SELECT date, value FROM silver.fred_observation_as_of(TIMESTAMP '{vintage}') ORDER BY 1"
        )
        assert found == as_of(gdp(), dt.date.fromisoformat(vintage)), vintage
    before = warehouse.ask("FROM silver.fred_observation ORDER BY ALL")
    rebuilt(warehouse)
    assert warehouse.ask("FROM silver.fred_observation ORDER BY ALL") == before
    values = [asked for asked in vendor.asked if asked["what"] == "observations"]
    assert len({asked["realtime_start"] for asked in values}) == 5, "days without a vintage cost a list alone"


def test_a_daily_series_comes_in_windows(tmp_path: Path, server: HTTPServer) -> None:
    last = dt.date(2023, 12, 29)
    daily: Vintages = {last - DAY * i: [(last - DAY * (i - 1), f"4.{i % 100:02d}")] for i in range(4500)}
    daily[last - DAY * 3000].append((last - DAY * 10, "5.5"))
    vendor = Alfred(server, {"DAILY": daily})
    warehouse = Warehouse(tmp_path / "home", Fred("DAILY"))
    on(warehouse, vendor, dt.date(2024, 1, 3))
    assert published(warehouse) == versions(daily)
    assert sum(asked["what"] == "observations" for asked in vendor.asked) == 3
    kept = warehouse.bronze_files()
    on(warehouse, vendor, dt.date(2024, 1, 20))
    assert warehouse.bronze_files() == kept, "that nothing was published is no payload"
    assert warehouse.ask(
        "SELECT status FROM ops.file_ingestions WHERE kind = 'file' ORDER BY started_at DESC LIMIT 1"
    ) == [("none",)]


def test_of_what_was_asked_for_later_the_day_is_not_known(tmp_path: Path, server: HTTPServer) -> None:
    """A back-fill of the last days says what held when they began, and no more; the whole history replaces it."""
    first, revised, second = dt.date(2023, 4, 27), dt.date(2023, 5, 25), dt.date(2023, 7, 27)
    series: Vintages = {dt.date(2023, 1, 1): [(first, "1.1"), (revised, "1.2")], dt.date(2023, 4, 1): [(second, "2.1")]}
    vendor = Alfred(server, {"GDPX": series})
    warehouse = Warehouse(tmp_path / "home", Fred("GDPX"))
    on(warehouse, vendor, dt.date(2024, 1, 3), since=dt.date(2023, 7, 1))
    assert published(warehouse) == [(dt.date(2023, 1, 1), None, 1.2), (dt.date(2023, 4, 1), second, 2.1)]
    assert warehouse.ask(
        "SELECT asked_since, CAST(known_from AS DATE) FROM silver.fred_observation WHERE published IS NULL"
    ) == [(second - DAY, second - DAY)]
    assert warehouse.ask("SELECT * FROM silver.fred_observation_as_of(TIMESTAMP '2023-07-25')") == []
    on(warehouse, vendor, dt.date(2024, 1, 4))
    assert published(warehouse) == versions(series)
    before = warehouse.ask("FROM silver.fred_observation ORDER BY ALL")
    rebuilt(warehouse)
    assert warehouse.ask("FROM silver.fred_observation ORDER BY ALL") == before
