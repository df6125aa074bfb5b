"""Datasets that are asked for what changed: whatever happens, nothing that changed is missed,
and nothing is asked twice for nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from warehouse import START, Warehouse, counts_add_up
from werkzeug import Request, Response

from sbf_core.api import Column, Cursor, DataRules, DatasetKeymapEntry, Pages, RestRecipe, UsageError, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.cli.commands.coverage import coverage as coverage_command
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions

COLUMNS = [
    Column(name="id", type="BIGINT", key=True),
    Column(name="updated", type="TIMESTAMP"),
    Column(name="value", type="BIGINT"),
]
MOMENT = Cursor(by="moment", column="updated", overlap_seconds=60)
TOKEN = Cursor(by="token", at="meta.next")


class Feed:
    """A vendor with a log of changes, and the plugin that asks it."""

    def __init__(self, server: HTTPServer, cursor: Cursor, *, parameter: str = "since", **recipe: object) -> None:
        self.log: list[tuple[dt.datetime, int, int]] = []
        self.asked: list[str | None] = []
        self.status = 200
        self.broken = False
        self.token = True
        self.clock = START
        server.expect_request("/feed").respond_with_handler(self._answer)
        url = server.url_for("/feed") + f"?{parameter}={{cursor}}"
        self.entry = DatasetKeymapEntry(
            domain="orders", source="feed", dataset="changes", silver_table="change", columns=COLUMNS, rows_at="rows",
            recipe=RestRecipe(url=url, cursor=cursor, **recipe),  # type: ignore[arg-type]
            is_data=DataRules(may_be_empty=True), refresh_after_hours=0.1, first_date=dt.date(2024, 1, 1),
        )  # fmt: skip

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return [self.entry]

    def changes(self, key: int, value: int, *, ago: float = 0) -> None:
        self.log.append((self.clock - dt.timedelta(seconds=ago), key, value))

    def _answer(self, request: Request) -> Response:
        since = request.args.get("since")
        self.asked.append(since)
        log = self.log
        if self.token and since is not None and since.isdigit():
            log = log[int(since) :]
        elif since is not None:
            log = [one for one in log if one[0] >= dt.datetime.fromisoformat(since)]
        rows = list({one[1]: self._row(one) for one in sorted(log, key=lambda one: one[0])}.values())
        if self.broken:
            rows = [{"id": "no number", "updated": str(self.clock), "value": None}] * 2
        page = int(request.args.get("page", 0))
        part = rows[page * 2 :][:2] if "page" in request.args else rows
        more = "page" in request.args and len(rows) > page * 2 + 2
        body: dict[str, object] = {"rows": part, "more": page + 1 if more else None}
        if self.token:
            body["meta"] = {"next": str(len(self.log))}
        return Response(json.dumps(body), status=self.status, content_type="application/json")

    def _row(self, one: tuple[dt.datetime, int, int]) -> dict[str, object]:
        return {"id": one[1], "updated": one[0].isoformat(), "value": one[2]}

    def now(self) -> list[tuple[int, int]]:
        """What holds."""
        return sorted({key: value for _, key, value in sorted(self.log, key=lambda one: one[0])}.items())


def run(warehouse: Warehouse, feed: Feed, *, hours: float = 1, **options: object) -> str:
    warehouse.clock.advance(hours=hours)
    feed.clock = warehouse.clock.now()
    return str(warehouse.runner(RunOptions(**options)).run().status)  # type: ignore[arg-type]


def held(warehouse: Warehouse) -> list[tuple[int, int]]:
    return warehouse.ask("SELECT id, value FROM silver.change ORDER BY 1")


def made_again(warehouse: Warehouse, feed: Feed) -> None:
    manager = PluginManager(())
    manager.register(feed, name="fake")
    rebuild(warehouse.opened(manager), accept=True)


def test_a_moment_goes_on_from_the_newest_row_less_the_overlap(tmp_path: Path, httpserver: HTTPServer) -> None:
    feed = Feed(httpserver, MOMENT)
    warehouse = Warehouse(tmp_path / "home", feed)
    feed.changes(1, 10, ago=7200)
    assert run(warehouse, feed, hours=0) == "ok"
    assert run(warehouse, feed) == "ok"
    feed.changes(1, 11, ago=1800)
    feed.changes(2, 20, ago=-86_400)  # what is dated ahead moves nothing beyond the moment of asking
    assert run(warehouse, feed) == "ok"
    feed.changes(3, 30)
    assert run(warehouse, feed) == "ok"
    assert feed.asked[:3] == ["2023-12-31T23:59:00Z", "2024-01-02T09:59:00Z", "2024-01-02T09:59:00Z"]
    assert "2024-01-02T13:58:50Z" < str(feed.asked[3]) < "2024-01-02T13:59:00Z", (
        "when it was asked, not when it was answered"
    )
    assert held(warehouse) == [(1, 11), (2, 20), (3, 30)]


def test_coverage_says_where_to_look(tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = PluginManager(())
    manager.register(Feed(httpserver, TOKEN), name="fake")
    monkeypatch.setattr("sbf_core.home.home.installed_plugins", lambda settings: manager)
    with pytest.raises(UsageError, match="asked for what changed") as told:
        coverage_command("change", str(tmp_path / "home"), days=True)
    assert "ops.cursors" in told.value.fix


@pytest.mark.parametrize(
    ("cursor", "sent"),
    [
        (Cursor(by="moment", format="s"), "1704196800"),
        (Cursor(by="moment", format="ms", overlap_seconds=0.5), "1704196799500"),
        (Cursor(by="moment", format="%d.%m.%Y %H:%M"), "02.01.2024 12:00"),
    ],
)
def test_how_a_moment_is_sent(cursor: Cursor, sent: str) -> None:
    assert cursor.sent("2024-01-02T12:00:00.000000+00:00") == sent


def test_a_token_is_what_the_last_page_of_the_last_answer_said(tmp_path: Path, httpserver: HTTPServer) -> None:
    pages = Pages(by="cursor", parameter="page", next_at="more")
    feed = Feed(httpserver, TOKEN, pages=pages)
    warehouse = Warehouse(tmp_path / "home", feed)
    for key in range(5):
        feed.changes(key, key)
    run(warehouse, feed, hours=0)
    feed.changes(1, 100)
    run(warehouse, feed)
    run(warehouse, feed)
    assert [since for since in feed.asked if since is not None] == ["5", "6"]
    assert held(warehouse) == feed.now()
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [("6",)]
    plan = warehouse.runner(RunOptions(force=True)).plan()
    assert "what changed since 6" in plan.requests[0].why
    run(warehouse, feed, since=dt.date(2024, 1, 1))
    assert feed.asked[-1] is None, "from the beginning"
    made_again(warehouse, feed)
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [("6",)]


def test_an_answer_that_says_nothing_to_come_back_with(tmp_path: Path, httpserver: HTTPServer) -> None:
    feed = Feed(httpserver, TOKEN)
    warehouse = Warehouse(tmp_path / "home", feed)
    feed.token = False
    feed.changes(1, 1)
    assert run(warehouse, feed, hours=0) == "failed"
    assert warehouse.ask("SELECT error FROM ops.file_ingestions WHERE kind = 'file'") == [
        ("there is no cursor at meta.next",)
    ]
    assert warehouse.bronze_files() == []


def test_what_could_not_be_promoted_is_asked_for_again(tmp_path: Path, httpserver: HTTPServer) -> None:
    """And once its payload can be, the cursor is where the later answers left it."""
    feed = Feed(httpserver, TOKEN)
    warehouse = Warehouse(tmp_path / "home", feed)
    feed.changes(1, 1)
    run(warehouse, feed, hours=0)
    feed.changes(2, 2)
    feed.broken = True
    assert run(warehouse, feed) == "partial"
    feed.broken = False
    feed.changes(3, 3)
    assert run(warehouse, feed) == "ok"
    assert feed.asked == [None, "1", "1"]
    assert held(warehouse) == feed.now()
    assert warehouse.ask("SELECT cursor FROM ops.cursors") == [("3",)]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_payload_that_is_lost_is_asked_for_again(tmp_path: Path, httpserver: HTTPServer, place: int) -> None:
    feed = Feed(httpserver, TOKEN)
    warehouse = Warehouse(tmp_path / "home", feed)
    for number in range(3):
        feed.changes(number, number)
        run(warehouse, feed)
    lost = sorted(warehouse.bronze_files(), key=lambda name: name.rpartition("/")[2])[place]
    path = warehouse.home / "bronze" / lost
    path.chmod(0o600)
    path.write_bytes(b"{}")
    made_again(warehouse, feed)
    assert held(warehouse) == [(number, number) for number in range(3) if number != place]
    run(warehouse, feed)
    assert feed.asked[-1] == [None, "1", "2"][place]
    assert held(warehouse) == feed.now()


def test_a_table_that_is_made_again_keeps_its_place(tmp_path: Path, httpserver: HTTPServer) -> None:
    feed = Feed(httpserver, TOKEN)
    warehouse = Warehouse(tmp_path / "home", feed)
    for number in range(3):
        feed.changes(number, number)
        run(warehouse, feed)
    before = warehouse.ask("FROM ops.cursors")
    feed.entry = attrs.evolve(feed.entry, promote_version=2)
    run(warehouse, feed, only="silver")
    assert warehouse.ask("FROM ops.cursors") == before
    run(warehouse, feed)
    assert feed.asked[-1] == "3"


def test_a_recording_of_it_can_be_replayed(tmp_path: Path, httpserver: HTTPServer) -> None:
    feed = Feed(httpserver, MOMENT, pages=Pages(by="cursor", parameter="page", next_at="more"))
    warehouse, other = Warehouse(tmp_path / "home", feed), Warehouse(tmp_path / "other", feed)
    for number in range(5):
        feed.changes(number, number)
        feed.changes(9, number)
        run(warehouse, feed)
    asked = len(feed.asked)
    context = other.runner(RunOptions(replay=str(warehouse.home))).run()
    assert (context.errors, len(feed.asked)) == ([], asked)
    assert held(other) == held(warehouse)
    assert other.ask("SELECT cursor FROM ops.cursors") == warehouse.ask("SELECT cursor FROM ops.cursors")


STEPS = st.lists(
    st.sampled_from(["change", "late", "run", "run", "down", "broken", "again", "rebuild"]), min_size=4, max_size=14
)


@settings(max_examples=9, deadline=None)
@given(
    STEPS,
    st.sampled_from([MOMENT, TOKEN]),
    st.sampled_from([None, Pages(by="cursor", parameter="page", next_at="more")]),
)
def test_any_history_ends_with_what_the_vendor_says(steps: list[str], cursor: Cursor, pages: Pages | None) -> None:
    with HTTPServer() as server, tempfile.TemporaryDirectory() as folder:
        feed = Feed(server, cursor, pages=pages)
        warehouse = Warehouse(Path(folder) / "home", feed)
        for number, step in enumerate([*steps, "run"]):
            feed.clock = warehouse.clock.now()
            if step == "change":
                feed.changes(number % 3, number)
            elif step == "late":
                feed.changes(number % 3, number, ago=30)
            elif step == "rebuild" and warehouse.bronze_files():
                made_again(warehouse, feed)
            elif step in ("run", "down", "broken"):
                feed.status, feed.broken = 404 if step == "down" else 200, step == "broken"
                run(warehouse, feed)
                feed.status, feed.broken = 200, False
            elif step == "again":
                run(warehouse, feed, since=dt.date(2024, 1, 1))
        counts_add_up(warehouse)
        assert held(warehouse) == feed.now()
        asked = len(feed.asked)
        run(warehouse, feed)
        assert len(feed.asked) == asked + 1
        assert held(warehouse) == feed.now()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cursor(by="week"),
        lambda: Cursor(by="token"),
        lambda: Cursor(by="token", at="next", overlap_seconds=1),
        lambda: Cursor(by="moment", at="next"),
        lambda: Cursor(by="moment", overlap_seconds=-1),
        lambda: RestRecipe(url="https://example.com/a?since={cursor}"),
        lambda: RestRecipe(url="https://example.com/a", cursor=MOMENT),
        lambda: RestRecipe(url="https://example.com/a?since={cursor}&to={to_date}", cursor=MOMENT),
        lambda: RestRecipe(url="https://example.com/a?since={cursor}", cursor=MOMENT, rows_max=10),
        lambda: RestRecipe(url="https://example.com/{period}?since={cursor}", cursor=TOKEN, periods=("a", "b")),
        lambda: RestRecipe(url="https://example.com/{ticker}?since={cursor}", cursor=MOMENT, tickers_per_request=2),
        lambda: _declared(Cursor(by="moment", column="value")),
        lambda: _declared(Cursor(by="moment", column="other")),
        lambda: _declared(MOMENT, rules=DataRules()),
    ],
)
def test_what_is_refused(make: object) -> None:
    with pytest.raises(UsageError):
        make()  # type: ignore[operator]


def _declared(cursor: Cursor, rules: DataRules | None = None) -> DatasetKeymapEntry:
    rules = rules or DataRules(may_be_empty=True)
    recipe = RestRecipe(url="https://example.com/a?since={cursor}", cursor=cursor)
    return DatasetKeymapEntry(
        domain="d", source="s", dataset="e", silver_table="t", columns=COLUMNS, recipe=recipe, is_data=rules
    )
