"""Datasets that are asked once for each row of a query over silver of other datasets."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs
import pytest
import stamina
from pytest_httpserver import HTTPServer
from warehouse import Warehouse, counts_add_up
from werkzeug import Request, Response

from sbf_core.api import (
    Column,
    DataRules,
    DatasetKeymapEntry,
    FetchSession,
    FileRecipe,
    ForEach,
    RestRecipe,
    RunRequest,
    RunResult,
    UsageError,
    column,
    fetch_by_recipe,
    hookimpl,
)
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification
from sbf_core.dataset.from_toml import entry_from_mapping
from sbf_core.failures import FailureKind
from sbf_core.fetching.workers import FetchWorkers
from sbf_core.runner.options import RunOptions
from sbf_core.runs.context import RunContext


@attrs.frozen
class Filing:
    """What a list of filings says."""

    cik: int = column(key=True)
    id: str = column(key=True)
    form: str | None = column()
    seen: dt.date | None = column()


@attrs.frozen
class Fact:
    """What one filing says."""

    cik: int = column(key=True, source="request.each.cik")
    filing: str = column(key=True, source="request.each.id")
    name: str = column(key=True)
    value: int = column()


@attrs.frozen
class Note:
    """What there is to one fact."""

    filing: str = column(key=True, source="request.ticker")
    text: str = column()


ALL = "SELECT cik, id FROM silver.filings"


def filings(**changes: Any) -> dict[str, Any]:
    return {
        "domain": "filings", "source": "odd", "dataset": "list", "silver_table": "filings", "columns": Filing, **changes
    }  # fmt: skip


def facts(query: str = ALL, **changes: Any) -> dict[str, Any]:
    for_each = {"query": query, "key": ("cik", "id"), **changes.pop("each", {})}
    usual: dict[str, Any] = {
        "domain": "filings", "source": "odd", "dataset": "facts", "silver_table": "facts", "columns": Fact,
        "scope": "per_ticker", "for_each": ForEach(**for_each), "rows_at": "facts",
    }  # fmt: skip
    return {**usual, **changes}


class Office:
    """A vendor on a socket: a list of filings, and what each of them says."""

    def __init__(self, server: HTTPServer) -> None:
        self.filings: list[dict[str, object]] = [{"cik": 1, "id": "a", "form": "10-K"}, {"cik": 2, "id": "b"}]
        self.facts: dict[tuple[str, str], list[dict[str, object]]] = {}
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.cut: set[str] = set()
        self.url = server.url_for("")
        server.expect_request("/list").respond_with_handler(self._list)
        server.expect_request("/facts").respond_with_handler(self._facts)
        server.expect_request("/packed").respond_with_handler(self._packed)
        server.expect_request("/notes").respond_with_handler(self._notes)

    def _list(self, request: Request) -> Response:
        self.asked.append("list")
        return Response(json.dumps(self.filings), content_type="application/json")

    def _facts(self, request: Request) -> Response:
        cik, name = request.args["cik"], request.args["id"]
        self.asked.append(f"{cik}/{name}")
        if name in self.refused:
            return Response("{}", status=404)
        told = self.facts.get((cik, name), [{"name": "assets", "value": len(self.asked)}])
        return Response(json.dumps({"facts": told}), content_type="application/json")

    def _packed(self, request: Request) -> Response:
        name = request.args["id"]
        self.asked.append(f"{request.args['cik']}/{name}")
        packed = gzip.compress(b"name,value\nassets,1\n", mtime=0)
        return Response(packed[:-6] if name in self.cut else packed, status=404 if name in self.refused else 200)

    def _notes(self, request: Request) -> Response:
        self.asked.append(f"note {request.args['of']}")
        names = request.args["of"].split(",")
        return Response(json.dumps([{"id": one, "text": f"of {one}"} for one in names]))


class Plugin:
    """Some declarations, and no code."""

    def __init__(self, *declared: DatasetKeymapEntry) -> None:
        self.declared = declared

    @hookimpl
    def datasets(self) -> Sequence[DatasetKeymapEntry]:
        return self.declared


@pytest.fixture
def office(httpserver: HTTPServer) -> Any:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield Office(httpserver)


def listed(office: Office, **changes: Any) -> DatasetKeymapEntry:
    recipe = RestRecipe(url=f"{office.url}/list")
    return DatasetKeymapEntry(**filings(recipe=recipe, **changes))


def asked_each(office: Office, query: str = ALL, **changes: Any) -> DatasetKeymapEntry:
    recipe = RestRecipe(url=f"{office.url}/facts?cik={{each.cik}}&id={{each.id}}")
    return DatasetKeymapEntry(**facts(query, **{"recipe": recipe, **changes}))


def noted(office: Office, query: str = "SELECT filing AS id FROM silver.facts", **changes: Any) -> DatasetKeymapEntry:
    usual: dict[str, Any] = {
        "domain": "filings", "source": "odd", "dataset": "notes", "silver_table": "notes", "columns": Note,
        "scope": "per_ticker", "for_each": ForEach(query=query, key=("id",)),
        "recipe": RestRecipe(url=f"{office.url}/notes?of={{ticker}}"),
    }  # fmt: skip
    return DatasetKeymapEntry(**{**usual, **changes})


def of(home: Path, *declared: DatasetKeymapEntry) -> Warehouse:
    return Warehouse(home, Plugin(*declared))


def is_fine(context: RunContext) -> bool:
    return (context.status, context.errors) == ("ok", [])


def known(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.ask("SELECT cik, filing, name FROM silver.facts ORDER BY ALL")


def test_each_row_is_asked_for_in_the_run_that_brings_it(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", asked_each(office), listed(office))  # declared the other way round
    assert is_fine(warehouse.run())
    assert office.asked[0] == "list"
    assert sorted(office.asked[1:]) == ["1/a", "2/b"]
    assert known(warehouse) == [(1, "a", "assets"), (2, "b", "assets")]
    counts_add_up(warehouse)
    assert Verification(warehouse.opened()).run().findings == []


def test_a_new_row_is_asked_for_alone(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office, refresh_after_hours=0), asked_each(office))
    warehouse.run()
    office.filings.append({"cik": 3, "id": "c"})
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == ["list", "3/c"]
    assert len(known(warehouse)) == 3
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == ["list"], "nothing new"


def test_a_chain_of_three_comes_in_one_run(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", noted(office), asked_each(office), listed(office))
    assert is_fine(warehouse.run())
    assert office.asked[0] == "list"
    assert sorted(office.asked[1:3]) == ["1/a", "2/b"]
    assert sorted(office.asked[3:]) == ["note a", "note b"]
    assert warehouse.ask("SELECT filing, text FROM silver.notes ORDER BY 1") == [("a", "of a"), ("b", "of b")]


def test_the_query_says_which_rows(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, f"{ALL} WHERE form = '10-K';"))
    assert is_fine(warehouse.run())
    assert office.asked == ["list", "1/a"]


def test_what_a_row_says_is_sent_and_kept_letter_by_letter(tmp_path: Path, office: Office) -> None:
    odd = ["a,b", "x|y", "100%", "%2C", "ä é", " blank ", "a/b", "A", "q'\"{ticker}", "=1+1"]
    office.filings = [{"cik": 7, "id": name} for name in odd]
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    assert is_fine(warehouse.run())
    assert sorted(office.asked[1:]) == sorted(f"7/{name}" for name in odd)
    assert {name for _, name, _ in known(warehouse)} == set(odd)
    assert Verification(warehouse.opened()).run().findings == []


def test_a_single_column_is_the_ticker_letter_by_letter(tmp_path: Path, office: Office) -> None:
    office.filings = [{"cik": 7, "id": name} for name in ("a", "50%25", "x|y")]
    warehouse = of(tmp_path / "home", listed(office), noted(office, "SELECT id FROM silver.filings"))
    assert is_fine(warehouse.run())
    assert sorted(office.asked[1:]) == ["note 50%25", "note a", "note x|y"]
    assert warehouse.ask("SELECT filing FROM silver.notes ORDER BY 1") == [("50%25",), ("a",), ("x|y",)]


def test_rows_that_nobody_can_ask_for_are_told(tmp_path: Path, office: Office) -> None:
    office.filings += [
        {"cik": 3, "id": ""},
        {"cik": 4, "id": "../up"},
        {"cik": 5, "id": "x" * 300},
        {"cik": 6, "id": "a\tb"},
    ]
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    runner = warehouse.runner()
    notes: list[str] = []
    runner._progress.note = notes.append  # type: ignore[method-assign]
    assert is_fine(runner.run())
    assert sorted(office.asked[1:]) == ["1/a", "2/b"]
    assert notes == ["filings/odd/facts: 4 rows of for_each cannot be asked for, e.g. (3, ) is empty"]


def test_what_the_list_says_of_its_vendor_holds_for_the_rows(
    tmp_path: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked after the list, in a wave of their own; a vendor's datasets share limits and connections."""
    taken: list[int] = []

    class Watched(FetchWorkers):
        def __init__(self, *args: Any, connections: Mapping[str, int], **more: Any) -> None:
            taken.append(connections["odd"])
            super().__init__(*args, connections=connections, **more)

    monkeypatch.setattr("sbf_core.fetching.fetch_stage.FetchWorkers", Watched)
    recipe = RestRecipe(url=f"{office.url}/list", limits=("2/day",), connections=1)
    warehouse = of(tmp_path / "home", attrs.evolve(listed(office), recipe=recipe), asked_each(office))
    context = warehouse.run()
    assert len(office.asked) == 2, "the third request of the day waits for another"
    assert context.status == "partial"
    assert taken == [1, 1]


def test_a_row_that_failed_is_asked_again_and_costs_no_other(tmp_path: Path, office: Office) -> None:
    office.refused = {"a"}
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, each={"once": True}))
    context = warehouse.run()
    assert (context.status, [one.kind for one in context.failures]) == ("partial", [FailureKind.HTTP_STATUS])
    assert known(warehouse) == [(2, "b", "assets")]
    office.refused, office.asked = set(), []
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == ["1/a"]
    assert len(known(warehouse)) == 2


def test_once_is_once(tmp_path: Path, office: Office) -> None:
    usual, once = (
        of(tmp_path / "usual", listed(office), asked_each(office)),
        of(tmp_path / "once", listed(office), asked_each(office, each={"once": True})),
    )
    for warehouse, wanted in ((usual, ["1/a", "2/b", "list"]), (once, ["list"])):
        warehouse.run()
        office.asked.clear()
        assert is_fine(warehouse.run(hours_later=24 * 400))
        assert sorted(office.asked) == wanted
    told = {item.why for item in once.runner().plan().requests if item.request.ticker}
    assert told == {"fetched 400 days ago; asked for once"}


def test_once_counts_answers_alone(tmp_path: Path, office: Office) -> None:
    """What the vendor did not have yet, or what nobody can read, is asked for again as of any dataset."""
    recipe = RestRecipe(url=f"{office.url}/packed?cik={{each.cik}}&id={{each.id}}", extension="csv.gz")
    office.refused, office.cut = {"a"}, {"b"}
    office.filings.append({"cik": 3, "id": "c"})
    changes = {"recipe": recipe, "rows_at": "", "is_data": DataRules(none_status=(404,))}
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, each={"once": True}, **changes))
    assert "cannot be unpacked" in str(warehouse.run().failures)
    assert known(warehouse) == [(3, "c", "assets")]
    office.refused, office.cut, office.asked = set(), set(), []
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == []
    assert is_fine(warehouse.run(hours_later=24))
    assert office.asked == ["list", "2/b"], "after refresh_after_hours"
    assert is_fine(warehouse.run(hours_later=24 * 30))
    assert office.asked == ["list", "2/b", "list", "1/a"], "after unknown_after_days"
    assert len(known(warehouse)) == 3
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=24 * 400))
    assert office.asked == ["list"], "all are answered"


@pytest.mark.parametrize(
    ("moment", "asked"),
    [
        ("TIMESTAMP '2024-01-02 14:30'", [[], [], ["1/a", "2/b"], []]),
        ("TIMESTAMP '20000-01-01'", [[], [], [], []]),
        ("TIMESTAMP '0100-01-01 (BC) 00:00'", [[], [], [], []]),
        ("TIMESTAMP 'infinity'", [[], [], [], []]),
        ("CAST(NULL AS TIMESTAMP)", [[], [], [], []]),
    ],
)
def test_what_changes_in_times_to_come_is_asked_for_then(
    tmp_path: Path, office: Office, moment: str, asked: list[list[str]]
) -> None:
    query = f"SELECT cik, id, {moment} AS at FROM silver.filings"
    each = {"once": True, "changed": "at"}
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, query, each=each))
    assert is_fine(warehouse.run())
    for wanted in asked:
        office.asked.clear()
        assert is_fine(warehouse.run(hours_later=1))
        assert sorted(office.asked) == wanted


def test_a_row_that_changed_is_asked_again(tmp_path: Path, office: Office) -> None:
    query = "SELECT cik, id, recorded_at FROM silver.filings"
    each = {"once": True, "changed": "recorded_at"}
    warehouse = of(tmp_path / "home", listed(office, refresh_after_hours=0), asked_each(office, query, each=each))
    warehouse.run()
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == ["list"]
    office.filings[0]["seen"] = "2024-01-02"
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == ["list", "1/a"]
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=1))
    assert office.asked == ["list"], "it was asked after it changed"


def test_several_rows_in_one_request(tmp_path: Path, office: Office) -> None:
    office.filings = [{"cik": 7, "id": name} for name in ("a", "b", "c|d")]

    @attrs.frozen
    class Told:
        id: str = column(key=True)
        text: str = column()

    recipe = RestRecipe(url=f"{office.url}/notes?of={{ticker}}", tickers_per_request=2)
    query = "SELECT id FROM silver.filings"
    warehouse = of(tmp_path / "home", listed(office), noted(office, query, columns=Told, recipe=recipe))
    assert is_fine(warehouse.run())
    assert (office.asked[0], sorted(office.asked[1:])) == ("list", ["note a,b", "note c|d"])
    assert warehouse.ask("SELECT id FROM silver.notes ORDER BY 1") == [("a",), ("b",), ("c|d",)]


def test_several_rows_of_two_parts_in_one_request(tmp_path: Path, office: Office, httpserver: HTTPServer) -> None:
    """As of vendors who identify instruments by a ticker and its exchange."""
    office.filings = [{"cik": number, "id": name} for number, name in enumerate(("a", "b,c", "d|e", "a"))]
    asked: list[Any] = []

    def answer(request: Request) -> Response:
        jobs = json.loads(request.get_data())["jobs"]
        asked.append(jobs)
        items = [{"warning": "none"} if job["id"] == "b,c" else {"data": [{"value": job["cik"]}]} for job in jobs]
        return Response(json.dumps(items))

    @attrs.frozen
    class Told:
        cik: int = column(key=True, source="@^~", index_of="each.cik")
        filing: str = column(key=True, source="@^~", index_of="each.id")
        value: int = column()

    httpserver.expect_request("/jobs").respond_with_handler(answer)
    recipe = RestRecipe(
        url=f"{office.url}/jobs", json={"jobs": [{"cik": "{each.cik}", "id": "{each.id}"}]}, tickers_per_request=3
    )
    rules = DataRules(item_none_fields=("warning",))
    facts = asked_each(office, columns=Told, recipe=recipe, rows_at="$[*].data[*]", is_data=rules)
    warehouse = of(tmp_path / "home", listed(office), facts)
    assert is_fine(warehouse.run())
    assert sorted(len(jobs) for jobs in asked) == [1, 3]
    assert {(job["cik"], job["id"]) for jobs in asked for job in jobs} == {
        ("0", "a"), ("1", "b,c"), ("2", "d|e"), ("3", "a"),
    }  # fmt: skip
    rows = "SELECT cik, filing, value FROM silver.facts ORDER BY 1"
    assert warehouse.ask(rows) == [(0, "a", 0), (2, "d|e", 2), (3, "a", 3)]
    again = of(tmp_path / "again", listed(office), facts)
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    assert again.ask(rows) == warehouse.ask(rows)


def test_days_are_covered_row_by_row(tmp_path: Path, office: Office, httpserver: HTTPServer) -> None:
    asked: list[str] = []

    def bars(request: Request) -> Response:
        asked.append(f"{request.args['id']} {request.args['from']}")
        return Response(json.dumps([{"date": "2024-01-01", "value": 1}]))

    @attrs.frozen
    class Bar:
        id: str = column(key=True, source="request.ticker")
        date: dt.date = column(key=True, row_date=True)
        value: int = column()

    httpserver.expect_request("/bars").respond_with_handler(bars)
    recipe = RestRecipe(url=f"{office.url}/bars?id={{ticker}}&from={{from_date}}")
    daily = noted(office, "SELECT id FROM silver.filings", columns=Bar, recipe=recipe, first_date=dt.date(2023, 12, 1))
    warehouse = of(tmp_path / "home", listed(office), daily)
    assert is_fine(warehouse.run())
    assert sorted(asked) == ["a 2023-12-01", "b 2023-12-01"]
    office.filings.append({"cik": 9, "id": "new"})
    asked.clear()
    assert is_fine(warehouse.run(hours_later=24))
    assert sorted(asked) == ["a 2024-01-01", "b 2024-01-01", "new 2023-12-01"], "a day after it was over is final"


def test_a_rebuild_and_a_replay_give_the_same(tmp_path: Path, office: Office) -> None:
    declared = listed(office), asked_each(office), noted(office)
    warehouse = of(tmp_path / "home", *declared)
    warehouse.run()
    with warehouse.open() as cursor:
        live = {one.table: one.sha256 for one in digest_tables(cursor, keys={})}
    asked = list(office.asked)
    rebuild(warehouse.opened())
    with warehouse.open() as cursor:
        assert {one.table: one.sha256 for one in digest_tables(cursor, keys={})} == live
    again = of(tmp_path / "again", *declared)
    assert is_fine(again.run(options=RunOptions(replay=str(warehouse.home))))
    with again.open() as cursor:
        assert {one.table: one.sha256 for one in digest_tables(cursor, keys={})} == live
    assert office.asked == asked, "nobody was asked"
    assert again.run(options=RunOptions(replay=str(warehouse.home))).files == 0


def test_rows_are_no_tickers_of_a_replay(tmp_path: Path, office: Office, httpserver: HTTPServer) -> None:
    """No ticker may begin with an equals sign, or be so long; a row may."""
    office.filings = [{"cik": 7, "id": name} for name in ("=1+1", "x" * 90)]
    httpserver.expect_request("/eod").respond_with_json([{"id": "A", "text": "-"}])
    recipe = RestRecipe(url=f"{office.url}/eod?of={{ticker}}")
    eod = noted(office, dataset="eod", silver_table="eod", for_each=None, recipe=recipe)
    warehouse = of(tmp_path / "home", listed(office), asked_each(office), eod)
    assert is_fine(warehouse.run(universe__tickers=("A",)))
    assert len(known(warehouse)) == 2
    again = of(tmp_path / "again", listed(office), asked_each(office), eod)
    context = again.run(options=RunOptions(replay=str(warehouse.home)))
    assert is_fine(context)
    assert (context.tickers, len(known(again))) == (("A",), 2)
    only = of(tmp_path / "only", listed(office), asked_each(office), eod)
    assert is_fine(only.run(options=RunOptions(replay=str(warehouse.home)), universe__tickers=("B",)))
    assert (len(known(only)), only.ask("SELECT count(*) FROM ops.bronze_manifest WHERE dataset_id LIKE '%eod'")) == (
        2,
        [(0,)],
    )


def test_tickers_of_the_universe_are_not_asked_for(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    assert is_fine(warehouse.run(options=RunOptions(select=("fake:facts",)), universe__tickers=("A",)))
    assert office.asked == []
    assert is_fine(warehouse.run(universe__tickers=("A",)))
    assert sorted(office.asked) == ["1/a", "2/b", "list"]


def test_a_replay_needs_no_query(tmp_path: Path, office: Office) -> None:
    """The recording says for which rows it was asked; the plugin with the list may not be installed."""
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    warehouse.run()
    alone = of(tmp_path / "alone", asked_each(office))
    assert is_fine(alone.run(options=RunOptions(replay=str(warehouse.home))))
    assert len(known(alone)) == 2


def test_a_hook_is_told_the_row(tmp_path: Path, office: Office) -> None:
    told: list[dict[str, str]] = []

    class Own(Plugin):
        @hookimpl
        def fetch(self, entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> list[RunResult]:
            if entry.for_each is None:
                return fetch_by_recipe(entry, request, http)
            row = entry.each(request.ticker)
            told.append(dict(row))
            return [http.get(request, f"{office.url}/facts?cik={row['cik']}&id={row['id']}")]

    warehouse = Warehouse(tmp_path / "home", Own(listed(office), asked_each(office, recipe=None)))
    assert is_fine(warehouse.run())
    assert sorted(told, key=str) == [{"cik": "1", "id": "a"}, {"cik": "2", "id": "b"}]
    assert len(known(warehouse)) == 2


def test_files_by_row(tmp_path: Path, office: Office) -> None:
    recipe = FileRecipe(path="{each.cik}/{each.id}.json", extension="json")
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, recipe=recipe))
    for cik, name in ((1, "a"), (2, "b")):
        place = warehouse.home / "files" / str(cik) / f"{name}.json"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps({"facts": [{"name": "assets", "value": 1}]}))
    assert is_fine(warehouse.run())
    assert len(known(warehouse)) == 2


def test_no_row_leads_out_of_the_folder_of_files(tmp_path: Path, office: Office) -> None:
    """What a vendor calls a row is no place of this machine."""
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"facts": [{"name": "secret", "value": 1}]}))
    office.filings = [{"cik": 1, "id": str(secret.with_suffix(""))}, {"cik": 1, "id": "b"}]
    recipe = FileRecipe(path="{each.id}.json", extension="json")
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, recipe=recipe))
    place = warehouse.home / "files" / "b.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"facts": [{"name": "assets", "value": 1}]}))
    context = warehouse.run()
    assert ["would lead to another folder" in one.what for one in context.failures] == [True]
    assert known(warehouse) == [(1, "b", "assets")]


def test_a_row_in_a_body(tmp_path: Path, office: Office, httpserver: HTTPServer) -> None:
    bodies: list[Any] = []

    def answer(request: Request) -> Response:
        bodies.append(json.loads(request.get_data()))
        return Response(json.dumps({"facts": [{"name": "x", "value": 1}]}))

    httpserver.expect_request("/post").respond_with_handler(answer)
    recipe = RestRecipe(url=f"{office.url}/post", json={"of": {"cik": "{each.cik}", "id": ["{each.id}"]}})
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, recipe=recipe))
    assert is_fine(warehouse.run())
    assert sorted(bodies, key=str) == [{"of": {"cik": "1", "id": ["a"]}}, {"of": {"cik": "2", "id": ["b"]}}]


def test_before_there_is_anything_nothing_is_asked(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    plan = warehouse.runner().plan()
    assert [item.entry.dataset for item in plan.due] == ["list"]
    assert "filings/odd/facts: a table that its for_each reads is not there yet" in plan.notes
    more = "filings/odd/facts: asked for each row of a query as it is now; filings/odd/list may bring more"
    assert more in plan.notes
    assert is_fine(warehouse.run(options=RunOptions(select=("fake:facts",))))
    assert office.asked == []
    assert is_fine(warehouse.run(options=RunOptions(select=("fake:list",))))
    assert is_fine(warehouse.run(options=RunOptions(select=("fake:facts",))))
    assert sorted(office.asked) == ["1/a", "2/b", "list"]


def test_a_limit_of_tickers_is_one_of_rows_too_and_told(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    assert is_fine(warehouse.run(universe__ticker_limit=1))
    assert office.asked == ["list", "1/a"]
    note = "filings/odd/facts: for_each gives 2 rows, and the first 1 are asked for"
    assert note in warehouse.runner(universe__ticker_limit=1).plan().notes


def test_bronze_alone_asks_for_the_rows_that_silver_has(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    assert is_fine(warehouse.run(options=RunOptions(only="bronze")))
    assert office.asked == ["list"]
    assert is_fine(warehouse.run(options=RunOptions(only="silver")))
    assert is_fine(warehouse.run(options=RunOptions(only="bronze")))
    assert sorted(office.asked) == ["1/a", "2/b", "list"]


def test_a_query_that_fails_costs_its_own_dataset(tmp_path: Path, office: Office) -> None:
    office.filings.append({"cik": 3, "id": "nine"})
    query = "SELECT cik, CAST(CAST(id AS BIGINT) AS VARCHAR) AS id FROM silver.filings"
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, query))
    context = warehouse.run(universe__tickers=("1|A",))
    assert (context.status, office.asked) == ("partial", ["list"])
    (failure,) = context.failures
    assert failure.dataset == "filings/odd/facts"
    assert "Could not convert string" in failure.what
    assert warehouse.ask("SELECT count(*) FROM silver.filings") == [(3,)]
    assert any("Could not convert" in note for note in warehouse.runner().plan().notes)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 1 FROM nowhere", "reads 'nowhere', which is neither a silver nor a gold table"),
        ("SELECT cik, id FROM silver.filing", "reads silver.filing, which is filled by no dataset"),
        ("SELECT cik, id FROM gold.filings", "reads gold.filings, which is built after all is fetched"),
        ("SELECT cik, filing AS id FROM silver.facts", "reads silver.facts, its own table"),
        ("SELECT id FROM silver.filings", "gives no column 'cik'"),
        ("SELECT cik, id, form FROM silver.filings", "gives the column 'form', which is neither in key nor changed"),
        ("SELECT cik, id FROM silver.filings; SELECT 1", "holds several statements"),
        ("DELETE FROM silver.filings", "is not one SELECT"),
        ("SELECT CAST(cik AS DOUBLE) AS cik, id FROM silver.filings", "gives 'cik' as DOUBLE"),
        ("SELECT cik, recorded_at AS id FROM silver.filings", "gives 'id' as TIMESTAMP"),
        ("SELECT cik, ids AS id FROM silver.filings", 'Referenced column "ids" not found'),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv"),
    ],
)
def test_a_query_that_is_none_is_found_before_anything_is_written(
    tmp_path: Path, office: Office, query: str, told: str
) -> None:
    warehouse = of(tmp_path / "home", asked_each(office, query), listed(office))
    context = warehouse.run()
    (failure,) = context.failures
    assert (failure.kind, failure.dataset) == (FailureKind.DECLARATION, "filings/odd/facts")
    assert told in failure.what
    assert office.asked == ["list"], "the others go on"
    with pytest.raises(UsageError) as error:
        of(tmp_path / "alone", asked_each(office, query), listed(office)).run(
            options=RunOptions(select=("fake:facts",))
        )
    assert told in error.value.what
    assert not (tmp_path / "alone" / "sbf.duckdb").exists()


def test_history_and_as_of_may_be_read(tmp_path: Path, office: Office) -> None:
    query = (
        "SELECT cik, id FROM silver.filings_as_of(now()::TIMESTAMP + INTERVAL 1 YEAR) "
        "UNION SELECT cik, id FROM silver.filings_history"
    )
    warehouse = of(tmp_path / "home", asked_each(office, query), listed(office))
    assert is_fine(warehouse.run())
    assert sorted(office.asked[1:]) == ["1/a", "2/b"]


def test_datasets_that_wait_for_each_other_are_refused(tmp_path: Path, office: Office) -> None:
    one = asked_each(office, "SELECT 1 AS cik, filing AS id FROM silver.notes")
    warehouse = of(tmp_path / "home", one, noted(office), listed(office))
    context = warehouse.run()
    assert {failure.dataset for failure in context.failures} == {"filings/odd/facts", "filings/odd/notes"}
    assert all("wait for each other" in failure.what for failure in context.failures)
    assert office.asked == ["list"]


def test_a_long_query_is_stopped(tmp_path: Path, office: Office) -> None:
    query = "SELECT a.cik, b.id FROM silver.filings AS a, silver.filings AS b, range(1000000000), range(1000)"
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, query))
    context = warehouse.run(gold__select_seconds_max=1)
    assert "did not end within 1 s" in context.failures[0].what
    assert office.asked == ["list"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scope": "global"}, "for_each belongs to the scope per_ticker"),
        ({"members": ("x",)}, "members and for_each"),
        ({"for_each": None}, "{each.cik} is no column of the key of for_each"),
        ({"recipe": RestRecipe(url="http://x/{each.cik}/{each.ids}")}, "{each.ids} is no column of the key"),
        ({"recipe": RestRecipe(url="http://x/{ticker}")}, "{ticker} is all of (cik, id)"),
        ({"recipe": RestRecipe(url="http://x/")}, "for_each asks the same for each row"),
        (
            {"recipe": RestRecipe(url="http://x/{each.cik}{ticker}", tickers_per_request=2)},
            "tickers_per_request asks for several",
        ),
        (
            {"recipe": RestRecipe(url="http://x/{ticker}", tickers_per_request=2)},
            "tickers_per_request asks for several",
        ),
        (
            {"recipe": RestRecipe(url="http://x/", json={"a": "{each.cik}"}, tickers_per_request=2)},
            "tickers_per_request asks for several",
        ),
        (
            {"columns": [Column(name="n", type="VARCHAR", key=True, source="@^~", index_of="tickers")]},
            "index_of='tickers' is all of (cik, id)",
        ),
        (
            {"columns": [Column(name="n", type="VARCHAR", key=True, source="@^~", index_of="each.no")]},
            "each.no is no column of the key of for_each",
        ),
        (
            {
                "each": {"key": ("id",)},
                "recipe": RestRecipe(url="http://x/{ticker}", tickers_per_request=2),
                "columns": [Column(name="id", type="VARCHAR", key=True, source="request.each.id")],
            },
            "tickers_per_request asks for several rows",
        ),
        ({"columns": Note}, "request.ticker, of column filing, is all of"),
        (
            {"each": {"changed": "recorded_at"}, "recipe": RestRecipe(url="http://x/{each.id}?{from_date}")},
            "for_each asks anew for a row that changed, and the recipe asks for days",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(office: Office, changes: dict[str, Any], told: str) -> None:
    if "columns" in changes and "index_of" in str(changes["columns"]):
        changes = {"rows_at": "$[*].data[*]", **changes}
    with pytest.raises(UsageError) as error:
        asked_each(office, **changes)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"query": " "}, "has no query"),
        ({"key": ()}, "has no key"),
        ({"key": ("A b",)}, "cannot stand in braces"),
        ({"key": ("a", "a")}, "names a column twice"),
        ({"key": ("a",), "changed": "a"}, "names a column twice"),
        ({"key": "id"}, "is one text where several are expected"),
    ],
)
def test_a_query_of_rows_is_declared_whole(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as error:
        ForEach(**{"query": "SELECT 1", "key": ("id",), **changes})
    assert told in str(error.value)


def test_it_can_be_declared_in_toml() -> None:
    entry = entry_from_mapping(
        {
            "domain": "filings", "source": "odd", "dataset": "facts", "silver_table": "facts", "scope": "per_ticker",
            "for_each": {"query": "SELECT id FROM silver.filings", "key": ["id"], "once": True},
            "recipe": {"url": "https://x.example/{each.id}"},
            "columns": [{"name": "id", "type": "VARCHAR", "key": True, "source": "request.each.id"}],
        }
    )  # fmt: skip
    assert entry.for_each == ForEach(query="SELECT id FROM silver.filings", key=("id",), once=True)


def test_a_run_that_was_stopped_between_goes_on_with_the_rows(
    tmp_path: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    with monkeypatch.context() as broken:
        broken.setattr("sbf_core.plan.row_queries.rows_of", _stopped)
        with pytest.raises(KeyboardInterrupt):
            warehouse.run()
    assert is_fine(warehouse.run(hours_later=1))
    assert sorted(office.asked) == ["1/a", "2/b", "list"]


def _stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_series_of_a_key_that_was_declared_otherwise_are_told(tmp_path: Path, office: Office) -> None:
    with pytest.raises(UsageError, match=r"'a\|b\|c' is no series of \(cik, id\)"):
        asked_each(office).each("a|b|c")


def test_the_order_of_the_key_makes_the_table_stale(tmp_path: Path, office: Office) -> None:
    """What the payloads of before were asked for would be read wrongly."""
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    warehouse.run()
    other = asked_each(office, each={"key": ("id", "cik")})
    changed = of(warehouse.home, listed(office), other)
    context = changed.run(hours_later=1, options=RunOptions(fetch=False))
    assert context.status != "ok"
    assert known(changed) == [(1, "a", "assets"), (2, "b", "assets")], "the table is as it was"


def test_payloads_of_another_key_are_refused_and_cost_no_row(tmp_path: Path, office: Office) -> None:
    @attrs.frozen
    class Narrow:
        filing: str = column(key=True, source="request.each.id")
        name: str = column(key=True)
        value: int = column()

    recipe = RestRecipe(url=f"{office.url}/facts?cik=1&id={{each.id}}")
    query = "SELECT id FROM silver.filings"
    narrow = asked_each(office, query, each={"key": ("id",)}, columns=Narrow, recipe=recipe)
    warehouse = of(tmp_path / "home", listed(office), narrow)
    warehouse.run()
    wide = of(warehouse.home, listed(office), asked_each(office))
    context = wide.run(hours_later=1, options=RunOptions(fetch=False))
    (failure,) = context.failures
    assert "it was asked for otherwise: for_each 'a' is no series of (cik, id)" in str(failure)
    assert wide.ask("SELECT filing FROM silver.facts ORDER BY 1") == [("a",), ("b",)], "the table is as it was"


def test_payloads_that_were_asked_for_as_a_whole_cost_no_other_dataset(tmp_path: Path, office: Office) -> None:
    @attrs.frozen
    class Whole:
        filing: str = column(key=True, source="id")
        text: str = column()

    recipe = RestRecipe(url=f"{office.url}/notes?of=all")
    whole = noted(office, for_each=None, scope="global", columns=Whole, recipe=recipe)
    of(tmp_path / "home", whole).run()
    each = of(tmp_path / "home", listed(office), noted(office, "SELECT id FROM silver.filings"))
    context = each.run(hours_later=1)
    assert {one.dataset for one in context.failures} == {"filings/odd/notes"}
    assert "it was asked for otherwise: of no row" in str(context.failures[0])
    assert each.ask("SELECT count(*) FROM silver.filings") == [(2,)], "the other goes on"


def test_a_recording_of_rows_is_none_of_files(tmp_path: Path, office: Office) -> None:
    @attrs.frozen
    class File:
        filing: str = column(key=True, source="request.each.name")
        name: str = column(key=True)

    recording = of(tmp_path / "home", listed(office), asked_each(office))
    recording.run()
    recipe = FileRecipe(path="drops/*.json", each="file", extension="json")
    folder = of(tmp_path / "again", listed(office), asked_each(office, for_each=None, columns=File, recipe=recipe))
    context = folder.run(options=RunOptions(replay=str(recording.home)))
    assert {one.dataset for one in context.failures} == {"filings/odd/facts"}
    assert "'1|a' is no name of a file" in " ".join(map(str, context.failures))
    assert folder.ask("SELECT count(*) FROM silver.filings") == [(2,)], "the other goes on"


def addresses(home: Path) -> list[str]:
    lines = [read_journal(path) for path in journal_files(home / "bronze")]
    return [unquote(urlsplit(line.row.address).query) for each in lines for line in each]


def test_the_journal_says_what_was_asked(tmp_path: Path, office: Office) -> None:
    warehouse = of(tmp_path / "home", listed(office), asked_each(office))
    warehouse.run()
    assert sorted(addresses(warehouse.home)) == ["", "cik=1&id=a", "cik=2&id=b"]


def test_empty_answers_and_unknown_rows_are_known(tmp_path: Path, office: Office) -> None:
    office.refused = {"a"}
    rules = DataRules(none_status=(404,))
    warehouse = of(tmp_path / "home", listed(office), asked_each(office, is_data=rules))
    assert is_fine(warehouse.run())
    office.asked.clear()
    assert is_fine(warehouse.run(hours_later=24))
    assert sorted(office.asked) == ["2/b", "list"], "asked for again after unknown_after_days"
