"""Half of a surrogate pair, which JSON can spell and Python keep: it costs a dataset at most,
and never a run or a journal.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from odd_plugins import HEAD, fetch_with, promote_with, run
from warehouse import FakeVendor, Warehouse, entry

from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import PayloadRefused
from sbf_core.payload.token import token_of

HALF = r"\ud83d"

GOLD = f"""
@hookimpl
def build_gold():
    return [GoldModel(name="odd", key=("symbol",), sql="SELECT symbol, '{HALF}' AS x FROM silver.odd_eod", doc="x")]
"""

#: What a hook does, and what the run says of it; empty: nothing is wrong with it.
HOOKS = {
    "address": (fetch_with(f"return result(request, address='{HALF}')"), ""),
    "headers": (fetch_with(f"return result(request, headers={{'etag': '{HALF}', '{HALF}': 'x'}}, masked=('{HALF}',))"),
                ""),
    "error": (fetch_with(f"return result(request, payload=b'', error='{HALF}')"), r"eod: \ud83d"),
    "kind": (fetch_with(f"return result(request, payload=b'', error='x', kind='{HALF}')"),
             r"RunResult.kind is '\ud83d'"),
    "evidence": (fetch_with("return result(request, payload=b'', error='x', evidence='text')"),
                 "RunResult.evidence is str"),
    "raised": (fetch_with(f"raise ValueError('{HALF}')"), r"raised ValueError: \ud83d"),
    "select": (promote_with(f"""return SelectRows("SELECT *, '{HALF}' AS x FROM batch")"""),
               "SelectRows.sql holds half of a surrogate pair"),
    "select of none": (promote_with("return SelectRows(None)"), "SelectRows.sql is NoneType"),
    "refused": (promote_with(f"return ParseRows(parse)\n\ndef parse(body):\n    raise PayloadRefused('{HALF}')"),
                r"\ud83d"),
    "rows": (promote_with("return ParseRows(parse)\n\ndef parse(body):\n"
                          f"    yield {{'symbol': '{HALF}', 'date': '2024-01-02', '{HALF}': 1}}\n"
                          "    yield from json.loads(body)"), "1 of 2 rows rejected"),
    "gold": (fetch_with("return result(request)") + GOLD, "sql holds half of a surrogate pair"),
}  # fmt: skip


@pytest.mark.parametrize("isolate", ["all", "none"])
@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_that_gives_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, isolate: str) -> None:
    text, told = HOOKS[name]
    context = run(tmp_path, monkeypatch, text, plugins__isolate=isolate)
    assert [told in error for error in context.errors] == [True] * bool(told), context.errors
    for path in journal_files(DuckDbConfig(home=tmp_path / "home").bronze):
        assert read_journal(path)
    warehouse = Warehouse(tmp_path / "home")
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("G",)]


def test_a_declaration_that_holds_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.replace('domain="prices"', f'tags=("{HALF}",), domain="prices"')
    assert text != HEAD
    context = run(tmp_path, monkeypatch, text)
    assert ["tags holds half of a surrogate pair" in error for error in context.errors] == [True], context.errors
    assert Warehouse(tmp_path / "home").ask("SELECT symbol FROM silver.px") == [("G",)]


def test_a_field_that_nobody_declared(tmp_path: Path) -> None:
    """Its name is kept with an escape; the rows are as they were."""
    vendor = FakeVendor(entry())
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(b'[{"symbol": "A", "date": "2024-01-02", "close": "1", "volume": 1, "\\ud83d": "\\udfff"}]')
    context = warehouse.run()
    assert context.errors == []
    (note,) = context.notes
    assert r"'\\ud83d'" in note
    assert warehouse.ask("SELECT symbol FROM silver.px") == [("A",)]
    assert warehouse.ask("SELECT field FROM ops.schema_drift WHERE change = 'added'") == [(r"\ud83d",)]


def test_a_cursor_is_refused() -> None:
    with pytest.raises(PayloadRefused, match="half of a surrogate pair"):
        token_of(b'{"next": "\\ud83d"}', "next")
