"""The table ``ops.coverage``: what it says, how small it stays, and that it is only an index."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from indexed_coverage import agrees, rows_of
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.api import RestRecipe
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.migrate import migration_texts
from sbf_core.ops.coverage import Stretch
from sbf_core.ops.coverage_index import (
    cover_promoted,
    cover_without_payload,
    forget_coverage,
    join_coverage,
    known_final,
    rule_of,
)
from sbf_core.ops.service import OpsService
from sbf_core.runner.options import RunOptions

DAY = dt.timedelta(days=1)
FIRST = dt.date(2024, 1, 1)
DECLARED = entry(first_date=FIRST, scope="per_ticker")
#: Moments, whose day ends when it ends in New York.
OF_NEW_YORK = tuple(
    attrs.evolve(each, type="TIMESTAMP", zone="America/New_York") if each.row_date else each
    for each in DECLARED.columns
)
#: More by hand: INDEX_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("INDEX_EXAMPLES", "12"))


@pytest.fixture
def ledger() -> Iterator[duckdb.DuckDBPyConnection]:
    """A ledger without anything in it."""
    with duckdb.connect(":memory:") as conn:
        conn.execute("SET timezone = 'UTC'")
        for text in migration_texts():
            conn.execute(text)
        yield conn


def asked(
    conn: duckdb.DuckDBPyConnection,
    number: int,
    ticker: str,
    span: tuple[dt.date, dt.date],
    *,
    at: dt.datetime,
    status: str = "ok",
    part: int = 0,
    parts: int = 0,
    declared: DatasetKeymapEntry = DECLARED,
) -> None:
    """A run asks for days and is answered, with a payload that is promoted unless ``status`` is unchanged or none."""
    file_id, run_id = f"f{number}-{ticker}-{span[0]}-{part}", f"r{number}"
    if status in ("none", "unchanged"):
        conn.execute(
            "INSERT INTO ops.file_ingestions (run_id, kind, subject, started_at, status, dataset_id, ticker, "
            "from_date, to_date) VALUES (?, 'file', ?, ?, ?, ?, ?, ?, ?)",
            [run_id, file_id, at, status, declared.id, ticker, *span],
        )
        cover_without_payload(conn, [declared], run_id)
        return
    conn.execute(
        "INSERT INTO ops.bronze_manifest (bronze_file_id, run_id, domain, source, dataset, discriminator, ticker, "
        "from_date, to_date, address, rel_path, payload_hash, content_length_bytes, extension, fetched_at, "
        "elapsed_seconds, part, parts, dataset_id) "
        "VALUES (?, ?, 'prices', 'fake', 'eod', '', ?, ?, ?, '', ?, '', 1, 'json', ?, 0, ?, ?, ?)",
        [file_id, run_id, ticker, *span, file_id, at, part, parts, declared.id],
    )
    if status != "waiting":
        promoted(conn, file_id, run_id, status, declared)


def promoted(
    conn: duckdb.DuckDBPyConnection, file_id: str, run_id: str, status: str, declared: DatasetKeymapEntry = DECLARED
) -> None:
    conn.execute("DELETE FROM ops.promotion_manifest WHERE bronze_file_id = ?", [file_id])
    conn.execute(
        "INSERT INTO ops.promotion_manifest (bronze_file_id, run_id, silver_table, status, rows_seen, started_at) "
        "VALUES (?, ?, 'px', ?, 1, now())",
        [file_id, run_id, status],
    )
    conn.execute(
        "CREATE OR REPLACE TEMP TABLE promoted AS SELECT *, ? AS status FROM ops.bronze_manifest "
        "WHERE bronze_file_id = ?",
        [status, file_id],
    )
    cover_promoted(conn, declared)


def joined(conn: duckdb.DuckDBPyConnection) -> None:
    """Join the rows, however few they are."""
    conn.execute("INSERT INTO ops.coverage FROM ops.coverage; INSERT INTO ops.coverage FROM ops.coverage")
    join_coverage(conn)


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12))


def test_a_series_that_is_asked_day_by_day_has_one_row(ledger: duckdb.DuckDBPyConnection) -> None:
    """Each day with three days of look-back, with news and without: final up to the day before the last but one."""
    for number in range(40):
        day = FIRST + DAY * number
        asked(
            ledger, number, "A", (max(FIRST, day - DAY * 3), day), at=noon(day),
            status="unchanged" if number % 3 == 2 else "ok",
        )  # fmt: skip
        agrees(ledger, DECLARED)
        join_coverage(ledger)
        agrees(ledger, DECLARED)
        assert len(rows_of(ledger, DECLARED)["A"]) <= 2
    last = FIRST + DAY * 39
    joined(ledger)
    assert rows_of(ledger, DECLARED) == {"A": [(FIRST, last, last - DAY * 2)]}
    assert ledger.execute("SELECT asked_at, bronze_file_id FROM ops.coverage").fetchall() == [
        (noon(last), f"f39-A-{last - DAY * 3}-0")
    ]


def test_a_hole_parts_a_row_and_its_answer_joins_it(ledger: duckdb.DuckDBPyConnection) -> None:
    late = noon(FIRST + DAY * 60)
    asked(ledger, 1, "A", (FIRST, FIRST + DAY * 3), at=late)
    asked(ledger, 1, "A", (FIRST + DAY * 8, FIRST + DAY * 9), at=late)
    joined(ledger)
    assert [first for first, _, _ in rows_of(ledger, DECLARED)["A"]] == [FIRST, FIRST + DAY * 8]
    asked(ledger, 2, "A", (FIRST + DAY * 4, FIRST + DAY * 7), at=late)
    joined(ledger)
    assert rows_of(ledger, DECLARED) == {"A": [(FIRST, FIRST + DAY * 9, FIRST + DAY * 9)]}


def test_days_that_were_not_over_begin_no_final_row(ledger: duckdb.DuckDBPyConnection) -> None:
    """Final days, days that are not, and final days behind them: one row ends where the next final days begin."""
    asked(ledger, 1, "A", (FIRST, FIRST + DAY * 5), at=noon(FIRST + DAY * 5))
    asked(ledger, 2, "A", (FIRST + DAY * 6, FIRST + DAY * 9), at=noon(FIRST + DAY * 60))
    joined(ledger)
    assert rows_of(ledger, DECLARED) == {
        "A": [
            (FIRST, FIRST + DAY * 5, FIRST + DAY * 3),
            (FIRST + DAY * 6, FIRST + DAY * 9, FIRST + DAY * 9),
        ]
    }
    agrees(ledger, DECLARED)


def test_an_answer_in_parts_counts_with_its_last_part(ledger: duckdb.DuckDBPyConnection) -> None:
    span, late = (FIRST, FIRST + DAY), noon(FIRST + DAY * 60)
    asked(ledger, 0, "B", span, at=late)
    asked(ledger, 1, "A", span, at=late, part=2, parts=2, status="failed")
    asked(ledger, 1, "A", span, at=late, part=1, parts=2)
    assert list(rows_of(ledger, DECLARED)) == ["B"]
    promoted(ledger, f"f1-A-{FIRST}-2", "r1", "ok")
    agrees(ledger, DECLARED)
    assert list(rows_of(ledger, DECLARED)) == ["A", "B"]


def test_that_nothing_had_changed_counts_once_what_came_before_is_promoted(ledger: duckdb.DuckDBPyConnection) -> None:
    late = noon(FIRST + DAY * 60)
    asked(ledger, 0, "B", (FIRST, FIRST), at=late)
    asked(ledger, 1, "A", (FIRST, FIRST + DAY), at=late, status="waiting")
    asked(ledger, 2, "A", (FIRST, FIRST + DAY * 4), at=late + DAY, status="unchanged")
    assert list(rows_of(ledger, DECLARED)) == ["B"]
    promoted(ledger, f"f1-A-{FIRST}-0", "r1", "ok")
    assert known_final(ledger, DECLARED)["A"] == [Stretch(FIRST, FIRST + DAY * 4)]
    agrees(ledger, DECLARED)


def test_a_payload_that_is_refused_later_takes_its_days_back(ledger: duckdb.DuckDBPyConnection) -> None:
    late = noon(FIRST + DAY * 60)
    asked(ledger, 1, "A", (FIRST, FIRST + DAY), at=late)
    asked(ledger, 1, "B", (FIRST, FIRST + DAY), at=late)
    promoted(ledger, f"f1-A-{FIRST}-0", "r1", "failed")
    assert list(rows_of(ledger, DECLARED)) == ["B"]
    agrees(ledger, DECLARED)


@pytest.mark.parametrize(
    "changed",
    [
        {"settles_after_days": 3.0}, {"columns": OF_NEW_YORK},
        {"recipe": RestRecipe(url="https://x.example/{ticker}?f={from_date}&t={to_date}", tickers_per_request=5)},
    ],
)  # fmt: skip
def test_another_rule_is_another_table(ledger: duckdb.DuckDBPyConnection, changed: dict[str, Any]) -> None:
    """What stands there by the rule of before is not believed, and written anew with the next answer."""
    other = attrs.evolve(DECLARED, **changed)
    asked(ledger, 1, "A,B", (FIRST, FIRST + DAY * 5), at=noon(FIRST + DAY * 5))
    asked(ledger, 2, "C", (FIRST, FIRST + DAY * 5), at=noon(FIRST + DAY * 5) - dt.timedelta(hours=9))
    agrees(ledger, other)  # looked up
    asked(ledger, 3, "A", (FIRST, FIRST + DAY * 5), at=noon(FIRST + DAY * 5), declared=other)
    agrees(ledger, other)
    assert ledger.execute("SELECT DISTINCT rule FROM ops.coverage").fetchall() == [(rule_of(other),)]


def test_a_dataset_that_was_renamed_keeps_what_it_covered(ledger: duckdb.DuckDBPyConnection) -> None:
    late = noon(FIRST + DAY * 60)
    asked(ledger, 1, "A", (FIRST, FIRST + DAY * 3), at=late)
    renamed = attrs.evolve(DECLARED, dataset="daily", renamed_from=(DECLARED.id,))
    agrees(ledger, renamed)
    asked(ledger, 2, "A", (FIRST + DAY * 4, FIRST + DAY * 5), at=late, declared=renamed)
    agrees(ledger, renamed)
    assert known_final(ledger, renamed) == {"A": [Stretch(FIRST, FIRST + DAY * 5)]}
    assert len(rows_of(ledger, renamed)["A"]) == 2


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["ok", "ok", "ok", "unchanged", "none", "waiting", "failed", "mended", "forgotten", "joined"]),
        st.sampled_from(["A", "B"]), st.integers(0, 12), st.integers(0, 6), st.integers(0, 4),
    ),
    max_size=15,
)  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(ANSWERS)
def test_any_answers_one_after_the_other(answers: list[tuple[str, str, int, int, int]]) -> None:
    with duckdb.connect(":memory:") as conn:
        conn.execute("SET timezone = 'UTC'")
        for text in migration_texts():
            conn.execute(text)
        failed: list[tuple[str, str]] = []
        now = noon(FIRST)
        for number, (what, ticker, first, length, later) in enumerate(answers):
            now += DAY * later + dt.timedelta(hours=1)
            span = FIRST + DAY * first, FIRST + DAY * (first + length)
            if what == "forgotten":
                forget_coverage(conn)
            elif what == "joined":
                joined(conn)
            elif what == "mended":
                if failed:
                    promoted(conn, *failed.pop(), "ok")
            else:
                asked(conn, number, ticker, span, at=now, status=what)
                if what in ("waiting", "failed"):
                    failed.append((f"f{number}-{ticker}-{span[0]}-0", f"r{number}"))
            agrees(conn, DECLARED)


def test_verify_finds_days_that_nobody_asked_for(tmp_path: Path) -> None:
    """They would never be asked for. Repair forgets the index, and the next run asks."""
    vendor = FakeVendor(entry(first_date=FIRST, recipe=RestRecipe(url="https://x.example/?f={from_date}&t={to_date}")))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    assert Verification(warehouse.opened()).run().findings == []
    with warehouse.open(read_only=False) as cursor:
        assert cursor.execute("SELECT count(*) FROM ops.coverage").fetchone() == (1,)
        cursor.execute("UPDATE ops.coverage SET to_date = DATE '2024-03-01', final_to = DATE '2024-02-01'")
        assert known_final(cursor, vendor.entries[0])[None][-1].last == dt.date(2024, 2, 1)
    (finding,) = Verification(warehouse.opened()).run().findings
    assert (finding.kind, finding.subject) == ("coverage_unproven", "prices/fake/eod")
    assert finding.detail == "holds 2024-01-01 to 2024-02-01 final, and no answer on record says so"
    repaired = Repair(warehouse.opened()).run()
    assert ([one.kind for one in repaired.before], repaired.after) == (["coverage_unproven"], ())
    with warehouse.open() as cursor:
        assert cursor.execute("SELECT count(*) FROM ops.coverage").fetchone() == (0,)
        agrees(cursor, vendor.entries[0])


def test_an_answer_without_a_payload_is_taken_in_by_its_run(tmp_path: Path) -> None:
    vendor = FakeVendor(entry(first_date=FIRST))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    warehouse.run(hours_later=30)  # the same bytes: unchanged
    with warehouse.open() as cursor:
        agrees(cursor, vendor.entries[0])
        _, second = rows_of(cursor, vendor.entries[0])[None]
    last = warehouse.clock.now().date()
    assert second == (second[0], last, last - DAY * 2), "and it stands there, not in the manifests alone"


def test_what_a_dead_run_was_told_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had the answers without a payload on record, and died before it took them in."""
    vendor = FakeVendor(entry(first_date=FIRST))
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says([price("A", "2024-01-01")])
    warehouse.run()
    with monkeypatch.context() as dying:
        dying.setattr(OpsService, "cover_without_payload", _die)
        with pytest.raises(_Dead):
            warehouse.run(hours_later=30)
    warehouse.run(hours_later=1, options=RunOptions(fetch=False))
    with warehouse.open() as cursor:
        assert cursor.execute("SELECT count(*) FROM ops.file_ingestions WHERE status = 'unchanged'").fetchone() == (1,)
        agrees(cursor, vendor.entries[0])


class _Dead(BaseException):
    """In the place of the end of the process."""


def _die(*given: object) -> None:
    del given
    raise _Dead
