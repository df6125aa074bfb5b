"""Real payloads of vendors, from outside the project: they may not be shipped.
Tests that need them skip where they are absent.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from warehouse import Warehouse

from sbf_core.bronze.file_writer import BronzeFileWriter
from sbf_core.clock import FixedClock
from sbf_core.duck.config import DuckDbConfig
from sbf_core.home.home import Home
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.options import RunOptions
from sbf_core.runner.runner import Runner
from sbf_core.runs.context import RunContext
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.settings.settings import Settings

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "recorded"
#: Those of further vendors, which came later.
LATER = FOLDER.with_name("recorded2")
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def entries(folder: Path = FOLDER, **wanted: str) -> list[dict[str, Any]]:
    """The recorded payloads with these facts; skips the test where there are none."""
    manifest = folder / "MANIFEST.jsonl"
    if not manifest.exists():
        pytest.skip("the recorded payloads of vendors are not here; they are not shipped with the project")
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [{**row, "folder": folder} for row in rows if all(row[name] == value for name, value in wanted.items())]


def second_entries(**wanted: str) -> list[dict[str, Any]]:
    """The same of further vendors."""
    return entries(LATER, **wanted)


def later(payload_id: str) -> bytes:
    """The body of a recorded payload of further vendors, by its id; skips the test where it is absent."""
    (row,) = second_entries(id=payload_id)
    return payload(row)


def payload(row: dict[str, Any]) -> bytes:
    """The body of a recorded payload."""
    content = (row["folder"] / row["file"]).read_bytes()
    return gzip.decompress(content) if row["file_compression"] == "gzip" else content


class Recording:
    """A Bronze folder made of payloads, and a run that replays it with the bundled plugins."""

    def __init__(self, folder: Path, *, options: str = "") -> None:
        self.folder = folder / "recording"
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        (self.home / "sbf.toml").write_text(options)
        self._writer = BronzeFileWriter(DuckDbConfig(home=self.folder))

    @functools.cached_property
    def _registry(self) -> DatasetRegistry:
        settings = Settings(self.home, environment={})
        return DatasetRegistry(PluginManager(options=settings.options, named=None))

    def add(
        self,
        dataset_id: str,
        content: bytes,
        *,
        ticker: str | None = None,
        extension: str = "json",
        moment: dt.datetime = NOW,
        first: dt.date | None = None,
        period: str = "",
        address: str = "",
        part: tuple[int, int] = (0, 0),
    ) -> None:
        """One payload, at the address that the plugin would ask."""
        from sbf_core.dataset.recipe import RestRecipe
        from sbf_core.http.page_address import first_page
        from sbf_core.http.questions import filled, filled_body

        owned = self._registry.get(dataset_id)
        assert owned is not None
        recipe = owned.entry.recipe
        assert isinstance(recipe, RestRecipe)
        domain, source, dataset = dataset_id.split("/")
        request = RunRequest(
            run_id=f"r{moment:%Y%m%dT%H%M%S}",
            domain=domain,
            source=source,
            dataset=dataset,
            ticker=ticker,
            from_date=first,
            to_date=moment.date(),
        )
        if not address:
            address = filled(recipe.url, request, quoting=True, recipe=recipe, period=period)
            address = first_page(address, recipe.pages).url if recipe.pages is not None else address
            if recipe.is_post:
                address = filled_body(recipe, request, period=period).address(address)
        result = RunResult(
            request=request,
            address=address,
            part=part[0],
            parts=part[1],
            payload=content,
            extension=extension,
            fetched_at=moment,
            status_code=200,
        )
        self._writer.publish([self._writer.stage(result)])

    def run(self, **options: Any) -> RunContext:
        """Replay it."""
        return Runner(
            Home(Settings(self.home, environment={}), clock=FixedClock(NOW)),
            RunOptions(replay=str(self.folder), **options),
        ).run()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return Warehouse(self.home).ask(query)
