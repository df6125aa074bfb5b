"""Answers of several pages: all of them, or none."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest
import stamina

sys.path.insert(0, str(Path(__file__).parent))
from faulty import FaultyVendor, Script, answer
from warehouse import Warehouse, entry, price

from sbf_core.api import Csv, DataRules, DatasetKeymapEntry, Pages, RestRecipe, UsageError, hookimpl
from sbf_core.care.digest import digest_tables
from sbf_core.http.questions import vendor_ticker
from sbf_core.runner.options import RunOptions

ROWS = [price(f"S{number:02}", "2024-01-01") for number in range(10)]


class Plugin:
    def __init__(self, *entries: DatasetKeymapEntry) -> None:
        self.entries = list(entries)

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return self.entries


class PagedVendor(FaultyVendor):
    """Answers by the query of a request, so that pages differ by what is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Script] = {}
        self.other: Script = answer(b"[]")

    def _script(self, target: str, headers: dict[str, str]) -> Script:
        path, _, query = target.partition("?")
        self.requests[path].append(headers)
        return self.answers.get(query, self.other)

    @property
    def asked(self) -> list[str]:
        """The queries, in their order."""
        return [request["target"].partition("?")[2] for request in self.requests["/odd"]]


@pytest.fixture
def vendor() -> Iterator[PagedVendor]:
    with stamina.set_testing(True, attempts=2, cap=True), PagedVendor() as paged:
        yield paged


def page(rows: Sequence[object], *, headers: Sequence[tuple[str, str]] = (), **more: object) -> Script:
    body = {"rows": list(rows), **more} if more else list(rows)
    return answer(json.dumps(body).encode(), headers=headers)


def warehouse_of(
    home: Path, vendor: PagedVendor, pages: Pages | None, *, rows_at: str = "", query: str = "", **more: object
) -> Warehouse:
    recipe = RestRecipe(url=vendor.url("/odd") + query, pages=pages, **more)  # type: ignore[arg-type]
    return Warehouse(home, Plugin(entry(recipe=recipe, rows_at=rows_at)))


def symbols(warehouse: Warehouse) -> list[str]:
    return [row[0] for row in warehouse.ask("SELECT symbol FROM silver.px ORDER BY 1")]


ALL = [row["symbol"] for row in ROWS]
THREE = (ROWS[:4], ROWS[4:8], ROWS[8:])
WALKS = {
    "pages, the last one shorter": (
        Pages(by="page", parameter="page", size=4), "", {f"page={n}": page(rows) for n, rows in enumerate(THREE, 1)}, 4,
    ),
    "pages, a short one is the last": (
        Pages(by="page", parameter="page", size=4, short_page_ends=True),
        "", {f"page={n}": page(rows) for n, rows in enumerate(THREE, 1)}, 3,
    ),
    "a short page among them": (
        Pages(by="page", parameter="page", size=4), "",
        {f"page={n}": page(rows) for n, rows in enumerate((ROWS[:4], ROWS[4:5], ROWS[5:9], ROWS[9:]), 1)}, 5,
    ),
    "pages from 0 with their size": (
        Pages(by="page", parameter="p", first=0, size=4, size_parameter="n"),
        "", {f"n=4&p={n}": page(rows) for n, rows in enumerate(THREE)}, 4,
    ),
    "pages with a total": (
        Pages(by="page", parameter="page", total_at="total"), "rows",
        {f"page={n}": page(rows, total=10) for n, rows in enumerate(THREE, 1)}, 3,
    ),
    "a total in a header": (
        Pages(by="page", parameter="page", total_header="X-Total-Count"), "",
        {f"page={n}": page(rows, headers=[("X-Total-Count", "10")]) for n, rows in enumerate(THREE, 1)}, 3,
    ),
    "the number of the next page": (
        Pages(by="page", parameter="page", next_at="next"), "rows",
        {f"page={n}": page(rows, next=n + 1 if n < 3 else None) for n, rows in enumerate(THREE, 1)}, 3,
    ),
    "the next offset as a text": (
        Pages(by="offset", parameter="o", first=0, next_at="next"), "rows",
        {f"o={n * 4}": page(rows, next=str(n * 4 + 4) if n < 2 else "") for n, rows in enumerate(THREE)}, 3,
    ),
    "offsets of items that hold rows": (
        Pages(by="offset", parameter="o", first=0, items_at="items", total_at="total"), "$.items[*].rows[*]",
        {
            f"o={n}": answer(json.dumps({"items": [{"rows": rows}], "total": 3}).encode())
            for n, rows in enumerate(THREE)
        },
        3,
    ),
    "pages up to an empty one": (
        Pages(by="page", parameter="page"), "", {f"page={n}": page(rows) for n, rows in enumerate(THREE, 1)}, 4,
    ),
    "offsets": (
        Pages(by="offset", parameter="o", first=0, size=4), "",
        {f"o={n * 4}": page(rows) for n, rows in enumerate(THREE)} | {"o=8": page(ROWS[8:])}, 4,
    ),
    "offsets of full pages only": (
        Pages(by="offset", parameter="o", first=0, size=5), "", {"o=0": page(ROWS[:5]), "o=5": page(ROWS[5:])}, 3,
    ),
    "cursors": (
        Pages(by="cursor", parameter="c", next_at="next"), "rows",
        {"": page(THREE[0], next="a b"), "c=a+b": page(THREE[1], next="z"), "c=z": page(THREE[2], next=None)}, 3,
    ),
    "cursors with a total": (
        Pages(by="cursor", parameter="c", next_at="meta.next", total_at="meta.total"), "rows",
        {"": page(ROWS[:5], meta={"next": "a", "total": 10}), "c=a": page(ROWS[5:], meta={"total": 10})}, 2,
    ),
    "next addresses": (
        Pages(by="next_url", next_at="next"), "rows",
        {"": page(THREE[0], next="/odd?x=1"), "x=1": page(THREE[1], next="?x=2"), "x=2": page(THREE[2], next="")}, 3,
    ),
    "links": (
        Pages(by="link"), "",
        {
            "": page(THREE[0], headers=[("Link", '</odd?x=0>; rel="prev", </odd?x=1>; rel="next"')]),
            "x=1": page(THREE[1], headers=[("Link", "</odd?x=2>; rel=next")]), "x=2": page(THREE[2]),
        },
        3,
    ),
    "links in several headers, among others": (
        Pages(by="link"), "",
        {
            "": page(
                THREE[0],
                headers=[
                    ("Link", '</odd?x=0>; rel="first"'),
                    ("Link", '</odd?x=1>; title="rows, page by page"; rel="last next"'),
                ],
            ),
            "x=1": page(
                THREE[1],
                headers=[("Link", '</odd?x=2>; rel=NEXT; type="a;b"'), ("link", "</odd?x=9>; rel=next-archive")],
            ),
            "x=2": page(THREE[2]),
        }, 3,
    ),
    "names in the first answer": (
        Pages(by="names", next_at="meta.more"), "rows",
        {
            "": page(THREE[0], meta={"more": ["odd?x=1", {"name": "/odd?x=2", "rows": 2}]}),
            "x=1": page(THREE[1], meta=0), "x=2": page(THREE[2], meta={"more": ["never"]}),
        },
        3,
    ),
    "no further names": (Pages(by="names", next_at="more"), "rows", {"": page(ROWS, more=[])}, 1),
}  # fmt: skip


@pytest.mark.parametrize(("pages", "rows_at", "answers", "asked"), WALKS.values(), ids=WALKS)
def test_every_page_counts(
    tmp_path: Path, vendor: PagedVendor, pages: Pages, rows_at: str, answers: dict[str, Script], asked: int
) -> None:
    vendor.answers = answers
    warehouse = warehouse_of(tmp_path / "home", vendor, pages, rows_at=rows_at)
    context = warehouse.run()
    assert context.errors == []
    assert symbols(warehouse) == ALL
    assert len(vendor.asked) == asked
    files = context.files
    parts = [(number, files) for number in range(1, files + 1)] if files > 1 else [(0, 0)]
    assert warehouse.ask("SELECT part, max(parts) FROM ops.bronze_manifest GROUP BY 1 ORDER BY 1") == parts
    again = warehouse.run(hours_later=24)
    assert (again.files, again.errors, again.rows_seen) == (0, [], 0)
    replayed = Warehouse(tmp_path / "replayed", *warehouse.plugins.values())
    assert replayed.run(options=RunOptions(replay=str(warehouse.home))).errors == []
    with warehouse.open() as ours, replayed.open() as theirs:
        assert digest_tables(ours, keys={}) == digest_tables(theirs, keys={})


def loop_of(number: int) -> Script:
    return page([price(f"L{number}", "2024-01-01")], next=str(number + 1))


FAULTS = {
    "the same token for ever": (
        Pages(by="cursor", parameter="c", next_at="next"),
        {"": page(ROWS[:1], next="a"), "c=a": page(ROWS[1:2], next="a")}, "pagination_loop",
    ),
    "a circle of tokens": (
        Pages(by="cursor", parameter="c", next_at="next"),
        {"": page(ROWS[:1], next="a"), "c=a": page(ROWS[1:2], next="b"), "c=b": page(ROWS[2:3], next="a")},
        "pagination_loop",
    ),
    "a page that repeats the one before": (
        Pages(by="page", parameter="page"), {f"page={n}": page(ROWS[:1], x=1) for n in range(1, 9)}, "pagination_loop",
    ),
    "pages without end": (
        Pages(by="cursor", parameter="c", next_at="next", pages_max=20),
        {"": loop_of(0), **{f"c={n}": loop_of(n) for n in range(1, 50)}}, "pagination_loop",
    ),
    "the third page fails": (
        Pages(by="page", parameter="page", size=4),
        {"page=1": page(THREE[0], x=1), "page=2": page(THREE[1], x=1), "page=3": answer(status=500)}, "http_status",
    ),
    "the third page is a login page": (
        Pages(by="page", parameter="page", size=4),
        {"page=1": page(THREE[0], x=1), "page=2": page(THREE[1], x=1), "page=3": answer(b"<html>")}, "not_data",
    ),
    "a row is missing at the seam": (
        Pages(by="cursor", parameter="c", next_at="next", total_at="total"),
        {"": page(ROWS[:4], next="a", total=10), "c=a": page(ROWS[5:], next="", total=10)}, "incomplete",
    ),
    "less than the header says": (
        Pages(by="page", parameter="page", total_header="X-Total"),
        {"page=1": page(ROWS[:4], headers=[("x-total", "5")], x=1), "page=2": page([], x=2)}, "incomplete",
    ),
    "more than the header says": (
        Pages(by="page", parameter="page", total_header="X-Total"),
        {"page=1": page(ROWS[:4], headers=[("X-Total", "3")], x=1)}, "incomplete",
    ),
    "a total that no page says": (
        Pages(by="page", parameter="page", total_header="X-Total"),
        {"page=1": page(ROWS[:4], x=1), "page=2": page([], x=2)}, "incomplete",
    ),
    "a total that is no number": (
        Pages(by="page", parameter="page", total_at="total"), {"page=1": page(ROWS[:4], total="about 4")}, "not_data",
    ),
    "another offset than follows": (
        Pages(by="offset", parameter="o", first=0, next_at="next"),
        {"o=0": page(ROWS[:4], next=5), "o=5": page(ROWS[5:], next=None)}, "incomplete",
    ),
    "a cursor that is an object": (
        Pages(by="cursor", parameter="c", next_at="next"), {"": page(ROWS[:4], next={"id": 4})}, "not_data",
    ),
    "rows of a page elsewhere": (
        Pages(by="page", parameter="page"),
        {"page=1": page(ROWS[:4], x=1), "page=2": answer(json.dumps({"data": ROWS[4:] * 50}).encode())}, "not_data",
    ),
    "a link that is not closed": (
        Pages(by="link"), {"": page(ROWS[:4], headers=[("Link", '</odd?x=1; rel="next"')], x=1)}, "not_data",
    ),
    "two pages follow": (
        Pages(by="link"),
        {"": page(ROWS[:4], headers=[("Link", "</odd?x=1>; rel=next, </odd?x=2>; rel=next")], x=1)}, "not_data",
    ),
    "the next page is elsewhere": (
        Pages(by="next_url", next_at="next"), {"": page(ROWS[:4], next="http://169.254.169.254/odd")}, "redirect",
    ),
    "a named page is elsewhere": (
        Pages(by="names", next_at="more"),
        {"": page(ROWS[:4], more=["odd?x=1", "//169.254.169.254/odd"]), "x=1": page(ROWS[4:], more=0)}, "redirect",
    ),
    "a page is named twice": (
        Pages(by="names", next_at="more"),
        {"": page(ROWS[:4], more=["odd?x=1", "odd?x=1"]), "x=1": page(ROWS[4:], more=0)}, "pagination_loop",
    ),
    "a named page is not there": (
        Pages(by="names", next_at="more"),
        {"": page(ROWS[:4], more=["odd?x=1"]), "x=1": answer(status=404)}, "http_status",
    ),
    "names that are none": (Pages(by="names", next_at="more"), {"": page(ROWS[:4], more=[3])}, "not_data"),
    "a name of half a letter": (Pages(by="names", next_at="more"), {"": page(ROWS[:4], more=["\ud83d"])}, "not_data"),
    "an address of half a letter": (
        Pages(by="next_url", next_at="next"), {"": page(ROWS[:4], next="/odd?\ud83d")}, "not_data",
    ),
    "a token of half a letter": (
        Pages(by="cursor", parameter="c", next_at="next"), {"": page(ROWS[:4], next="\ud83d")}, "not_data",
    ),
    "no list of names": (Pages(by="names", next_at="more"), {"": page(ROWS[:4], more="odd?x=1")}, "not_data"),
    "the next page is a file": (
        Pages(by="next_url", next_at="next"), {"": page(ROWS[:4], next="file:///etc/hostname")}, "redirect",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pages", "answers", "kind"), FAULTS.values(), ids=FAULTS)
def test_a_set_that_is_not_whole_is_nothing(
    tmp_path: Path, vendor: PagedVendor, pages: Pages, answers: dict[str, Script], kind: str
) -> None:
    vendor.answers = answers
    warehouse = warehouse_of(tmp_path / "home", vendor, pages, rows_at="rows")
    context = warehouse.run()
    assert len(context.errors) == 1
    assert [str(failure.kind) for failure in context.failures] == [kind], context.errors
    assert warehouse.bronze_files() == []
    assert len(vendor.asked) <= 25


def test_a_circle_of_pages_that_never_look_the_same_ends(tmp_path: Path, vendor: PagedVendor) -> None:
    """The same token for ever, and a stamp of time in each answer."""

    class Stamped(PagedVendor):
        def _script(self, target: str, headers: dict[str, str]) -> Script:
            super()._script(target, headers)
            return page(ROWS[:2], next="a", served_at=len(self.asked))

    with Stamped() as stamped:
        context = warehouse_of(
            tmp_path / "home", stamped, Pages(by="cursor", parameter="c", next_at="next"), rows_at="rows"
        ).run()
        assert context.errors == ["prices/fake/eod: page 3 is a page that was there before"]
        assert len(stamped.asked) == 2


def test_keys_in_the_next_address_are_taken_out(
    tmp_path: Path, vendor: PagedVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_KEY", "canary-of-pages")
    vendor.answers = {"apikey=canary-of-pages": page(THREE[0], next="/odd?x=1&apikey=canary-of-pages")}
    vendor.answers["x=1&apikey=canary-of-pages"] = page([*THREE[1], *THREE[2]], next=None)
    warehouse = warehouse_of(
        tmp_path / "home", vendor, Pages(by="next_url", next_at="next"), rows_at="rows", secrets={"apikey": "ODD_KEY"}
    )
    assert warehouse.run().errors == []
    assert symbols(warehouse) == ALL
    assert not any("canary" in address for (address,) in warehouse.ask("SELECT address FROM ops.bronze_manifest"))


@pytest.mark.parametrize("by", ["next_url", "link"])
def test_keys_do_not_go_to_a_place_that_the_vendor_chose(
    tmp_path: Path, vendor: PagedVendor, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Another port of the same host is another server."""
    monkeypatch.setenv("ODD_KEY", "canary-of-pages")
    with PagedVendor() as other:
        other.other = page(ROWS[5:], next=None)
        following = other.url("/odd") + "?x=1"
        vendor.other = page(ROWS[:5], next=following, headers=[("Link", f'<{following}>; rel="next"')])
        pages = Pages(by="next_url", next_at="next") if by == "next_url" else Pages(by="link")
        keys = {"secrets": {"apikey": "ODD_KEY"}, "secret_headers": {"x-key": "ODD_KEY"}}
        warehouse = warehouse_of(tmp_path / "home", vendor, pages, rows_at="rows", **keys)
        assert warehouse.run().errors == []
        assert symbols(warehouse) == ALL
        (asked,) = other.requests["/odd"]
        assert "canary" not in str(asked)
        assert "canary" in vendor.asked[0] and "canary" in str(vendor.requests["/odd"][0]["x-key"])


def test_an_answer_as_long_as_the_cap_is_asked_for_in_halves(tmp_path: Path, vendor: PagedVendor) -> None:
    """The vendor sends four rows at most, the oldest; nobody says so."""
    days = [price("AAA", f"2024-01-0{day}") for day in range(1, 10)]

    class Capped(PagedVendor):
        def _script(self, target: str, headers: dict[str, str]) -> Script:
            super()._script(target, headers)
            first, last = (part.partition("=")[2] for part in target.partition("?")[2].split("&"))
            return page([row for row in days if first <= str(row["date"]) <= last][:4])

    with Capped() as capped:
        recipe = RestRecipe(url=capped.url("/odd") + "?from={from_date}&to={to_date}", rows_max=4)
        warehouse = Warehouse(
            tmp_path / "home",
            Plugin(entry(recipe=recipe, first_date=dt.date(2024, 1, 1), is_data=DataRules(may_be_empty=True))),
        )
        warehouse.clock.advance(hours=24 * 10)
        assert warehouse.run().errors == []
        assert warehouse.ask("SELECT count(*) FROM silver.px") == [(9,)]


def test_an_answer_as_long_as_the_cap_that_cannot_be_split_is_refused(tmp_path: Path, vendor: PagedVendor) -> None:
    vendor.other = page(ROWS)
    context = warehouse_of(tmp_path / "home", vendor, None, rows_max=10).run()
    assert context.errors == [
        (
            "prices/fake/eod: the answer has 10 rows, the most that the vendor sends: it is not whole, "
            "and cannot be split"
        )
    ]


def test_each_period_is_asked_for(tmp_path: Path, vendor: PagedVendor) -> None:
    vendor.answers = {"period=annual": page(ROWS[:4]), "period=quarter": page(ROWS[4:])}
    warehouse = warehouse_of(tmp_path / "home", vendor, None, query="?period={period}", periods=("annual", "quarter"))
    assert warehouse.run().errors == []
    assert symbols(warehouse) == ALL


@pytest.mark.parametrize("ticker", ["BRK.B", "BRK-B", "BRK/B"])
@pytest.mark.parametrize(("mark", "wanted"), [(".", "BRK.B"), ("-", "BRK-B"), ("/", "BRK/B")])
def test_a_share_class_is_written_as_the_vendor_does(ticker: str, mark: str, wanted: str) -> None:
    assert vendor_ticker(ticker, mark) == wanted


def test_a_user_names_tickers_as_a_source_writes_them(tmp_path: Path, vendor: PagedVendor) -> None:
    recipe = RestRecipe(
        url=vendor.url("/odd") + "?s={ticker}", class_mark="-", ticker_names={"^SPX": "^GSPC", "X": "old"}
    )
    warehouse = Warehouse(tmp_path / "home", Plugin(entry(recipe=recipe, scope="per_ticker")))
    warehouse.home.mkdir()
    (warehouse.home / "sbf.toml").write_text('[tickers.fake]\n"X" = "x us"\n"BRK.A" = "BRKA"\n')
    vendor.other = page(ROWS[:1])
    context = warehouse.run(universe__tickers=["^SPX", "X", "BRK.A", "BRK.B"])
    assert context.errors == []
    assert sorted(vendor.asked) == ["s=%5EGSPC", "s=BRK-B", "s=BRKA", "s=x%20us"]
    assert warehouse.ask("SELECT ticker FROM ops.bronze_manifest ORDER BY 1") == [
        ("BRK.A",),
        ("BRK.B",),
        ("X",),
        ("^SPX",),
    ], "the ledger has the user's own"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[tickers.fakee]\nA = 'B'\n", "no such source; .*did you mean 'fake'"),
        ("[tickers]\nA = 'B'\n", "one for each source"),
        ("[tickers.fake]\nA = 1\n", "are texts"),
    ],
)
def test_names_of_tickers_that_are_none(tmp_path: Path, vendor: PagedVendor, written: str, told: str) -> None:
    warehouse = warehouse_of(tmp_path / "home", vendor, None)
    warehouse.home.mkdir()
    (warehouse.home / "sbf.toml").write_text(written)
    with pytest.raises(UsageError, match=told):
        warehouse.run()


@pytest.mark.parametrize("ticker", ["AAPL", "VOD.L", "BTC-USD", "^GSPC", "EURUSD=X", "7203.T", "brk.b", "A.B.C"])
def test_other_marks_are_left_alone(ticker: str) -> None:
    assert vendor_ticker(ticker, "-") == ticker


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"by": "pages", "parameter": "p"}, "did you mean 'page'"),
        ({"by": "page"}, "need the parameter"),
        ({"by": "cursor", "parameter": "c"}, "need next_at"),
        ({"by": "offset", "parameter": "o", "short_page_ends": True}, "with a size"),
        ({"by": "cursor", "parameter": "c", "next_at": "n", "size": 9, "short_page_ends": True}, "by page or offset"),
        ({"by": "page", "parameter": "p", "size_parameter": "n"}, "needs the size"),
        ({"by": "page", "parameter": "p", "items_at": "items[*]"}, "neither names with dots"),
        ({"by": "cursor", "parameter": "c", "next_at": "$.a[?@.b]"}, "filter"),
        ({"by": "link", "total_at": "n", "total_header": "X-Total"}, "leave out"),
        ({"by": "link", "pages_max": 0}, "above zero"),
    ],
)
def test_pages_that_cannot_work_are_refused(declared: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Pages(**declared)  # type: ignore[arg-type]


def test_a_snapshot_of_several_pages_is_refused() -> None:
    with pytest.raises(UsageError, match="a snapshot must come in one payload"):
        entry(semantics="snapshot", recipe=RestRecipe(url="https://example.com", pages=Pages(by="link")))


@pytest.mark.parametrize(("changes", "is_counted"), [
    ({"pages": Pages(by="page", parameter="p")}, True),
    ({"pages": Pages(by="link", total_header="X-Total")}, True),
    ({"rows_max": 100}, True),
    ({"pages": Pages(by="link")}, False),
])  # fmt: skip
def test_what_nobody_can_count_has_no_numbered_pages(changes: dict[str, object], is_counted: bool) -> None:
    recipe = RestRecipe(url="https://example.com", extension="xml", **changes)  # type: ignore[arg-type]
    if not is_counted:
        assert entry(recipe=recipe).recipe is recipe
        return
    with pytest.raises(UsageError, match="count rows"):
        entry(recipe=recipe)


def test_a_vendor_without_a_page_behind_the_last_says_so_in_the_declaration(
    tmp_path: Path, vendor: PagedVendor
) -> None:
    vendor.answers = {"page=1": page(ROWS[:4]), "page=2": page(ROWS[4:6])}
    vendor.other = answer(status=404)
    declared = Pages(by="page", parameter="page", size=4)
    told = warehouse_of(tmp_path / "first", vendor, declared).run().errors
    assert len(told) == 1
    assert told[0].endswith("if a page with fewer rows is this vendor's last, declare short_page_ends=True"), told
    warehouse = warehouse_of(tmp_path / "second", vendor, attrs.evolve(declared, short_page_ends=True))
    assert warehouse.run().errors == []
    assert symbols(warehouse) == ALL[:6]


def test_pages_of_delimited_text_are_counted_as_they_are_written(tmp_path: Path, vendor: PagedVendor) -> None:
    """A line break in quotes and a comment are no rows; without a header the first line is one."""
    pages = {
        "page=1": b'# a note\nA;"2024-01-01";1;"1"\nB;2024-01-01;1;1\n',
        "page=2": b"C;2024-01-01;1;1\n\n",
        "page=3": b"# nothing\n",
    }
    vendor.answers = {query: answer(body, headers=[("X-Total", "3")]) for query, body in pages.items()}
    form = Csv(delimiter=";", comment="#", header=("symbol", "date", "close", "volume"))
    recipe = RestRecipe(
        url=vendor.url("/odd"), extension="csv", pages=Pages(by="page", parameter="page", total_header="X-Total")
    )
    warehouse = Warehouse(tmp_path / "home", Plugin(entry(recipe=recipe, format=form)))
    assert warehouse.run().errors == []
    assert symbols(warehouse) == ["A", "B", "C"]
    assert len(vendor.asked) == 2
