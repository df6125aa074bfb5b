"""Statuses that a dataset declares to mean that there is nothing: asked, answered, and no failure."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import attrs
import pytest
from pytest_httpserver import HTTPServer
from warehouse import Declared, Warehouse, entry, price

from sbf_core.api import DataRules, Pages, RestRecipe, UsageError
from sbf_core.ops.coverage import final_stretches
from sbf_core.runner.options import RunOptions

NONE = DataRules(none_status=(404, 204))


def warehouse_of(
    folder: Path, url: str, *, rules: DataRules = NONE, recipe: dict[str, Any] | None = None, **declared: Any
) -> Warehouse:
    return Warehouse(
        folder / "home", Declared(entry(recipe=RestRecipe(url=url, **recipe or {}), is_data=rules, **declared))
    )


def statuses(warehouse: Warehouse) -> list[tuple[str, int]]:
    return warehouse.ask("SELECT status, count(*) FROM ops.file_ingestions WHERE kind = 'file' GROUP BY 1 ORDER BY 1")


def asked(server: HTTPServer) -> list[str]:
    return [f"{request.path}?{request.query_string.decode()}".rstrip("?") for request, _ in server.log]


def test_years_without_data_do_not_end_a_chain(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/rates", query_string="year=2022").respond_with_json(
        {"message": "no results"}, status=404
    )
    httpserver.expect_request("/rates", query_string="year=2023").respond_with_json([price("A", "2023-01-05")])
    httpserver.expect_request("/rates", query_string="year=2024").respond_with_data("", status=204)
    warehouse = warehouse_of(tmp_path, httpserver.url_for("/rates") + "?year={year}", first_date=dt.date(2022, 1, 1))
    context = warehouse.run()
    assert (context.errors, context.failed_requests, context.files, context.rows_inserted) == ([], 0, 1, 1)
    assert statuses(warehouse) == [("none", 2), ("ok", 1)]
    with warehouse.open() as cursor:
        declared = next(iter(warehouse.plugins.values())).declared
        assert [(str(each.first), str(each.last)) for each in final_stretches(cursor, declared)[None]] == [
            ("2022-01-01", "2023-12-31")
        ]
    assert warehouse.run(hours_later=1).files == 0
    assert len(asked(httpserver)) == 3, "an answer counts as one"


@pytest.mark.parametrize(("rules", "status", "failed"), [
    (NONE, 404, 0), (NONE, 204, 0), (NONE, 410, 1), (DataRules(), 404, 1),
    (DataRules(none_status=(410,)), 404, 1), (NONE, 500, 1),
])  # fmt: skip
def test_what_is_not_declared_is_a_failure(
    tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, rules: DataRules, status: int, failed: int
) -> None:
    monkeypatch.setattr("sbf_core.http.attempts._WAIT_SECONDS_FIRST", 0.01)  # 500 is asked for again
    monkeypatch.setattr("sbf_core.http.attempts._WAIT_SECONDS_MAX", 0.02)
    httpserver.expect_request("/eod/A").respond_with_json([price("A", "2024-01-01")])
    httpserver.expect_request("/eod/GONE").respond_with_data("", status=status)
    warehouse = warehouse_of(
        tmp_path, httpserver.url_for("/eod/") + "{ticker}", rules=rules, scope="per_ticker", members=("GONE", "A")
    )
    context = warehouse.run()
    assert (context.failed_requests, context.rows_inserted, context.status) == (
        failed,
        1,
        "partial" if failed else "ok",
    )


def test_a_snapshot_of_nothing_leaves_what_is_there(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/all").respond_with_json([price("A", "2024-01-01")])
    httpserver.expect_ordered_request("/all").respond_with_data("", status=404)
    warehouse = warehouse_of(tmp_path, httpserver.url_for("/all"), semantics="snapshot")
    for hours in (0, 24):
        assert warehouse.run(hours_later=hours, options=RunOptions(force=True)).errors == []
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]


def test_a_period_without_data_is_left_out(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/s", query_string="p=annual").respond_with_json([price("A", "2024-01-01")])
    httpserver.expect_request("/s", query_string="p=quarter").respond_with_data("", status=404)
    warehouse = warehouse_of(
        tmp_path, httpserver.url_for("/s") + "?p={period}", recipe={"periods": ("quarter", "annual")}
    )
    context = warehouse.run()
    assert (context.errors, context.rows_inserted) == ([], 1)
    assert warehouse.ask("SELECT part, parts FROM ops.bronze_manifest") == [(0, 0)]


def test_numbered_pages_end_with_a_page_that_is_not_there(tmp_path: Path, httpserver: HTTPServer) -> None:
    for number, symbols in ((1, "AB"), (2, "C")):
        httpserver.expect_request("/p", query_string=f"page={number}").respond_with_json(
            [price(symbol, "2024-01-01") for symbol in symbols]
        )
    httpserver.expect_request("/p", query_string="page=3").respond_with_data("", status=404)
    warehouse = warehouse_of(tmp_path, httpserver.url_for("/p"), recipe={"pages": Pages(by="page", parameter="page")})
    context = warehouse.run()
    assert (context.errors, context.rows_inserted) == ([], 3)


def test_a_page_that_was_named_must_be_there(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/c", query_string="").respond_with_json(
        {"rows": [price("A", "2024-01-01")], "next": "x"}
    )
    httpserver.expect_request("/c", query_string="c=x").respond_with_data("", status=404)
    warehouse = warehouse_of(
        tmp_path,
        httpserver.url_for("/c"),
        recipe={"pages": Pages(by="cursor", parameter="c", next_at="next")},
        rows_at="rows",
    )
    assert warehouse.run().errors == ["prices/fake/eod: page 2 was named and is not there: HTTP 404"]
    assert warehouse.bronze_files() == []


@pytest.mark.parametrize("status", [200, 302, 401, 402, 403, 429, 500, "404", True])
def test_statuses_that_say_something_else_are_refused(status: object) -> None:
    with pytest.raises(UsageError, match="cannot mean that there is nothing"):
        DataRules(none_status=(status,))  # type: ignore[arg-type]


def test_a_ticker_that_the_vendor_does_not_know_is_asked_for_rarely_and_told_once(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/eod/A").respond_with_json([price("A", "2024-01-01")])
    httpserver.expect_request("/eod/GONE").respond_with_data("", status=404)
    warehouse = warehouse_of(
        tmp_path, httpserver.url_for("/eod/{ticker}"), scope="per_ticker", members=("A", "GONE"), unknown_after_days=7
    )
    told = "prices/fake/eod: fake has nothing of GONE; asked again after 7 days"
    assert told in warehouse.run().notes
    for _ in range(6):
        assert told not in warehouse.run(hours_later=24).notes
    assert asked(httpserver).count("/eod/GONE") == 1
    assert "fake has never had anything of it, asked 6 days ago; due after 7 days" in [
        item.why for item in warehouse.runner().plan().requests
    ]
    assert told not in warehouse.run(hours_later=24).notes, "asked again, and still not known"
    assert asked(httpserver).count("/eod/GONE") == 2
    warehouse.run(options=RunOptions(force=True))
    assert asked(httpserver).count("/eod/GONE") == 3
    httpserver.clear()
    httpserver.expect_request("/eod/A").respond_with_data("", status=404)
    httpserver.expect_request("/eod/GONE").respond_with_json([price("GONE", "2024-01-08")])
    warehouse.run(hours_later=24 * 7)
    assert warehouse.ask("SELECT symbol FROM silver.px ORDER BY 1") == [("A",), ("GONE",)]
    warehouse.run(hours_later=24)
    assert sorted(asked(httpserver)) == ["/eod/A"] * 2 + ["/eod/GONE"] * 2, (
        "one that it had is no unknown one, and one that came is known"
    )


def test_a_dataset_without_tickers_is_never_unknown(tmp_path: Path, httpserver: HTTPServer) -> None:
    """There may be nothing yet."""
    httpserver.expect_request("/events").respond_with_data("", status=204)
    warehouse = warehouse_of(tmp_path, httpserver.url_for("/events"))
    warehouse.run()
    warehouse.run(hours_later=24)
    assert len(asked(httpserver)) == 2


def test_tickers_of_a_batch_that_the_vendor_does_not_know(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/eod/A,B").respond_with_data("", status=404)
    httpserver.expect_request("/eod/C").respond_with_json([price("C", "2024-01-01")])
    warehouse = warehouse_of(
        tmp_path,
        httpserver.url_for("/eod/{ticker}"),
        recipe={"tickers_per_request": 2},
        scope="per_ticker",
        members=("A", "B", "C"),
    )
    warehouse.run()
    warehouse.run(hours_later=24)
    assert sorted(asked(httpserver)) == ["/eod/A,B", "/eod/C", "/eod/C"]


@pytest.mark.parametrize(
    ("members", "renamed"),
    [(("C", "B", "A"), {}), (("A", "B", "C"), {"dataset": "bars", "renamed_from": ("prices/fake/eod",)})],
    ids=["asked for with others", "renamed"],
)
def test_tickers_of_which_something_came_are_not_unknown_on_a_day_without_rows(
    tmp_path: Path, httpserver: HTTPServer, members: tuple[str, ...], renamed: dict[str, Any]
) -> None:
    """The vendor says on a weekend that there is nothing; the next run asks as ever."""
    for tickers in ("A,B", "C"):
        rows = [price(ticker, "2024-01-01") for ticker in tickers.split(",")]
        httpserver.expect_request(f"/eod/{tickers}").respond_with_json(rows)
    usual = {"recipe": {"tickers_per_request": 2}, "scope": "per_ticker", "members": ("A", "B", "C")}
    url = httpserver.url_for("/eod/{ticker}")
    warehouse = warehouse_of(tmp_path, url, **usual)  # type: ignore[arg-type]
    warehouse.run()
    httpserver.clear()
    for tickers in ("A,B", "C", "C,B", "A"):
        httpserver.expect_request(f"/eod/{tickers}").respond_with_data("", status=404)
    (plugin,) = warehouse.plugins.values()
    plugin.declared = attrs.evolve(plugin.declared, members=members, **renamed)  # type: ignore[attr-defined]
    for _ in range(2):
        assert not [note for note in warehouse.run(hours_later=24).notes if "has nothing of" in note]
    assert len(asked(httpserver)) == 4


def test_what_a_vendor_did_not_know_is_asked_for_once_it_does(tmp_path: Path, httpserver: HTTPServer) -> None:
    """That there was nothing of a series as long as nothing of it had come says nothing of its days."""
    httpserver.expect_request("/eod/A").respond_with_data("", status=404)
    warehouse = warehouse_of(
        tmp_path, httpserver.url_for("/eod/{ticker}") + "?from={from_date}", scope="per_ticker",
        members=("A",), first_date=dt.date(2023, 12, 1), unknown_after_days=1,
    )  # fmt: skip
    warehouse.run()
    httpserver.clear()
    httpserver.expect_request("/eod/A").respond_with_json([price("A", "2024-01-10")])
    warehouse.run(hours_later=24 * 10, options=RunOptions(since=dt.date(2024, 1, 8)))
    warehouse.run(hours_later=24)
    assert asked(httpserver) == ["/eod/A?from=2024-01-08", "/eod/A?from=2023-12-01", "/eod/A?from=2024-01-11"]
