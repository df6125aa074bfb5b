"""``sbf plugins new``: packages that install, pass their tests and fill silver at once;
or one line and nothing written.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hang import HANG_SECONDS
from plugin_author import Author, is_whole, settle
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ROWS = [
    {"validFor": f"2024-{month:02d}-{day:02d}", "currencyCode": code, "rate": float(f"{month + day / 10:.3f}")}
    for month in (1, 2)
    for day in range(1, 20)
    for code in ("EUR", "USD")
]


@pytest.mark.parametrize("kind", ["rest", "csv", "custom"])
def test_an_example_of_each_kind_works_at_once(author: Author, kind: str) -> None:
    author.new("rain", "--kind", kind, "--title", 'The "rain"', "--licence", "MIT", "--author", "A. Nother")
    is_whole(author, "rain", 5)
    assert author.rows("SELECT CAST(amount AS VARCHAR) AS amount FROM silver.rain_history") == [{"amount": "4.2000"}]
    assert "A. Nother" in (author.folder / "sbf-rain" / "LICENSE").read_text()
    assert tomllib.loads((author.folder / "sbf-rain" / "pyproject.toml").read_text())["project"]["license"] == "MIT"


def test_what_is_unsure_has_to_be_settled(author: Author, httpserver: HTTPServer) -> None:
    """Ten rows of 25 must not pass every check in silence."""
    rows = [{"day": f"2024-03-{number:02}", "mm": number + 0.5} for number in range(1, 11)]
    httpserver.expect_request("/rain").respond_with_json({"rows": rows, "total": 25})
    author.new("rain", "--from-url", httpserver.url_for("/rain"), "--domain", "weather", "--terms", "free")
    author.install("sbf-rain")
    told = author.sbf("plugins", "check", "rain")
    assert told.returncode == 1
    assert re.search(
        r"nothing_is_unsure: line \d+ is unsure: pages: total says 25, and this answer has 10 rows",
        told.stdout,
    )
    draft = author.sbf("plugins", "check", "rain", "--draft")
    assert draft.returncode == 0, draft.stdout
    assert "pages: total says 25" in draft.stdout, "it is told all the same"
    assert settle(author, "rain") >= 1
    shutil.rmtree(author.site)
    author.install("sbf-rain")
    assert author.sbf("plugins", "check", "rain").returncode == 0


def test_from_an_address_to_a_dataset(author: Author, httpserver: HTTPServer) -> None:
    httpserver.expect_request(
        "/daily-year", query_string={"lang": "EN", "year": "2024", "apikey": "3f7a9c11d2"}
    ).respond_with_json({"rates": ROWS})
    shown = author.new(
        "czech",
        "--from-url",
        httpserver.url_for("/daily-year") + "?lang=EN&year=2024&apikey=3f7a9c11d2",
        "--domain",
        "fx",
        "--terms",
        "free",
    )
    assert "76 rows of json, rows at rates" in shown
    assert re.search(r"valid_for +date +key, row date +validFor +2024-01-01", shown)
    assert "3f7a9c11d2" not in shown
    package = author.folder / "sbf-czech"
    for path in package.rglob("*"):
        assert path.is_dir() or b"3f7a9c11d2" not in path.read_bytes(), path
    text = (package / "sbf_czech" / "plugin.py").read_text()
    assert 'secrets={"apikey": "CZECH_API_KEY"}' in text
    assert "year={year}" in text
    assert 'doc="not described yet")  # unsure: say its unit, or what it counts' in text
    is_whole(author, "czech", 76)
    plan = json.loads(author.sbf("plan", "--plugins", "czech", "--home", "other", "--json").stdout)
    assert plan["vendors"][0]["requests"] == 1 + plan_years(plan)


def plan_years(plan: dict[str, Any]) -> int:
    request = plan["requests"][0]
    return int(request["to_date"][:4]) - int(request["from_date"][:4])


def test_from_xml_with_the_day_on_the_outside(author: Author) -> None:
    days = "".join(
        f'<Cube date="2024-01-{day:02d}">'
        + "".join(f'<Rate currency="{code}">1.{day}</Rate>' for code in ("EUR", "USD"))
        + "</Cube>"
        for day in range(1, 25)
    )
    (author.folder / "rates.xml").write_text(f'<DataSet xmlns="https://bank.example/xsd"><Body>{days}</Body></DataSet>')
    author.new("bank", "--from-file", "rates.xml")
    is_whole(author, "bank", 48)


def test_from_a_file_with_semicolons(author: Author) -> None:
    lines = [f"{day}.01.2024;Wien;{day / 4}" for day in range(1, 29)]
    (author.folder / "snow.csv").write_text("Tag;Ort;Menge cm\n" + "\n".join(lines) + "\n")
    author.new("snow", "--from-file", "snow.csv")
    is_whole(author, "snow", 28)


def test_from_a_file_with_a_dialect_of_its_own(author: Author) -> None:
    """Prose above and a line below, semicolons, decimal commas and points between thousands, in cp1252:
    as central banks write it.
    """
    lines = [
        f"{day:02d}.01.2024;Zürich;1.{day:03d},{day:02d}5;{day * 7};{'n/a' if day == 3 else f'{day},25'}"
        for day in range(1, 29)
    ]
    text = "\r\n".join(["Schnee in Zürich; Tageswerte", "", "Tag;Ort;Menge;Tage;Höhe", *lines, "Quelle: Wetteramt"])
    (author.folder / "snow.csv").write_bytes(text.encode("cp1252"))
    shown = author.new("snow", "--from-file", "snow.csv")
    assert "unsure: format: no UTF-8; taken as cp1252, where byte" in shown
    assert "unsure: format: 2 lines above the header are left out; is it always so many?" in shown
    written = (author.folder / "sbf-snow" / "sbf_snow" / "plugin.py").read_text(encoding="utf-8")
    assert (
        'format=Csv(delimiter=";", encoding="cp1252", skip_rows=2, footer_rows=1, decimal=",", thousands="."),'
        in written
    )
    is_whole(author, "snow", 28)
    rows = author.rows(
        "SELECT CAST(menge AS VARCHAR) AS menge, ort, CAST(h_he AS VARCHAR) AS h_he "
        "FROM silver.snow ORDER BY tag LIMIT 3"
    )
    assert [row["menge"].rstrip("0") for row in rows] == ["1001.015", "1002.025", "1003.035"]
    assert rows[0]["ort"] == "Zürich"
    assert rows[2]["h_he"] is None


def test_from_json_with_lists_in_its_rows(author: Author) -> None:
    tables = [
        {
            "no": f"A{day}",
            "effectiveDate": f"2024-01-{day:02d}",
            "rates": [{"code": code, "rate": {"mid": day + 0.25, "bid": day}} for code in ("EUR", "USD")],
        }
        for day in range(1, 29)
    ]
    (author.folder / "rates.json").write_text(json.dumps({"tables": tables}))
    assert "56 rows of json, rows at $.tables[*].rates[*]" in author.new(
        "rates", "--from-file", "rates.json", "--key", "effective_date,code", "--row-date", "effective_date"
    )
    is_whole(author, "rates", 56)
    assert (
        author.rows(
            "SELECT no, CAST(rate_mid AS VARCHAR) AS mid FROM silver.rates "
            "WHERE code = 'USD' ORDER BY effective_date LIMIT 1"
        )[0]["no"]
        == "A1"
    )


def test_one_request_for_each_ticker(author: Author, httpserver: HTTPServer) -> None:
    bars = [{"date": f"2024-01-{day:02d}", "close": day + 0.25} for day in range(1, 25)]
    httpserver.expect_request("/eod/AAPL").respond_with_json(bars)
    author.new("bars", "--from-url", httpserver.url_for("/eod/AAPL"), "--ticker", "AAPL")
    is_whole(author, "bars", 24)
    assert author.rows("SELECT DISTINCT ticker FROM silver.bars") == [{"ticker": "AAPL"}]


def test_the_pages_of_an_answer_are_asked_for(author: Author, httpserver: HTTPServer) -> None:
    """Ten of 25 rows were on the first page, and the plugin passed every check with them."""

    def page(request: Request) -> Response:
        first = int(request.args.get("o", 0))
        more = {"Link": f'<{httpserver.url_for("/odd")}?o={first + 10}>; rel="next"'} if first + 10 < len(ROWS) else {}
        return Response(json.dumps(ROWS[first:][:10]), headers=more, content_type="application/json")

    httpserver.expect_request("/odd").respond_with_handler(page)
    shown = author.new("odd", "--from-url", httpserver.url_for("/odd"))
    assert "unsure: pages: the header Link names a next page" in shown
    author.install("sbf-odd")
    done = author.sbf("run", "--plugins", "odd")
    assert done.returncode == 0, done.stderr
    assert author.rows("SELECT count(*) AS n FROM silver.odd") == [{"n": len(ROWS)}]


def test_what_changed_is_asked_for_from_where_the_last_answer_ended(author: Author, httpserver: HTTPServer) -> None:
    orders = [
        {"id": number, "total": number / 4, "updated_at": f"2024-01-{number:02d}T09:00:00Z"} for number in range(2, 24)
    ]
    asked = []

    def changed(request: Request) -> Response:
        asked.append(request.args["updated_since"])
        found = [order for order in orders if str(order["updated_at"]) >= asked[-1]]
        return Response(json.dumps({"orders": found}), content_type="application/json")

    httpserver.expect_request("/orders").respond_with_handler(changed)
    shown = author.new("orders", "--from-url", httpserver.url_for("/orders") + "?updated_since=2024-01-02T08:00:00Z")
    assert "unsure: cursor: it goes on from the newest updated_at" in shown
    text = (author.folder / "sbf-orders" / "sbf_orders" / "plugin.py").read_text()
    assert 'cursor=Cursor(by="moment", column="updated_at")' in text
    assert "first_date=dt.date(2024, 1, 2)" in text
    is_whole(author, "orders", 22)
    for _ in range(2):
        done = author.sbf("run", "--plugins", "orders", "--home", "live", "--force")
        assert done.returncode == 0, done.stderr
    assert asked == ["2024-01-02T08:00:00Z", "2024-01-02T00:00:00Z", "2024-01-23T09:00:00Z"]


def refused(author: Author, *arguments: str) -> str:
    before = sorted(author.folder.rglob("*"))
    done = author.sbf("plugins", "new", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert sorted(author.folder.rglob("*")) == before, "something was written"
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ecb", "there is a plugin ecb (sbf "),
        ("bls_cpi", "the table silver.bls_cpi belongs to macro/bls/cpi"),
        ("price_history", "a table cannot end in _history"),
        ("select", "is reserved"),
        ("gold", "is reserved"),
        ("class", "a name of Python's own"),
        ("json", "a name of Python's own"),
        ("core", "there is a module 'sbf_core' already"),
        ("Oil", "is not a name"),
        ("oil-price", "is not a name"),
        ("2oil", "is not a name"),
        ("../oil", "is not a name"),
        ("x" * 49, "is not a name"),
    ],
)
def test_names_that_cannot_be_had(author: Author, name: str, words: str) -> None:
    assert words in refused(author, name, "--kind", "rest")


def test_what_is_there_already_is_left_alone(author: Author) -> None:
    (author.folder / "sbf-rain").mkdir()
    assert "there is something already" in refused(author, "rain", "--kind", "rest")
    assert "there is no such folder" in refused(author, "snow", "--kind", "rest", "--into", "nowhere")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing says what the plugin begins with"),
        (("--kind", "rset"), "did you mean 'rest'?"),
        (("--kind", "rest", "--from-file", "x"), "two ways to begin"),
        (("--kind", "rest", "--licence", "GPL"), "licence 'GPL' is not known"),
        (("--kind", "rest", "--domain", "F X"), "domain 'F X' is not a name"),
        (("--from-file", "nowhere.csv"), "cannot be read: No such file"),
        (("--from-url", "https://x.org/{a}"), "braces"),
        (("--from-url", "http://127.0.0.1:9/"), "the address gives no payload"),
    ],
)
def test_what_makes_no_sense_is_one_line(author: Author, arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(author, "rain", *arguments)


ANSWERS = [
    (404, b"not here", "HTTP 404"), (401, b'{"error": "no key"}', "HTTP 401"), (200, b"", "empty"),
    (200, b"<html><title>Sign in</title></html>", "HTML page"),
    (200, b'{"error": "Invalid key"}', "the vendor says 'Invalid key'"), (200, b"[]", "holds no rows"),
    (200, b'[{"d": "2024-01-01", "r": [{"a": 1}, {"a": 2}], "s": [{"a": 1}, {"a": 2}]}]', "the rows are nested"),
    (200, b'[{"a": 0.5}, {"a": 1.5}]', "no key can be found"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "words"), ANSWERS, ids=[words for _, _, words in ANSWERS])
def test_an_address_that_answers_with_no_data(
    author: Author, httpserver: HTTPServer, status: int, body: bytes, words: str
) -> None:
    httpserver.expect_request("/a").respond_with_data(body, status=status)
    line = refused(author, "rain", "--from-url", httpserver.url_for("/a") + "?token=verysecret99")
    assert words in line
    assert "verysecret99" not in line


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal is made with pty")
def test_on_a_terminal_it_asks(author: Author) -> None:
    import pty

    (author.folder / "rates.json").write_text(json.dumps(ROWS))
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(author.site), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sbf_core", "plugins", "new", "czech"],
        cwd=author.folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = ""

    def until(question: str, answer: str) -> None:
        nonlocal seen
        while question not in seen:
            seen += os.read(ours, 4096).decode()
        seen = seen.partition(question)[2]
        os.write(ours, f"{answer}\n".encode())

    until("An address, a file", "rates.json")
    until("What is it about", "fx")
    until("What is it, in a few words", "Czech rates")
    until("Licence", "MIT")
    until("Key columns [valid_for,currency_code]", "rate")
    until("Date of a row", "validFor")
    until("rate does not make a row unique", "")
    until("Key columns", "")
    until("Date of a row", "")
    until("Write sbf-czech", "y")
    assert process.wait(timeout=HANG_SECONDS) == 0
    os.close(ours)
    text = (author.folder / "sbf-czech" / "sbf_czech" / "plugin.py").read_text()
    assert text.startswith('"""Czech rates, for sbf."""')
    assert "currency_code: str = column(key=True" in text


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="needs a small disk of its own, which only root can mount"
)
def test_a_full_disk_leaves_nothing(author: Author, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)], capture_output=True).returncode
        != 0
    ):
        pytest.skip("no disk can be mounted here")
    try:
        done = author.sbf("plugins", "new", "rain", "--kind", "rest", "--into", "small")
        assert done.returncode == 6, done.stderr
        assert "the package cannot be written: No space left on device" in done.stderr
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
