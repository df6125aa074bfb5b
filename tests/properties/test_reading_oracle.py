"""Declarations and payloads, end to end, against plain Python: every cell and every reject, in four ways.

*Live*: each payload by a run of its own. *Together*: all in one batch of mixed layouts. *Late*: in an order of its own,
some downloaded by one run and promoted by the next. *Rebuilt*: the last home again, from Bronze. Many declarations
share a home, because a home costs more than its rows.

More by hand: ``READING_EXAMPLES=3000 pytest tests/properties/test_reading_oracle.py --hypothesis-seed=20261128``;
``READING_WAYS=together`` takes one way only, and is six times faster.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from properties.reading_cases import PAYLOADS, Case, json_cases, text_cases
from properties.reading_oracle import Outcome, current, outcome_of, versions
from warehouse import START, FakeVendor, Warehouse, counts_add_up

from sbf_core.api import RunResult, hookimpl
from sbf_core.care.rebuild import rebuild
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.identifiers import quoted
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings
from sbf_core.vocabulary import Layer

EXAMPLES = int(os.environ.get("READING_EXAMPLES", "16"))
WAYS = os.environ.get("READING_WAYS", "live together late").split()
DATASETS = 40
#: Payloads that each run fetches, and whether it promotes them.
RUNS: dict[str, list[tuple[list[int], bool]]] = {
    "live": [([number], True) for number in range(PAYLOADS)],
    "together": [(list(range(PAYLOADS)), True)],
    "late": [([4, 1], True), ([0, 3], False), ([5, 2], True)],
}


class Publisher(FakeVendor):
    """Answers with the payloads whose turn it is, each dated to its hour."""

    cases: dict[str, Case]
    turn: Sequence[int] = ()

    @hookimpl
    def fetch(self, entry: DatasetKeymapEntry, request: Any) -> list[RunResult]:
        payloads = self.cases[entry.dataset].payloads
        extension = "json" if entry.format is not None and entry.format.kind == "json" else "csv"
        return [
            RunResult(
                request=request,
                address=f"fake://{number}",
                payload=payloads[number],
                extension=extension,
                fetched_at=START.replace(hour=number),
            )
            for number in self.turn
        ]


def drawn(strategy: st.SearchStrategy[Case], count: int) -> list[Case]:
    """So many cases that Hypothesis makes, or less: each has a declaration of its own.
    ``--hypothesis-seed`` says which.
    """
    found: list[Case] = []
    known: set[str] = set()

    @settings(
        max_examples=4 * count,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=EXAMPLES == 24,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Case) -> None:
        if repr(case.entry) not in known:  # Hypothesis also tries what it made with small changes
            known.add(repr(case.entry))
            found.append(case)

    collect()
    return found[:count]


@pytest.mark.parametrize(("name", "strategy"), [("text", text_cases()), ("json", json_cases())])
def test_silver_holds_what_plain_python_reads(name: str, strategy: st.SearchStrategy[Case]) -> None:
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    every = drawn(strategy, (EXAMPLES + 1) // 2)
    for start in range(0, len(every), DATASETS):
        part = every[start : start + DATASETS]
        cases = {f"x{number}": named(case, number) for number, case in enumerate(part)}
        expected = {
            dataset: [outcome_of(case.entry, payload) for payload in case.payloads] for dataset, case in cases.items()
        }
        for outcomes in expected.values():
            count(tally, outcomes)
        for way, warehouse in homes(cases):
            for dataset, case in cases.items():
                told = difference(warehouse, case, expected[dataset])
                wrong += [f"{way}: {told}\n{shown(case)}"] if told else []
            counts_add_up(warehouse)
    if EXAMPLES > 24:
        print(f"\n{name}: {dict(tally)}")
    assert not wrong, f"{len(wrong)} differ\n\n" + "\n\n".join(wrong[:5])


def named(case: Case, number: int) -> Case:
    return attrs.evolve(case, entry=attrs.evolve(case.entry, dataset=f"x{number}", silver_table=f"t{number}"))


def count(tally: Counter[str], outcomes: Sequence[Outcome]) -> None:
    tally["declarations"] += 1
    for outcome in outcomes:
        tally["payloads"] += 1
        tally["refused"] += outcome.is_refused
        tally["records"] += outcome.seen
        tally["rejects"] += len(outcome.rejects)
        tally["cells"] += sum(map(len, outcome.rows.values()))


def homes(cases: dict[str, Case]) -> Iterator[tuple[str, Warehouse]]:
    """A home for each way, and the last one rebuilt."""
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            vendor = Publisher(*(case.entry for case in cases.values()))
            vendor.cases = cases
            warehouse = Warehouse(Path(folder) / "home", vendor)
            for turn, is_promoted in RUNS[way]:
                vendor.turn = turn
                options = RunOptions(force=True, only=None if is_promoted else Layer.BRONZE)
                warehouse.run(hours_later=1, options=options, run__drift="tell")  # the model holds no payload
            yield way, warehouse
            if way == "late":
                manager = PluginManager(())
                manager.register(vendor, name="fake")
                rebuild(
                    Home(
                        Settings(warehouse.home, environment={}, flags={"run.drift": "tell"}),
                        clock=warehouse.clock,
                        plugins=manager,
                    )
                )
                yield "rebuilt", warehouse


def difference(warehouse: Warehouse, case: Case, expected: Sequence[Outcome]) -> str:
    """What differs first; empty where nothing does."""
    entry = case.entry
    with warehouse.open() as conn:
        files = dict(
            conn.execute(
                "SELECT bronze_file_id, hour(fetched_at) FROM ops.bronze_manifest WHERE dataset = ?", [entry.dataset]
            ).fetchall()
        )
        told = conn.execute("SELECT bronze_file_id, status, rows_seen, error FROM ops.promotion_manifest").fetchall()
        statuses = {
            files[file_id]: (status != "ok", seen, error) for file_id, status, seen, error in told if file_id in files
        }
        for number, outcome in enumerate(expected):
            failed, seen, error = statuses.get(number, (None, None, None))
            if (failed, seen) != (outcome.is_refused, outcome.seen):
                return (
                    f"payload {number}: refused {outcome.is_refused} ({outcome.why}), "
                    f"{outcome.seen} records; found {failed} ({error}), {seen}"
                )
        names = ", ".join(
            f"epoch_ns(t.{quoted(column.name)})" if column.type == "TIMESTAMP_NS" else f"t.{quoted(column.name)}"
            for column in entry.columns
        )
        rows = conn.execute(f"SELECT {names} FROM silver.{entry.silver_table} AS t").fetchall()
        if Counter(rows) != Counter(current(expected)):
            return f"rows: {unlike(current(expected), rows)}"
        both = " UNION ALL ".join(
            f"SELECT hour(t.known_from), {names} FROM silver.{table} AS t"
            for table in (entry.silver_table, f"{entry.silver_table}_history")
        )
        history = Counter((row[0], row[1:]) for row in conn.execute(both).fetchall())
        if history != versions(expected):
            return f"versions: {unlike(list(versions(expected)), list(history))}"
        found = conn.execute("SELECT bronze_file_id, reason, column_name, row_json FROM ops.rejects").fetchall()
    rejects = Counter((files[file_id], reason, column) for file_id, reason, column, _ in found if file_id in files)
    wanted = Counter(
        (number, reject.reason, reject.column) for number, outcome in enumerate(expected) for reject in outcome.rejects
    )
    if rejects != wanted:
        return f"rejects: {unlike(list(wanted.elements()), list(rejects.elements()))}"
    return places_told(found, files, expected)


def places_told(found: Sequence[tuple[Any, ...]], files: dict[str, int], expected: Sequence[Outcome]) -> str:
    """The places of rejects, where they are told; those of records that are no rows always are."""
    wanted: dict[tuple[int, str, str | None], list[str]] = {}
    for number, outcome in enumerate(expected):
        for reject in outcome.rejects:
            wanted.setdefault((number, reject.reason, reject.column), []).append(reject.place)
    for file_id, reason, column, row in found:
        if file_id in files and (place := json.loads(row).get("_place")) is not None:
            places = wanted[files[file_id], reason, column]
            if place not in places:
                return f"place of {reason}: {place}, and not one of {places}"
            places.remove(place)
    silent = [
        key
        for key, places in wanted.items()
        if places and key[1] in ("ragged", "bad_quote", "header_again", "no_row", "key_twice", "no_json", "not_unicode")
    ]
    return f"no place of {silent}" if silent else ""


def unlike(expected: Sequence[Any], found: Sequence[Any]) -> str:
    right, there = Counter(expected), Counter(found)
    return f"lacks {list((right - there).elements())[:4]}, has {list((there - right).elements())[:4]}"


def shown(case: Case) -> str:
    """A case in a few lines, to be read and to be run again."""
    entry = case.entry
    columns = "\n".join(
        f"""  {
            ", ".join(
                f"{field.name}={value!r}"
                for field in attrs.fields(type(column))
                if (value := getattr(column, field.name)) != field.default
            )
        }"""
        for column in entry.columns
    )
    facts = (
        f"{entry.format} rows_at={entry.rows_at!r} on_duplicate={entry.on_duplicate!s} "
        f"may_be_empty={entry.is_data.may_be_empty} share={entry.reject_share_max}"
    )
    return f"{facts}\n{columns}\n" + "\n".join(
        f"  {number}: {payload!r}" for number, payload in enumerate(case.payloads)
    )
