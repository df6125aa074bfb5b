"""The conformance kit on an honest plugin, and on plugins that are broken on purpose:
each check notices its own sin.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import itertools
import json
import os
import random
import socket
import subprocess
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from sbf_core.api import (
    Chart,
    Csv,
    DatasetKeymapEntry,
    ForEach,
    GoldModel,
    Offer,
    ParseRows,
    RestRecipe,
    SdmxMl,
    Sections,
    SelectRows,
    checked_options,
    column,
    hookimpl,
)
from sbf_core.errors import UsageError
from sbf_core.http.recipe_walk import fetch_by_recipe
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.testing.check_declaration import secrets_in_addresses
from sbf_core.testing.check_revision import _turn
from sbf_core.testing.kit import CHECKS, check_all, checked, exemptions_of
from sbf_core.testing.outcome import EXEMPT, FAILED, PASSED
from sbf_core.testing.promote_code import keep_code, kept_code, kept_place, promote_code
from sbf_core.testing.scratch import ScratchRecording
from sbf_core.testing.subject import Subject

URL = "https://gauge.example/rain?station=Kew"
MONDAY = dt.datetime(2024, 3, 4, 6, tzinfo=dt.UTC)


@attrs.frozen
class Rain:
    """One day at one gauge."""

    station: str = column(key=True)
    day: dt.date = column(key=True, row_date=True)
    amount: Decimal | None = column(source="mm", precision=8, scale=1, unit="mm")
    note: str | None = column()


def rows(*amounts: float, station: str = "Kew") -> list[dict[str, object]]:
    """Days in a row, from the first of March."""
    return [
        {"station": station, "day": f"2024-03-{number:02d}", "mm": amount, "note": f"gauge {amount}"}
        for number, amount in enumerate(amounts, start=1)
    ]


PAYLOADS = (rows(4.2, 1.7, 0.3), rows(4.2, 1.9, 0.3, 7.1), rows(4.2, 1.9, 0.4, 7.1, 2.6))


class Honest:
    """A plugin as it should be."""

    columns: Any = Rain
    recipe = RestRecipe(url=URL)
    facts: dict[str, Any] = {}

    @hookimpl
    def datasets(self) -> Sequence[DatasetKeymapEntry]:
        usual: dict[str, Any] = {
            "domain": "weather", "source": "gauge", "dataset": "rain", "silver_table": "rain", "columns": self.columns,
            "recipe": self.recipe, "title": "Rain", "terms": "None.", "source_url": "https://gauge.example",
        }  # fmt: skip
        return [DatasetKeymapEntry(**{**usual, **self.facts})]

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        return fetch_by_recipe(entry, request, http)

    @hookimpl
    def promote(self) -> Any:
        return ParseRows(self.parse)

    def parse(self, payload: bytes) -> Any:
        """Rows of a list."""
        found = json.loads(payload)
        if not isinstance(found, list):
            raise ValueError("no list")
        return found

    @hookimpl
    def build_gold(self) -> Sequence[GoldModel]:
        return [GoldModel(name="wet_days", key=("station",), sql=self.sql, doc="One row a station.")]

    sql = "SELECT station, count(*) AS days, list(amount ORDER BY day) AS amounts FROM silver.rain GROUP BY station"


def record(folder: Path, payloads: Sequence[Any] = PAYLOADS, *, url: str = URL) -> Path:
    """A recording of the gauge: one payload a day."""
    target = ScratchRecording(folder)
    for number, payload in enumerate(payloads):
        moment = MONDAY + dt.timedelta(days=number)
        request = RunRequest(
            run_id=f"day{number}", domain="weather", source="gauge", dataset="rain", to_date=moment.date()
        )
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        target.add([RunResult(request=request, address=url, payload=content, fetched_at=moment, status_code=200)])
    return target.close()


def failures(
    plugin: object, folder: Path, payloads: Sequence[Any] = PAYLOADS, *, url: str = URL, only: str = ""
) -> dict[str, str]:
    """The checks that fail, with what they say; of all, or of one only."""
    subject = Subject(
        "gauge", folder / "work", plugin=plugin, recording=record(folder / "recording", payloads, url=url)
    )
    if hasattr(plugin, "kept"):
        kept_place(subject).write_text(json.dumps(plugin.kept))
    if only:
        (check,) = (each for each in CHECKS if each.name == only)
        outcomes = [checked(subject, check, exemptions_of(subject, {}))]
    else:
        outcomes = list(check_all(subject))
    return {outcome.check.name: outcome.text for outcome in outcomes if outcome.state == FAILED}


def test_an_honest_plugin_passes(tmp_path: Path) -> None:
    assert failures(Honest(), tmp_path) == {}


class Members(Honest):
    """A list that is whole each time."""

    facts = {"semantics": "snapshot"}


def test_a_row_that_a_snapshot_closed_ends_where_it_may(tmp_path: Path) -> None:
    """The mark of its end is open itself: it is no row that ends before it begins."""
    assert failures(Members(), tmp_path, [rows(4.2, 1.7, 0.3), rows(4.2, 1.9)]) == {}


class TextWithoutAFormat(Honest):
    """Nobody can read what it asks for."""

    recipe = attrs.evolve(Honest.recipe, extension="xml")
    promote = None  # type: ignore[assignment]


class TextWithAFormat(TextWithoutAFormat):
    facts = {"format": SdmxMl()}


def test_a_declared_format_reads_xml_without_a_hook(tmp_path: Path) -> None:
    said = failures(TextWithoutAFormat(), tmp_path / "without", only="declaration")
    assert "xml needs a format= that is declared, or the hook promote" in said["declaration"]
    assert failures(TextWithAFormat(), tmp_path / "with", only="declaration") == {}


class NoRecipe(Honest):
    recipe = None  # type: ignore[assignment]
    fetch = None  # type: ignore[assignment]


class TextWithoutReader(Honest):
    """Nobody says how its text is read."""

    recipe = RestRecipe(url=URL, extension="txt")
    promote = None  # type: ignore[assignment]


class TextAsDeclared(TextWithoutReader):
    facts = {"format": Sections(csv=Csv(delimiter="|"))}


class NotMarked(Honest):
    """Its promote is a plain method: declared columns are read, so that all else is well."""

    def promote(self) -> Any:
        return ParseRows(self.parse)


class WithoutTitle(Honest):
    facts = {"title": ""}


class Unsettled(Honest):
    """As it came from ``sbf plugins new``."""

    recipe = RestRecipe(url=URL)  # unsure: are there further pages?


class SecondDataset(Honest):
    """Nothing was recorded of the second one."""

    @hookimpl
    def datasets(self) -> Sequence[DatasetKeymapEntry]:
        return [*super().datasets(), attrs.evolve(super().datasets()[0], dataset="snow", silver_table="snow")]


class Alternating(Honest):
    """Asks the mirror every other time, and says that it was there."""

    calls = itertools.count()

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        result = http.get(request, URL)
        return result if not result.ok else attrs.evolve(result, address=f"{URL}&try={next(self.calls)}")


class TiresSoon(Honest):
    """Answers the first replay, and no other."""

    def __init__(self) -> None:
        self.runs: set[str] = set()

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        self.runs.add(request.run_id)
        if len(self.runs) > 1:
            raise ValueError("enough")
        return fetch_by_recipe(entry, request, http)


class OwnSocket(Honest):
    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 9))
        return http.get(request, URL)


class Tidy(Honest):
    """Stores what it thinks is nicer than what the vendor sent."""

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        result = http.get(request, URL)
        return attrs.evolve(result, payload=result.payload.replace(b", ", b",")) if result.ok else result


class Brave(Honest):
    """Takes the body of an error for an answer."""

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        result = http.get(request, URL)
        return (
            result
            if result.ok
            else attrs.evolve(result, payload=result.evidence or b"[]", error=None, kind="", status_code=200)
        )


class KeyInAddress(Honest):
    """Puts its key where everybody can read it."""

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: Any) -> Any:
        key = os.environ.get("GAUGE_KEY", "")
        return http.get(request, URL + (f"&key={key}" if key else ""))


class KeyInDeclaration(Honest):
    recipe = RestRecipe(url=URL + "&apikey=3f7a9c")
    fetch = None  # type: ignore[assignment]


class WrongSource(Honest):
    @attrs.frozen
    class Columns(Rain):
        height: Decimal | None = column(source="metres", precision=8, scale=1, unit="m")

    columns = Columns


class TooNarrow(Honest):
    """A column that some values do not fit."""

    @attrs.frozen
    class Columns:
        station: str = column(key=True)
        day: dt.date = column(key=True, row_date=True)
        amount: int | None = column(source="mm", unit="mm")
        note: str | None = column()

    columns = Columns
    facts = {"reject_share_max": 1.0}


class KeyTooShort(Honest):
    @attrs.frozen
    class Columns:
        station: str = column(key=True)
        day: dt.date = column(row_date=True)
        amount: Decimal | None = column(source="mm", precision=8, scale=1, unit="mm")

    columns = Columns
    facts = {"reject_share_max": 1.0}

    def parse(self, payload: bytes) -> Any:
        found = super().parse(payload)
        return [
            *found[:1],
            {**found[0], "mm": 99.5, "station": "Kew"},
            *({**row, "station": f"S{number}"} for number, row in enumerate(found[1:])),
        ]


class Counting(Honest):
    """What it says depends on how often it was asked."""

    calls = itertools.count()

    def parse(self, payload: bytes) -> Any:
        return [{**row, "note": f"row {next(self.calls)}"} for row in super().parse(payload)]


class Remembering(Honest):
    """A row takes what the payload before said."""

    last: dict[str, object] = {}

    def parse(self, payload: bytes) -> Any:
        found = super().parse(payload)
        if len(found) == 3:
            self.last.clear()
        for row in found:
            before = self.last.get(str(row["day"]))
            self.last[str(row["day"])] = row["mm"]
            yield {**row, "note": f"before {before}, now {row['mm']}"}


class OverTheBatch(Honest):
    """Its SELECT looks at the other payloads of the batch."""

    @hookimpl
    def promote(self) -> Any:
        return SelectRows(
            "SELECT _file, r->>'station' AS station, r->>'day' AS day, r->>'mm' AS mm, count(*) OVER () AS note "
            "FROM (SELECT _file, unnest(CAST(document AS JSON[])) AS r FROM batch)"
        )


class Clock(Honest):
    def parse(self, payload: bytes) -> Any:
        dt.datetime.now(dt.UTC)
        return super().parse(payload)


class Dice(Honest):
    def parse(self, payload: bytes) -> Any:
        random.choice([1, 2])
        return super().parse(payload)


class Program(Honest):
    def parse(self, payload: bytes) -> Any:
        subprocess.run(["true"], check=True)
        return super().parse(payload)


class Stopwatch(Honest):
    @hookimpl
    def build_gold(self) -> Sequence[GoldModel]:
        time.time()
        return super().build_gold()


class SqlClock(Honest):
    @hookimpl
    def promote(self) -> Any:
        return SelectRows(
            "SELECT _file, r->>'station' AS station, r->>'day' AS day, r->>'mm' AS mm, "
            "CASE WHEN now() IS NULL THEN '' ELSE r->>'note' END AS note "
            "FROM (SELECT _file, unnest(CAST(document AS JSON[])) AS r FROM batch)"
        )


class FetchTimeInRow(Honest):
    """Each payload makes new versions of all rows, because a column holds the day that was asked for."""

    @attrs.frozen
    class Columns(Rain):
        asked: dt.date | None = column(source="request.to_date")

    columns = Columns


class Stubborn(Honest):
    """Never gives a day's second value."""

    seen: dict[str, object] = {}

    def parse(self, payload: bytes) -> Any:
        return [
            {**row, "mm": self.seen.setdefault(str(row["day"]), row["mm"]), "note": "x"}
            for row in super().parse(payload)
        ]


class Trusting(Honest):
    """Makes a row out of anything."""

    def parse(self, payload: bytes) -> Any:
        try:
            return super().parse(payload)
        except ValueError:
            return [{"station": "Kew", "day": "2024-03-01", "mm": "0", "note": "cannot be read"}]


class Charted(Honest):
    """Its gold table has charts."""

    charts: tuple[Chart, ...] = ()

    @hookimpl
    def build_gold(self) -> Sequence[GoldModel]:
        return [
            GoldModel(name="wet_days", key=("station",), sql=self.sql, doc="One row a station.", charts=self.charts)
        ]


class ChartOfNoColumn(Charted):
    charts = (Chart(name="days", kind="bar", x="station", y="dayz"),)


class ChartOfNothing(Charted):
    sql = "SELECT station, CAST(NULL AS DOUBLE) AS days FROM silver.rain GROUP BY station"
    charts = (Chart(name="days", kind="bar", x="station", y="days"),)


class ChartThatCannotBeDrawn(Charted):
    charts = (Chart(name="days", kind="own", x="station", y="days", spec={"mark": "nosuch", "encoding": {}}),)


class EmptyGold(Honest):
    sql = "SELECT station, day, amount FROM silver.rain WHERE amount > 1000"


class FailingGold(Honest):
    sql = "SELECT station, day FROM silver.rain"  # the key is not unique


class GoldClock(Honest):
    sql = "SELECT station, count(*) AS days, max(current_date - day) >= 0 AS is_past FROM silver.rain GROUP BY station"


class GoldOfAnEngine(Honest):
    """The last of those that are equally frequent on one engine, the first on another."""

    sql = "SELECT station, mode(day) AS usual, ln(sum(amount)) AS size FROM silver.rain GROUP BY station"


class GoldByChance(Honest):
    """The place of a row in the file."""

    sql = "SELECT station, max(rowid) AS last FROM silver.rain GROUP BY station"


class OneBehind(Honest):
    """Gives the columns that were declared when it was asked before."""

    before: tuple[str, ...] = ()

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> Any:
        now = tuple(one.source_name for one in entry.columns)
        names, type(self).before = self.before or now, now
        return ParseRows(lambda payload: [{name: row[name] for name in names} for row in self.parse(payload)])


class NamesAreFields(Honest):
    """Takes what the declaration calls a column for what the vendor calls it."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> Any:
        names = [one.source_name for one in entry.columns]
        return ParseRows(lambda payload: [{name: row.get(name) for name in names} for row in self.parse(payload)])


class OwnOrder(Honest):
    """Puts rows of one key together by itself."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> Any:
        def parse(payload: bytes) -> Any:
            found = self.parse(payload)
            both = [{**row, "station": station} for row in found for station in ("Bath", "Kew")]
            return {tuple(str(row[name]) for name in entry.key_columns): row for row in both}.values()

        return ParseRows(parse)


class LastPartOnly(Honest):
    """Takes a row for said already whose last part of the key it has seen."""

    @hookimpl
    def promote(self, entry: DatasetKeymapEntry) -> Any:
        def parse(payload: bytes) -> Any:
            rows = [{**row, "note": "gauge"} for row in self.parse(payload)]
            return {str(row[entry.key_columns[-1]]): row for row in reversed(rows)}.values()

        return ParseRows(parse)


class SilentlyOther(Honest):
    """Reads otherwise than it did when its hash was kept, and says nothing."""

    kept: dict[str, Any] = {"code": "0123456789abcdef", "versions": {"weather/gauge/rain": 1}}


class RowsOfNobody(Honest):
    """Is asked for each row of a table that no plugin fills."""

    facts = {"scope": "per_ticker", "for_each": ForEach(query="SELECT id FROM silver.gauges", key=("id",))}
    recipe = RestRecipe(url=f"{URL}&gauge={{ticker}}")


class EmptyPromise(Honest):
    """Offers what its options do not know."""

    @hookimpl
    def datasets(self, options: Any) -> Sequence[DatasetKeymapEntry]:
        checked_options(options, gauges=())
        return Honest.datasets(self)

    @hookimpl
    def offers(self) -> Any:
        return [Offer(id="Bath", title="Rain at Bath", options={"stations": ("Bath",)})]


#: Each sin, the check that must notice it, what it must say, and the checks that cannot help noticing it, too.
SINS = [
    (NoRecipe, "declaration", "no recipe", "*"),
    (TextWithoutReader, "declaration", "txt needs a format= that is declared, or the hook promote", "*"),
    (NotMarked, "hooks", "promote() is not marked with @hookimpl", ""),
    (EmptyPromise, "hooks", "the offer 'Bath' cannot be had: there is no option 'stations'", ""),
    (Unsettled, "nothing_is_unsure", "is unsure: are there further pages?; settle it and take the mark out", ""),
    (WithoutTitle, "docs", "title is empty", ""),
    (SecondDataset, "recorded", "nothing of it was recorded", ""),
    (Alternating, "fetch_is_deterministic", "asked twice, it answered", "bytes_are_unchanged"),
    (OwnSocket, "fetch_goes_through_http", "used the network", ""),
    (Tidy, "bytes_are_unchanged", "is not what http gave", ""),
    (Brave, "errors_are_passed_on", "answered 503", ""),
    (KeyInAddress, "secrets_stay_secret", "a key that was set in the environment", ""),
    (RowsOfNobody, "rows_are_asked_for", "reads silver.gauges, which is filled by no dataset", "*"),
    (WrongSource, "columns_are_filled", "'height' is empty in all 7 rows", ""),
    (TooNarrow, "rows_are_taken", "rejected: not_an_integer in amount", "*"),
    (KeyTooShort, "keys_are_unique", "duplicate_key", "*"),
    (Counting, "promote_twice", "promoted a second time, silver.rain", "*"),
    (TiresSoon, "promote_twice", "failed when it was replayed again", "*"),
    (Counting, "read_without_the_engine", "read record by record, silver.rain", "*"),
    (Remembering, "promote_in_any_order", "promoted newest first, silver.rain", "*"),
    (OverTheBatch, "rebuild_is_equal", "rebuilt, silver.rain", "*"),
    (Clock, "promote_is_pure", "promote looked at a clock: datetime.now", ""),
    (Dice, "promote_is_pure", "promote threw dice", ""),
    (Program, "promote_is_pure", "promote started a program", ""),
    (Stopwatch, "promote_is_pure", "build_gold looked at a clock: time.time", ""),
    (SqlClock, "promote_is_pure", "now()", ""),
    (FetchTimeInRow, "refetch_is_a_noop", "the last payload came again, and silver.rain changed", ""),
    (
        OneBehind,
        "column_is_added",
        "a column was added, and it is not as if it had always been so: silver.rain",
        "column_is_renamed key_is_narrowed",
    ),
    (NamesAreFields, "column_is_renamed", "its rows have other values than before", ""),
    (OwnOrder, "key_is_narrowed", "its payloads held 24 rows and hold 12", ""),
    (LastPartOnly, "key_is_widened", "its payloads held 12 rows and hold 3", "revision_is_kept"),
    (
        SilentlyOther,
        "promote_version_is_raised",
        "the code of promote has changed, and no promote_version (weather/gauge/rain 1)",
        "",
    ),
    (KeyInDeclaration, "secrets_stay_secret", "the address holds a value of 'apikey'", ""),
    (Stubborn, "revision_is_kept", "made no new version of a row", "*"),
    (Trusting, "errors_are_no_data", "error note 1 was taken as data", ""),
    (ChartOfNoColumn, "charts_draw", "which is no column of the table", ""),
    (ChartOfNothing, "charts_draw", "has nothing to draw", ""),
    (ChartThatCannotBeDrawn, "charts_draw", "cannot be drawn", ""),
    (EmptyGold, "gold_builds", "has no row", ""),
    (FailingGold, "gold_builds", "unique:station", ""),
    (GoldClock, "gold_is_stable", "current_date", ""),
    (GoldByChance, "gold_is_stable", "newest first", ""),
    (GoldOfAnEngine, "engines_agree", "gold.wet_days: mode(): values that are equally frequent", "gold_is_stable"),
]


@pytest.mark.parametrize(
    ("plugin", "check", "words", "others"), SINS, ids=[f"{check}-{plugin.__name__}" for plugin, check, _, _ in SINS]
)
def test_each_check_notices_its_own_sin(
    tmp_path: Path, plugin: type[Honest], check: str, words: str, others: str
) -> None:
    found = failures(plugin(), tmp_path, url=_address_of(plugin), only=check)
    assert words in found.get(check, ""), found


#: ``TiresSoon`` answers whichever check asks first.
ALL_AT_ONCE = [sin for sin in SINS if sin[0] is not TiresSoon]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "check", "words", "others"),
    ALL_AT_ONCE,
    ids=[f"{check}-{plugin.__name__}" for plugin, check, _, _ in ALL_AT_ONCE],
)
def test_other_checks_do_not_mind(tmp_path: Path, plugin: type[Honest], check: str, words: str, others: str) -> None:
    found = failures(plugin(), tmp_path, url=_address_of(plugin))
    assert words in found.get(check, ""), found
    if others != "*":
        assert set(found) <= {check, *others.split()}, found


def _address_of(plugin: type[Honest]) -> str:
    return URL + "&apikey=3f7a9c" if plugin is KeyInDeclaration else URL


def test_a_declared_format_reads_a_text(tmp_path: Path) -> None:
    assert failures(TextAsDeclared(), tmp_path, only="declaration") == {}


def test_every_check_has_a_sin() -> None:
    assert {check for _, check, _, _ in SINS} == {check.name for check in CHECKS}


def one(plugin: object, check: str, folder: Path, exempt: dict[str, str]) -> Any:
    subject = Subject("gauge", folder / "work", plugin=plugin, recording=record(folder / "recording"))
    return checked(subject, next(item for item in CHECKS if item.name == check), exemptions_of(subject, exempt))


def test_what_is_an_error_on_one_engine_is_named_and_passes(tmp_path: Path) -> None:
    class Logarithm(Honest):
        sql = "SELECT station, ln(sum(amount)) AS size FROM silver.rain GROUP BY station"

    outcome = one(Logarithm(), "engines_agree", tmp_path, {})
    assert outcome.state == PASSED
    assert [note.partition(": zero")[0] for note in outcome.notes] == [
        "gold.wet_days: ln() in line 1 (SELECT station, ln(sum(amount)) AS size FROM silver.rain GROUP BY station)"
    ]


def test_an_exemption_has_a_reason_that_is_shown(tmp_path: Path) -> None:
    outcome = one(WithoutTitle(), "docs", tmp_path, {"docs": "its title is the ticker's"})
    assert outcome.state == EXEMPT
    assert outcome.notes == ("docs: its title is the ticker's",)
    assert "title is empty" in outcome.text


def test_an_exemption_may_be_for_some_datasets(tmp_path: Path) -> None:
    assert one(SecondDataset(), "recorded", tmp_path / "snow", {"recorded:weather/gauge/s*": "summer"}).state == EXEMPT
    other = one(SecondDataset(), "recorded", tmp_path / "rain", {"recorded:weather/gauge/rain": "summer"})
    assert other.state == FAILED
    assert "needs it no more" in other.text
    assert "nothing of it was recorded" in other.text


def test_an_exemption_that_nothing_needs_fails(tmp_path: Path) -> None:
    outcome = one(Honest(), "docs", tmp_path, {"docs": "later"})
    assert outcome.state == FAILED
    assert outcome.text == "it is exempt from 'docs' (later), and needs it no more: take it out"


@pytest.mark.parametrize(
    ("exempt", "words"),
    [
        ({"dcos": "x"}, "there is no check 'dcos'; CONFORMANCE_EXEMPT of gauge; did you mean 'docs'?"),
        ({"docs": " "}, "has no reason"),
    ],
)
def test_an_exemption_that_makes_no_sense_is_refused(tmp_path: Path, exempt: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        one(Honest(), "docs", tmp_path, exempt)
    assert words in str(caught.value)


def test_a_plugin_names_its_own_exemptions(tmp_path: Path) -> None:
    class Told(WithoutTitle):
        """With an exemption of its own."""

        CONFORMANCE_EXEMPT = {"docs": "the title is the ticker's"}

    assert failures(Told(), tmp_path) == {}


def test_what_a_logger_or_an_import_does_is_not_the_plugins(tmp_path: Path) -> None:
    class Chatty(Honest):
        """Logs, which looks at a clock; and imports when it is asked."""

        def parse(self, payload: bytes) -> Any:
            import logging

            logging.getLogger("gauge").warning("parsing")
            return super().parse(payload)

    assert one(Chatty(), "promote_is_pure", tmp_path, {}).state == PASSED


def test_what_the_garbage_collector_calls_is_not_the_plugins(tmp_path: Path) -> None:
    class Littering(Honest):
        """Makes so much garbage that it is collected."""

        def parse(self, payload: bytes) -> Any:
            gc.collect()
            return super().parse(payload)

    def callback(phase: str, info: dict[str, int]) -> None:
        time.perf_counter()

    gc.callbacks.append(callback)
    try:
        assert one(Littering(), "promote_is_pure", tmp_path, {}).state == PASSED
    finally:
        gc.callbacks.remove(callback)


def test_a_plugin_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no plugin 'ecbb'"):
        Subject("ecbb", tmp_path)


def test_the_hash_of_promote_is_of_what_it_does(tmp_path: Path) -> None:
    """What it calls counts, comments and docstrings do not; what nothing of it calls does not."""

    class Tidied(Honest):
        """Only words differ."""

        def parse(self, payload: bytes) -> Any:
            """Other words."""
            found = json.loads(payload)

            # a comment
            if not isinstance(found, list):
                raise ValueError("no list")
            return found

        def other(self) -> int:
            return 1

    class Helped(Honest):
        def parse(self, payload: bytes) -> Any:
            return [row for row in super().parse(payload) if row["mm"]]

    def of(plugin: Honest) -> str:
        return promote_code(Subject("gauge", tmp_path / type(plugin).__name__, plugin=plugin)).code

    assert of(Honest()) == of(Honest()) == of(Tidied())
    assert of(Helped()) != of(Honest())


def test_a_raised_version_asks_for_the_new_hash_and_then_is_well(tmp_path: Path) -> None:
    class Raised(Honest):
        facts = {"promote_version": 2}

    recording = record(tmp_path / "recording")
    check = next(item for item in CHECKS if item.name == "promote_version_is_raised")
    subject = Subject("gauge", tmp_path / "work", plugin=Raised(), recording=recording)
    assert checked(subject, check, {}).notes == ("no hash is kept: `sbf plugins check gauge --update` begins",)
    kept_place(subject).write_text(json.dumps({"code": "0" * 16, "versions": {"weather/gauge/rain": 1}}))
    assert (
        checked(subject, check, {}).text
        == "promote_version of weather/gauge/rain was raised: keep the new hash with `sbf plugins check gauge --update`"
    )
    assert keep_code(subject) == kept_place(subject)
    assert kept_code(subject) == promote_code(subject)
    assert checked(subject, check, {}).state == PASSED
    kept_place(subject).write_text("{")
    assert "the hash of promote cannot be read" in checked(subject, check, {}).text


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("<q><apiKey>ab12</apiKey></q>", "apiKey"),
        ("<q Token='ab12'/>", "Token"),
        ('{ "access_token": "ab12" }', "access_token"),
        ("q=1&api-key=ab12", "api-key"),
        ("<q><apiKey/><token>{ticker}</token></q>", ""),
        ('{ eod(token: $token, key: "GDP") { close } }', ""),
        ("<keys>A</keys>", ""),
    ],
)
def test_a_key_in_the_text_of_a_body_is_found(body: str, name: str) -> None:
    """What stands there is in the journal of every user, as in an address."""
    recipe = RestRecipe(url=URL, body=body, content_type="text/plain")
    entry = DatasetKeymapEntry(
        domain="rain", source="gauge", dataset="kew", silver_table="kew", columns=Rain, recipe=recipe,
        first_date=dt.date(2024, 3, 1), horizon="any",
    )  # fmt: skip
    wanted = [f"the body holds a value of {name!r}"] if name else []
    assert [problem.text.partition(";")[0] for problem in secrets_in_addresses(entry)] == wanted


def test_datasets_that_read_the_same_payload_are_revised_in_turns() -> None:
    one, other, alone = (
        SimpleNamespace(entry=SimpleNamespace(id=name, payload_ids=(payload,)))
        for name, payload in (("a/b/one", "a/b/one"), ("a/b/other", "a/b/one"), ("a/b/alone", "a/b/alone"))
    )
    assert _turn([one, other, alone]) == ([one, alone], [other])  # type: ignore[list-item]
