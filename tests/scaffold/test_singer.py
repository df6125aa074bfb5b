"""Plugins from Singer taps: columns by the SCHEMA message, keys of the configuration that are written nowhere."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest
from plugin_author import Author, fills_silver

from sbf_core.clock import SystemClock
from sbf_core.errors import UsageError
from sbf_core.scaffold.from_singer import propose_singer
from sbf_core.scaffold.proposal import Words

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": ["integer"]},
        "client": {"type": ["null", "object"], "properties": {"name": {"type": ["null", "string"]}}},
        "total": {"anyOf": [{"type": "number", "description": "in EUR"}, {"type": "null"}]},
        "made": {"type": "string", "format": "date-time"},
        "lines": {"type": "array", "items": {"type": "object"}},
        "never": {"type": ["null", "string"]},
    },
}
#: As taps do: a catalog, then a SCHEMA, RECORDs and a STATE; records of another stream between them.
TAP = f"""#!{sys.executable}
import argparse, json
read = argparse.ArgumentParser()
for name in ("--config", "--catalog", "--state"):
    read.add_argument(name)
read.add_argument("--discover", action="store_true")
said = read.parse_args()
assert json.load(open(said.config))["access_token"] == "3f7a9c11d2"
schema = {SCHEMA!r}
streams = [dict(stream=name, tap_stream_id=name, schema=schema, metadata=[]) for name in ("orders", "clients")]
if said.discover:
    print(json.dumps(dict(streams=streams)))
else:
    print(json.dumps(dict(type="SCHEMA", stream="orders", schema=schema, key_properties=["id"])))
    for number in range(1, 25):
        row = dict(id=number, client=dict(name="Zo\\u00eb"), total=number + 0.25, made="2024-01-02T10:00:00Z", lines=[])
        print(json.dumps(dict(type="RECORD", stream="orders", record=row, time_extracted="2024-01-03T00:00:00Z")))
    print(json.dumps(dict(type="STATE", value=dict(last=24))))
"""


def tap_of(folder: Path) -> tuple[str, str]:
    """A tap and its configuration."""
    program, config = folder / "tap-shop", folder / "config.json"
    program.write_text(TAP, encoding="utf-8")
    program.chmod(0o755)
    config.write_text(json.dumps({"access_token": "3f7a9c11d2", "start": "2024-01-01"}), encoding="utf-8")
    return str(program), str(config)


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_from_a_tap_to_a_dataset(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    tap, config = tap_of(author.folder)
    monkeypatch.setenv("PATH", os.pathsep.join([str(author.folder), os.environ["PATH"]]))
    shown = author.new("shop_order", "--from-singer", tap, "--config", config, "--stream", "orders", "--terms", "ours")
    assert "24 rows of jsonl" in shown
    text = (author.folder / "sbf-shop-order" / "sbf_shop_order" / "plugin.py").read_text()
    for line in (
        "    id: int = column(key=True)",
        '    client_name: str | None = column(source="@.client.name", optional=True)',
        'doc="in EUR")',
        "    made: dt.datetime = column()",
        "    # never: str | None = column(optional=True)",
        'SingerRecipe(command=("tap-shop",), stream="orders", config={"start": "2024-01-01"}, secrets=',
        'secrets={"access_token": "SHOP_ORDER_ACCESS_TOKEN"})',
        "# unsure: lines: left out, it holds lists or objects",
        "# unsure: command: tap-shop has to be in PATH, or its place has to stand here",
    ):
        assert line in text, text
    for path in (author.folder / "sbf-shop-order").rglob("*"):
        assert path.is_dir() or b"3f7a9c11d2" not in path.read_bytes(), path
    fills_silver(author, "shop_order", 24)


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    tap, config = tap_of(tmp_path)

    def refused(tap: str, config: str = config, stream: str = "orders") -> UsageError:
        with pytest.raises(UsageError) as told:
            propose_singer(Words(name="shop"), tap, config=config, stream=stream, key=(), clock=SystemClock())
        return told.value

    unnamed = refused(tap, stream="")
    assert unnamed.what == "the tap has no stream of that name; it has clients, orders"
    assert unnamed.fix == "name one with --stream"
    assert "there is no program" in refused(str(tmp_path / "nothing")).what
    assert "the tap says no SCHEMA of clients" in refused(tap, stream="clients").what
    assert "the tap ended with code 1" in refused(tap, config="").what
    inner = tmp_path / "inner.json"
    inner.write_text(json.dumps({"account": {"api_key": "3f7a9c11d2"}}))
    assert refused(tap, str(inner)).what == "the configuration holds a key in account.api_key"
    assert "3f7a9c11d2" not in str(refused(tap, str(inner)))
    assert shlex.split(tap) == [tap]
