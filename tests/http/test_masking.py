"""Declared secrets are taken out of the body of an answer before it is kept,
and everything else works with what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from warehouse import Warehouse, entry

from sbf_core.api import DatasetKeymapEntry, RestRecipe, hookimpl
from sbf_core.bronze.journal import journal_files, read_journal
from sbf_core.care.rebuild import rebuild
from sbf_core.care.repair import Repair
from sbf_core.care.verify import Verification
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.http.masking import masked
from sbf_core.plugin.manager import PluginManager
from sbf_core.runner.options import RunOptions
from sbf_core.settings.settings import Settings

KEY = 'k3y/"+=&canary'


@pytest.mark.parametrize(
    ("body", "fields", "wanted", "found"),
    [
        (
            b'{"a" : {"key":\t"x"} ,"b":[1.50, 2]}\r\n', ("a.key",),
            b'{"a" : {"key":\t"***"} ,"b":[1.50, 2]}\r\n', ("a.key",),
        ),
        (b'\xef\xbb\xbf{"a":"\xc3\xa9","k":7}', ("k",), b'\xef\xbb\xbf{"a":"\xc3\xa9","k":"***"}', ("k",)),
        (b'{"k":{"deep":[1,{"k":2}]},"k":"twice"}', ("k",), b'{"k":"***","k":"***"}', ("k",)),
        (b'[{"k":"a","v":1},{"v":2},{"k":"b"}]', ("$[*].k",), b'[{"k":"***","v":1},{"v":2},{"k":"***"}]', ("$[*].k",)),
        (
            b'{"rows":[["x","key"],["y","key"]]}', ("$.rows[*][1]", "$.rows[*][-1]"),
            b'{"rows":[["x","***"],["y","***"]]}', ("$.rows[*][1]", "$.rows[*][-1]"),
        ),
        (b'{"a":{"k":"x"}}', ("a", "a.k"), b'{"a":"***"}', ("a", "a.k")),
        (b'{"k":null,"a b":"x"}', ("k", "$['a b']", "none.there"), b'{"k":null,"a b":"***"}', ("$['a b']",)),
        (b'{"\\u006b":"x\\"}"}', ("k",), b'{"\\u006b":"***"}', ("k",)),
        (b'{"k":[] ,"n":' + b"9" * 5000 + b"}", ("k",), b'{"k":"***" ,"n":' + b"9" * 5000 + b"}", ("k",)),
        (b' [ ] ', ("$[*].k", "k", "$[0]"), b' [ ] ', ()),
    ],
)  # fmt: skip
def test_values_go_and_every_other_byte_stays(
    body: bytes, fields: tuple[str, ...], wanted: bytes, found: tuple[str, ...]
) -> None:
    assert masked(body, fields) == (wanted, found)


@pytest.mark.parametrize("body", [b"<html>", b'{"k":"x"', b"\xff\xfe", b"[" * 200_000, b""])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        masked(body, ("k",))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def _expected(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("a"), dict):
        return {
            **value,
            "a": {name: "***" if name == "b" and each is not None else each for name, each in value["a"].items()},
        }
    return value


@given(_VALUES, st.sampled_from([None, 2]))
def test_the_same_as_with_a_parsed_document(value: Any, indent: int | None) -> None:
    body, _ = masked(json.dumps(value, indent=indent).encode(), ("a.b",))
    assert json.loads(body) == _expected(value)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret_fields": ("a[",)},
        {"secret_fields": ("$",)},
        {"secret_fields": "abc"},
        {"secret_fields": ("a",), "extension": "csv"},
        {"secret_fields": ("$.a!",)},
        {"secret_fields": ("a..b",)},
        {"secret_fields": ("a.*",)},
    ],
)
def test_a_declaration_that_means_no_field_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RestRecipe(url="https://localhost/", **changes)


class Echo:
    """A plugin whose vendor repeats the key in the answer."""

    def __init__(self, url: str, **recipe: Any) -> None:
        self.entries = [
            entry(
                rows_at="rows",
                recipe=RestRecipe(url=url, secrets={"apikey": "ECHO_KEY"}, **recipe),
                refresh_after_hours=0,
            )
        ]

    @hookimpl
    def datasets(self) -> list[DatasetKeymapEntry]:
        return self.entries


@pytest.fixture
def vendor(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    monkeypatch.setenv("ECHO_KEY", KEY)
    body = {
        "request": {"params": {"apikey": KEY}},
        "rows": [{"symbol": "A", "date": "2024-01-01", "close": "1.5", "volume": 3}],
    }
    httpserver.expect_request("/eod").respond_with_json(body)
    return httpserver


def _bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def test_a_masked_field_is_nowhere_and_everything_works_with_what_is_kept(vendor: HTTPServer, tmp_path: Path) -> None:
    plugin = Echo(vendor.url_for("/eod"), secret_fields=("request.params.apikey",))
    warehouse = Warehouse(tmp_path / "home", plugin)
    context = warehouse.run()
    assert (context.errors, context.notes) == ([], [])
    line = read_journal(journal_files(warehouse.home / "bronze")[0])[0]
    assert line.masked == ("request.params.apikey",)
    kept = (warehouse.home / "bronze" / line.row.rel_path).read_bytes()
    assert json.loads(kept)["request"] == {"params": {"apikey": "***"}}
    assert json.dumps(KEY)[1:-1].encode() not in _bytes_of(warehouse.home)
    assert warehouse.run(hours_later=48).unchanged_files == 1, "the hash is that of what is kept"
    manager = PluginManager(())
    manager.register(plugin, name="fake")
    settings = Settings(warehouse.home, environment={})
    assert Verification(Home(settings, clock=warehouse.clock, plugins=manager)).run().findings == []
    rows = warehouse.ask("FROM silver.px ORDER BY ALL")
    rebuild(Home(settings, clock=warehouse.clock, plugins=manager))
    assert warehouse.ask("FROM silver.px ORDER BY ALL") == rows
    other = Warehouse(tmp_path / "other", plugin)
    assert other.run(options=RunOptions(replay=str(warehouse.home))).files == 1
    again = read_journal(journal_files(other.home / "bronze")[0])[0]
    assert (again.masked, again.row.payload_hash) == (line.masked, line.row.payload_hash), (
        "a replay keeps what was masked"
    )


def test_a_journal_that_is_written_again_still_says_what_was_masked(vendor: HTTPServer, tmp_path: Path) -> None:
    plugin = Echo(vendor.url_for("/eod"), secret_fields=("request.params.apikey",))
    warehouse = Warehouse(tmp_path / "home", plugin)
    warehouse.run()
    path = journal_files(warehouse.home / "bronze")[0]
    path.write_bytes(path.read_bytes().replace(b'"chain":"', b'"chain":"0', 1))
    manager = PluginManager(())
    manager.register(plugin, name="fake")
    assert Repair(warehouse.opened(manager)).run().after == ()
    assert read_journal(path)[0].masked == ("request.params.apikey",)


def test_an_answer_whose_secrets_cannot_be_found_is_not_kept(vendor: HTTPServer, tmp_path: Path) -> None:
    vendor.expect_request("/cut").respond_with_data(
        b'{"request":{"params":{"apikey":"' + KEY.encode() + b'"}},"rows":[' + b'{"symbol":"A"},' * 2000
    )
    warehouse = Warehouse(tmp_path / "home", Echo(vendor.url_for("/cut"), secret_fields=("request.params.apikey",)))
    context = warehouse.run()
    assert "secret fields cannot be taken out" in context.errors[0]
    assert warehouse.bronze_files() == []
    assert KEY.encode() not in _bytes_of(warehouse.home)


def test_a_run_tells_where_a_key_stands_that_bronze_keeps(vendor: HTTPServer, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home", Echo(vendor.url_for("/eod")))
    for hours in (0, 48):  # also of what had not changed: it is still there
        (note,) = warehouse.run(hours_later=hours).notes
        assert note.startswith(
            "prices/fake/eod: the vendor repeats your key in its answer, at $.request.params.apikey; Bronze keeps"
        )
        assert 'secret_fields=("$.request.params.apikey",)' in note
    (path,) = warehouse.bronze_files()
    assert json.dumps(KEY).encode() in (warehouse.home / "bronze" / path).read_bytes(), "the exact bytes"


def test_a_key_that_is_a_name_is_told_without_a_field_to_mask(vendor: HTTPServer, tmp_path: Path) -> None:
    """What holds the name is a row: masked, it would be gone."""
    row = {"symbol": "A", "date": "2024-01-01", "close": 1.5, "volume": 3, KEY: KEY}
    vendor.expect_request("/named").respond_with_json({"rows": [row]})
    notes = Warehouse(tmp_path / "home", Echo(vendor.url_for("/named"))).run().notes
    told = [note for note in notes if "repeats your key in its answer, at $.rows[*], as a name" in note]
    assert len(told) == 1, notes
    assert "secret_fields" not in told[0]


def test_the_place_of_a_key_in_what_is_no_json(vendor: HTTPServer, tmp_path: Path) -> None:
    twice = KEY.replace('"', '""')
    vendor.expect_request("/csv").respond_with_data(
        f'symbol,date,close,volume\nA,2024-01-01,1.5,3\nB,2024-01-01,2.5,4\n"{twice}",2024-01-01,1.5,5\n'
    )
    plugin = Echo(vendor.url_for("/csv"), extension="csv")
    plugin.entries = [attrs.evolve(plugin.entries[0], rows_at="")]
    context = Warehouse(tmp_path / "home", plugin).run()
    assert any("at line 4; Bronze keeps what came" in note and "secret_fields" not in note for note in context.notes), (
        context.notes
    )
