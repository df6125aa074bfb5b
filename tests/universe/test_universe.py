"""The universe: what a ticker may be, and where tickers come from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from sbf_core.errors import UsageError
from sbf_core.universe.members import UniverseMember, UniverseSettings
from sbf_core.universe.service import UniverseService
from sbf_core.universe.tickers import checked_tickers

ACCEPTED = [
    "BRK.B",
    "^GSPC",
    "EURUSD=X",
    "BF/B",
    "0005.HK",
    "7203.T",
    "CON",
    "NUL",
    "NA",
    "TRUE",
    "ON",
    "NO",
    "1e3",
    "aapl",
    "AAPL",
    "Ö",
]
REFUSED = {
    "": "empty",
    "A" * 300: "300 characters",
    "a\0b": "U+0000",
    "\x1b[31m": "U+001B",
    "A\u202eB": "U+202E",
    "../x": "path step",
    "..\\x": "path step",
    "=cmd": "formula",
}


def test_tickers_are_opaque() -> None:
    tickers, notes = checked_tickers(ACCEPTED, where="test")
    assert list(tickers) == ACCEPTED
    assert notes == ["tickers 'aapl' and 'AAPL' differ in case only; both are used"]


def test_a_ticker_that_leaves_and_comes_back_is_not_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text("ticker,valid_from,valid_to\nA,2024-01-01,2024-01-31\nA,2024-03-01,\nB,,\nB,,\n", encoding="utf-8")
    service = UniverseService(UniverseSettings(file=path))
    assert len(service.members()) == 3
    assert service.notes == ["ticker 'B' is there twice; it is used once"]


@pytest.mark.parametrize(("ticker", "reason"), REFUSED.items())
def test_what_no_ticker_can_be_is_refused_in_one_safe_line(ticker: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_tickers(["OK", ticker], where="test")
    line = caught.value.line()
    assert reason in line
    assert line.isprintable()


def test_tidied_and_repeated_tickers_are_noted() -> None:
    tickers, notes = checked_tickers([" AAPL ", "AAPL", "e\u0301"], where="test")
    assert tickers == ("AAPL", "é")
    assert notes == [
        "ticker 1 was tidied to 'AAPL'",
        "ticker 'AAPL' is there twice; it is used once",
        "ticker 3 was tidied to 'é'",
    ]


def test_what_is_asked_for_is_what_the_notes_say(tmp_path: Path) -> None:
    """One company in two forms of Unicode was noted as one, and asked for as two."""
    path = tmp_path / "tickers.txt"
    path.write_text("e\u0301 \n\u00e9\nB\n", encoding="utf-8")
    for settings in (UniverseSettings(file=path), UniverseSettings(tickers=("e\u0301", "\u00e9", "B"))):
        service = UniverseService(settings)
        assert service.tickers() == ("\u00e9", "B")
        assert any("it is used once" in note for note in service.notes)


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "tickers.txt"
    path.write_bytes(b"\xef\xbb\xbf# mine\r\nAAPL\r\n\r\nNA\r\n")
    assert UniverseService(UniverseSettings(file=path)).tickers() == ("AAPL", "NA")


def test_a_csv_file_with_membership(tmp_path: Path) -> None:
    path = tmp_path / "tickers.csv"
    path.write_text("ticker,valid_from,valid_to\nOLD,,2019-12-31\nNEW,2020-01-01,\nOLD,2021-01-01,\n")
    universe = UniverseService(UniverseSettings(file=path))
    assert universe.tickers(as_of=dt.date(2019, 6, 1)) == ("OLD",)
    assert universe.tickers(as_of=dt.date(2020, 6, 1)) == ("NEW",)
    assert universe.tickers() == ("OLD", "NEW")
    assert universe.tickers(ticker_limit=1) == ("OLD",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"symbol\nA\n", "no column 'ticker'"),
        ("t.txt", b"A\n\xff\n", "not UTF-8 at byte 2"),
        ("t.csv", b"ticker,valid_to\nA,soon\n", "no day"),
    ],
)
def test_files_that_are_no_universe(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        UniverseService(UniverseSettings(file=path)).tickers()
    with pytest.raises(UsageError, match="no such universe file"):
        UniverseService(UniverseSettings(file=tmp_path / "absent.txt")).tickers()


def test_a_member_that_leaves_before_it_comes_is_refused(tmp_path: Path) -> None:
    """It was never asked for, without a word."""
    path = tmp_path / "members.csv"
    path.write_text("ticker,valid_from,valid_to\nB,2024-01-01,2024-01-01\n A ,2024-02-01,2024-01-31\n")
    gone = UniverseMember(ticker="A", valid_from=dt.date(2024, 2, 1), valid_to=dt.date(2024, 1, 31))
    query = "SELECT 'A' AS ticker, DATE '2024-02-01' AS valid_from, TIMESTAMP '2024-01-31 10:00' AS valid_to"
    what = "ticker 'A' belongs from 2024-02-01 to 2024-01-31, which is before"
    for service, where in (
        (UniverseService(UniverseSettings(file=path)), str(path)),
        (UniverseService(UniverseSettings(plugin="x"), members_hook=lambda: [gone]), "plugin x"),
    ):
        with pytest.raises(UsageError) as told:
            service.tickers()
        assert (told.value.what, told.value.where) == (what, where)
        assert "swap" in told.value.fix
    with duckdb.connect() as conn:  # of a row that came and went on one day it may be so
        service = UniverseService(UniverseSettings(query=query), cursor=lambda: conn)
        assert service.tickers() == ("A",)
        assert service.notes == [f"a query over silver: {what}; such members are never asked for"]
    path.write_text("ticker,valid_from,valid_to\nA,2024-02-01,2024-01-31\nB,2024-02-01,2024-01-31\n")
    with pytest.raises(UsageError, match="and 1 more"):
        UniverseService(UniverseSettings(file=path)).tickers()


def test_a_query_over_silver() -> None:
    conn = duckdb.connect()
    conn.execute(
        "CREATE SCHEMA silver; "
        "CREATE TABLE silver.t AS "
        "SELECT 'A' AS ticker, DATE '2020-01-01' AS valid_from UNION ALL SELECT 'B', NULL ORDER BY 1"
    )
    universe = UniverseService(UniverseSettings(query="SELECT * FROM silver.t ORDER BY ticker"), cursor=lambda: conn)
    assert universe.members() == (
        UniverseMember(ticker="A", valid_from=dt.date(2020, 1, 1)),
        UniverseMember(ticker="B"),
    )
    for query, message in (("SELECT 1 AS x", "no column 'ticker'"), ("DROP TABLE silver.t", "fails")):
        with pytest.raises(UsageError, match=message):
            UniverseService(UniverseSettings(query=query), cursor=lambda: conn).tickers()
    assert (
        UniverseService(UniverseSettings(query="SELECT ticker FROM silver.nowhere"), cursor=lambda: conn).tickers()
        == ()
    )
    conn.close()


def test_a_plugin_gives_members() -> None:
    members = [UniverseMember(ticker="A", valid_to=dt.date(2020, 1, 1))]
    universe = UniverseService(UniverseSettings(plugin="x"), members_hook=lambda: members)
    assert universe.members(as_of=dt.date(2019, 1, 1)) == tuple(members)
    assert universe.members(as_of=dt.date(2021, 1, 1)) == ()
