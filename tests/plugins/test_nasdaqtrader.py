"""The symbol directory as it was on 30 May 2025: every symbol, whatever it looks like."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from recorded import NOW, Recording, later
from warehouse import Warehouse

from sbf_core.testing.suite import conformance

NASDAQ, OTHER = "nasdaqtrader-r2-001", "nasdaqtrader-r2-002"
#: The last line of the copy of the other file, in the width of this one, whose copy has lost it.
FOOTER = b"File Creation Time: 0530202521:31|||||||\n"


def listed() -> bytes:
    return later(NASDAQ).rstrip(b"\n") + b"\n" + FOOTER


def fill(recording: Recording, content: bytes, moment: dt.datetime = NOW) -> None:
    recording.add("reference/nasdaqtrader/nasdaq_listed", content, extension="txt", moment=moment)


def recorded(folder: Path) -> Path:
    recording = Recording(folder)
    fill(recording, listed())
    recording.add("reference/nasdaqtrader/other_listed", later(OTHER), extension="txt")
    return recording.folder


test_conformance = conformance("nasdaqtrader", recording=recorded)


def rows_of(content: bytes) -> list[list[str]]:
    _, *rows = [line.split("|") for line in content.decode("ascii").splitlines() if line]
    return [row for row in rows if not row[0].startswith("File Creation Time")]


def yes(text: str) -> bool | None:
    return {"Y": True, "N": False, "": None}[text]


def test_every_symbol_as_it_is_written(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.folder = recorded(tmp_path / "payloads")
    context = recording.run(plugins=("nasdaqtrader",))
    assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], 4873 + 6504, 0)
    nasdaq = recording.ask(
        "SELECT symbol, name, category, is_test, financial_status, round_lot, is_etf, is_nextshares "
        "FROM silver.nasdaqtrader_nasdaq_listed"
    )
    assert sorted(nasdaq) == sorted(
        (symbol, name.strip(), category, yes(test), status, int(lot), yes(etf), yes(shares))
        for symbol, name, category, test, status, lot, etf, shares in rows_of(listed())
    )
    other = recording.ask(
        "SELECT symbol, name, exchange, cqs_symbol, is_etf, round_lot, is_test, nasdaq_symbol "
        "FROM silver.nasdaqtrader_other_listed"
    )
    assert sorted(other) == sorted(
        (symbol, name.strip(), exchange, cqs, yes(etf), int(lot), yes(test), own)
        for symbol, name, exchange, cqs, etf, lot, test, own in rows_of(later(OTHER))
    )
    assert recording.ask(
        "SELECT symbol, name FROM silver.nasdaqtrader_nasdaq_listed WHERE symbol IN ('TRUE', 'NA') ORDER BY 1"
    ) == [("NA", "Nano Labs Ltd - Class A Ordinary Shares"), ("TRUE", "TrueCar, Inc. - Common Stock")]
    assert recording.ask(
        "SELECT cqs_symbol, nasdaq_symbol FROM silver.nasdaqtrader_other_listed WHERE symbol = 'ABR$D'"
    ) == [("ABRpD", "ABR-D")]
    assert recording.ask("SELECT count(*) FROM silver.nasdaqtrader_nasdaq_listed WHERE is_test") == [(8,)]
    assert recording.ask("SELECT count(*) FROM silver.nasdaqtrader_other_listed WHERE is_test") == [(25,)]


@pytest.mark.parametrize("half", [False, True], ids=["the footer is gone", "half of it is gone"])
def test_a_file_without_its_last_line_closes_nothing(tmp_path: Path, half: bool) -> None:
    recording = Recording(tmp_path)
    fill(recording, listed())
    whole = later(NASDAQ)
    fill(recording, whole[: len(whole) * 95 // 100] if half else whole, NOW + dt.timedelta(hours=1))
    assert "it may have been cut" in recording.run(plugins=("nasdaqtrader",)).errors[0]
    assert recording.ask("SELECT count(*) FROM silver.nasdaqtrader_nasdaq_listed") == [(4873,)]


def test_the_universe_of_the_readme_knows_who_left(tmp_path: Path) -> None:
    """TRUE is taken off the list: it belongs to the universe until that day, and test issues never do."""
    readme = Path(__file__).resolve().parents[2] / "sbf_plugins" / "nasdaqtrader" / "README.md"
    (query,) = re.findall(r'query = """(.*?)"""', readme.read_text(encoding="utf-8"), flags=re.DOTALL)
    recording = Recording(tmp_path)
    fill(recording, listed())
    without = b"".join(line for line in listed().splitlines(keepends=True) if not line.startswith(b"TRUE|"))
    left = NOW + dt.timedelta(hours=1)
    fill(recording, without, left)
    assert recording.run(plugins=("nasdaqtrader",)).errors == []
    members = dict(Warehouse(recording.home).ask(query))
    assert len(members) == 4873 - 8
    assert {ticker: day for ticker, day in members.items() if day is not None} == {"TRUE": left.date()}
    assert recording.ask(
        f"SELECT count(*) FROM silver.nasdaqtrader_nasdaq_listed_as_of(TIMESTAMP '{NOW:%Y-%m-%d %H:%M:%S}') "
        "WHERE symbol = 'TRUE'"
    ) == [(1,)]
