"""Agents ask a warehouse by the protocol's own client, over a process of its own."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from warehouse import FakeVendor, Warehouse, entry, price

from sbf_core.agents.answer import CHARACTERS_MAX, answer, answer_of
from sbf_core.agents.tools import Tools
from sbf_core.errors import UsageError
from sbf_core.reports.table import FactTable

ROOT = Path(__file__).resolve().parents[2]
#: What is asked of the sample, in one conversation.
CALLS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "tables": ("tables", {}),
    "tables of rates": ("tables", {"words": "RATES euro"}),
    "silver": ("describe", {"table": "silver.ecb_reference_rate"}),
    "gold": ("describe", {"table": "GOLD.instrument_stats"}),
    "values": (
        "sql",
        {"query": "SELECT 'nan'::DOUBLE AS a, 1.10::DECIMAL(9, 2) AS b, NULL AS c, DATE '2024-01-31' AS d, 'x'::BLOB"},
    ),
    "few": ("sql", {"query": "FROM gold.dim_date", "limit": 2}),
    "then": ("as_of", {"table": "silver.bls_cpi", "moment": "2025-12-31", "limit": 3}),
    "gold then": ("as_of", {"table": "gold.instrument_stats", "moment": "2026-11-30"}),
    "explain": ("explain", {"table": "silver.bls_cpi", "key": "CUSR0000SA0,2024,M02", "column": "value"}),
    "explain gold": ("explain", {"table": "gold.instrument_stats", "key": "IBM", "column": "volatility_usd"}),
    "health": ("health", {}),
    "charts": ("charts", {}),
    "chart": ("charts", {"name": "gold.fact_fx_rate/rates"}),
    "large": ("sql", {"query": "SELECT repeat('x', 900) AS x FROM range(1000)", "limit": 1000}),
    "write": ("sql", {"query": "DELETE FROM gold.dim_date"}),
    "file": ("sql", {"query": "SELECT * FROM read_text('/etc/hostname')"}),
    "two": ("sql", {"query": "SELECT 1; SELECT 2"}),
    "setting": ("sql", {"query": "SET threads = 8"}),
    "unknown": ("describe", {"table": "silver.ecb_reference_rat"}),
    "many": ("sql", {"query": "SELECT 1", "limit": 100_000}),
    "endless": ("sql", {"query": "SELECT count(*) FROM range(1000000000000) AS a"}),
    "no moment": ("as_of", {"table": "silver.bls_cpi", "moment": "yesterday"}),
    "ops then": ("as_of", {"table": "ops.bronze_manifest", "moment": "2026-01-31"}),
    "still there": ("sql", {"query": "SELECT count(*) AS n FROM gold.dim_date"}),
}


@attrs.frozen
class Said:
    """What a tool answered: JSON, or the words of an error."""

    facts: Any
    error: str
    text: str


@pytest.fixture(scope="module")
def said(sample: Path) -> dict[str, Said]:
    async def ask() -> dict[str, Said]:
        words = ["-m", "sbf_core", "mcp", "--home", str(sample)]
        server = StdioServerParameters(command=sys.executable, args=words, cwd=ROOT)
        async with Client(server) as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert listed.keys() == {"tables", "describe", "sql", "as_of", "explain", "health", "charts"}
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed.values())
            assert all(tool.description for tool in listed.values())
            answers = {}
            for name, (tool, arguments) in CALLS.items():
                done = await client.call_tool(tool, arguments)
                text = done.content[0].text  # type: ignore[union-attr]
                answers[name] = Said(None, text, text) if done.is_error else Said(json.loads(text), "", text)
            return answers

    return anyio.run(ask)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import sbf_core

    home = tmp_path_factory.mktemp("mcp") / "home"
    assert sbf_core.run(home, replay="sample").status == "ok"
    return home


def test_tables_are_found_by_words(said: dict[str, Said]) -> None:
    every = {one["table"] for one in said["tables"].facts["tables"]}
    assert {"silver.ecb_reference_rate", "gold.fact_price_eod"} <= every
    (rates,) = [one for one in said["tables of rates"].facts["tables"] if one["table"].startswith("silver.")]
    assert rates["table"] == "silver.ecb_reference_rate"
    assert rates["terms"] == "Source: ECB. Free reuse with the source named." and rates["passing_on"] == "with source"


def test_a_table_is_described_with_units_and_terms(said: dict[str, Said]) -> None:
    facts = said["silver"].facts
    (rate,) = [one for one in facts["columns"] if one["column"] == "rate"]
    assert rate["type"] == "DECIMAL(18,6)" and rate["unit"] == "units of the currency for one euro"
    assert facts["key"] == ["date", "currency"] and "named" in facts["terms"]
    assert "stddev_samp" in said["gold"].facts["sql"]
    assert {"column": "ticker", "type": "VARCHAR", "doc": None} in said["gold"].facts["columns"]


def test_values_are_exact_and_are_json(said: dict[str, Said]) -> None:
    assert said["values"].facts["rows"] == [["nan", "1.10", None, "2024-01-31", "78"]]
    assert said["few"].facts["more"] is True and len(said["few"].facts["rows"]) == 2
    assert said["few"].facts["state"].startswith("as run ")


def test_what_was_known_then(said: dict[str, Said]) -> None:
    assert said["then"].facts["as_of"] == "2025-12-31T23:59:59.999999+00:00"
    assert len(said["then"].facts["rows"]) == 3 and said["then"].facts["more"] is True
    assert len(said["gold then"].facts["rows"]) == 5


def test_where_a_number_comes_from(said: dict[str, Said]) -> None:
    facts = said["explain"].facts
    assert facts["value"] == "310.967" and [one["state"] for one in facts["versions"]] == ["superseded", "current"]
    assert facts["payload"]["address"] and facts["place"]["where"]
    assert said["explain gold"].facts["inputs"][0]["table"] == "gold.fact_price_eod"


def test_health_and_charts(said: dict[str, Said]) -> None:
    assert said["health"].facts["is_well"] is False and said["health"].facts["faults"][0]["fix"].startswith("sbf run")
    assert {"chart": "gold.fact_fx_rate/rates", "title": "Euro reference rates"} in said["charts"].facts["charts"]
    assert said["chart"].facts["chart"] == "gold.fact_fx_rate/rates" and said["chart"].facts["rows"]


def test_answers_are_of_a_length_that_can_be_read(said: dict[str, Said]) -> None:
    facts = said["large"].facts
    assert facts["more"] is True and 40 < len(facts["rows"]) < 100
    assert len(said["large"].text) < CHARACTERS_MAX + 1000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("write", "DELETE is not allowed here"), ("file", "file system operations are disabled"),
        ("two", "2 statements were given"), ("setting", "SET is not allowed here"),
        ("unknown", "did you mean 'silver.ecb_reference_rate'"), ("many", "limit is 100000; use 1 to 1000"),
        ("no moment", "moment"), ("ops then", "there is no table 'ops.bronze_manifest'"),
    ],
)  # fmt: skip
def test_only_questions_are_answered(said: dict[str, Said], name: str, words: str) -> None:
    assert words in said[name].error
    assert "Traceback" not in said[name].error


def test_an_endless_question_is_stopped_and_the_next_is_answered(said: dict[str, Said]) -> None:
    assert "longer than 5 s" in said["endless"].error or "was stopped" in said["endless"].error
    assert said["still there"].facts["rows"][0][0] > 5000


def test_a_key_never_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from sbf_core.secret import Secret

    Secret("0f9a8b7c6d5e4f", name="A_KEY")
    assert "0f9a8b7c6d5e4f" not in answer(said="the vendor repeats 0f9a8b7c6d5e4f")


def test_rows_of_then_are_those_of_then(tmp_path: Path) -> None:
    vendor = FakeVendor(entry())
    vendor.says([price("A", "2024-01-01", "1.5")])
    warehouse = Warehouse(tmp_path / "home", vendor)
    warehouse.run()
    known = warehouse.clock.now().isoformat()
    vendor.says([price("A", "2024-01-01", "2.5")])
    warehouse.run(hours_later=30)
    tools = Tools(warehouse.opened())
    closes = [
        json.loads(text)["rows"][0][2]
        for text in (tools.as_of("silver.px", known), tools.as_of("silver.px", "2024-01-31"))
    ]
    assert closes == ["1.5000", "2.5000"]
    assert json.loads(tools.sql("SELECT close FROM silver.px"))["rows"] == [["2.5000"]]
    tools.close()


def test_what_json_does_not_know_is_text() -> None:
    assert answer(x=math.nan, y=-math.inf, z=0.5) == '{"x": "nan", "y": "-inf", "z": 0.5}'


def test_one_row_is_always_given() -> None:
    table = FactTable(("a",), (("x" * 1000,), ("y",)))
    facts = json.loads(answer_of(table, more=False))
    assert len(facts["rows"]) == 2 and facts["more"] is False
    long = FactTable(("a", "b"), tuple((["x" * 1999] * 30, number) for number in range(3)))
    facts = json.loads(answer_of(long, more=False))
    assert len(facts["rows"]) == 1 and facts["more"] is True


def test_without_a_copy_for_readers_it_says_so(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", FakeVendor(entry()))
    tools = Tools(warehouse.opened())
    with pytest.raises(UsageError, match="there is no copy for readers yet; run `sbf run`"):
        tools.sql("SELECT 1")
    tools.close()


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sbf_core.agents.server import serve

    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with pytest.raises(UsageError, match=r'agents need a library; pip install "sbf\[mcp\]"'):
        serve(Warehouse(tmp_path / "home").opened())
