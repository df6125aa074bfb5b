"""The list of market identifier codes as it was published in 2023: all codes, each letter of them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

from recorded import NOW, Recording, later

from sbf_core.testing.suite import conformance

LIST = "iso10383-r2-001"
MARKETS = "reference/iso10383/markets"


def recorded(folder: Path) -> Path:
    recording = Recording(folder)
    recording.add(MARKETS, later(LIST), extension="csv")
    return recording.folder


test_conformance = conformance("iso10383", recording=recorded)


def test_every_code_with_its_letters(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.add(MARKETS, later(LIST), extension="csv")
    context = recording.run(plugins=("iso10383",))
    assert (context.errors, context.rows_inserted, context.rows_rejected) == ([], 2603, 0)
    _, *rows = csv.reader(io.StringIO(later(LIST).decode("cp1252"), newline=""))
    # An empty cell is no value; every other letter, also the apostrophes of cp1252, is as it was.
    wanted = sorted(tuple(cell or None for cell in row) for row in rows)
    assert any("\u2019" in (cell or "") for row in wanted for cell in row)
    days = ", ".join(f"strftime({name}, '%Y%m%d')" for name in ("created", "updated", "validated", "expires"))
    found = recording.ask(
        "SELECT mic, operating_mic, kind, name, legal_entity, lei, category, acronym, country, city, website, status, "
        f"{days}, comments FROM silver.iso10383_market"
    )
    assert sorted(found) == wanted
    assert recording.ask("SELECT status, count(*) FROM silver.iso10383_market GROUP BY 1 ORDER BY 1") == [
        ("ACTIVE", 2111), ("EXPIRED", 453), ("UPDATED", 39)
    ]  # fmt: skip
    assert recording.ask("SELECT mic, name FROM silver.iso10383_market WHERE country = 'NA'") == [
        ("XNAM", "NAMIBIAN STOCK EXCHANGE")
    ]


def test_a_code_that_is_taken_off_the_list_stays_in_the_history(tmp_path: Path) -> None:
    lines = later(LIST).splitlines(keepends=True)
    without = b"".join(line for line in lines if not line.startswith(b'"XNAM"'))
    recording = Recording(tmp_path)
    recording.add(MARKETS, later(LIST), extension="csv")
    recording.add(MARKETS, without, extension="csv", moment=NOW + dt.timedelta(hours=1))
    assert recording.run(plugins=("iso10383",)).errors == []
    assert recording.ask("SELECT count(*), count(*) FILTER (mic = 'XNAM') FROM silver.iso10383_market") == [(2602, 0)]
    assert recording.ask("SELECT mic, country FROM silver.iso10383_market_history WHERE NOT _deleted") == [
        ("XNAM", "NA")
    ]


def test_a_list_in_another_encoding_is_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.add(MARKETS, later(LIST).decode("cp1252").encode("utf-16"), extension="csv")
    assert recording.run(plugins=("iso10383",)).errors != []
    assert recording.ask("SELECT count(*) FROM silver.iso10383_market") == [(0,)]
