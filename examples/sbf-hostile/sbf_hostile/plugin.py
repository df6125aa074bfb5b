"""Everything that a plugin must not do, a dataset each.

The dataset ``honest`` among them shows that the others cost it nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import duckdb

from sbf_core.api import (
    DatasetKeymapEntry,
    FetchSession,
    ParseRows,
    PromotionBatch,
    RestRecipe,
    RunRequest,
    RunResult,
    SelectRows,
    column,
    hookimpl,
)

_NOON = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)


@attrs.frozen
class Row:
    """One row."""

    day: dt.date = column(key=True, row_date=True)
    value: float | None = column(doc="whatever")


def _payload(request: RunRequest) -> RunResult:
    rows = [{"day": "2024-01-02", "value": 1.5}]
    return RunResult(
        request=request, address=f"hostile://{request.dataset}", payload=json.dumps(rows).encode(), fetched_at=_NOON
    )


class Bomb:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.system, ("touch owned_by_hostile",)


def _raises(request: RunRequest) -> Any:
    raise ValueError("no\nand a second line \x1b[31m in red")


def _leaves(request: RunRequest) -> Any:
    sys.exit(0)


def _dies(request: RunRequest) -> Any:
    os._exit(7)


def _hangs(request: RunRequest) -> Any:
    while True:
        time.sleep(60)


def _recurses(request: RunRequest) -> Any:
    return _recurses(request)


def _eats_memory(request: RunRequest) -> Any:
    return attrs.evolve(_payload(request), payload=b"x" * (64 << 30))


def _floods(request: RunRequest) -> Any:
    print("x" * 1_000_000)
    return None


def _answers_text(request: RunRequest) -> Any:
    return "rows"


def _answers_another(request: RunRequest) -> Any:
    return _payload(attrs.evolve(request, dataset="honest"))


def _climbs_out(request: RunRequest) -> Any:
    return attrs.evolve(_payload(request), extension="/../../../etc/passwd")


def _sends_a_bomb(request: RunRequest) -> Any:
    return Bomb()


def _reads_a_key(request: RunRequest) -> Any:
    key = os.environ["HOSTILE_NEIGHBOUR_KEY"]  # of another dataset; a process of a plugin gets no keys
    return attrs.evolve(_payload(request), payload=key.encode())


def _opens_the_database(request: RunRequest) -> Any:
    for place in (os.environ.get("SBF_HOME", "sbf-data"), "."):
        database = Path(place) / "sbf.duckdb"
        if database.exists():
            duckdb.connect(str(database)).execute("DROP SCHEMA ops CASCADE")
    raise ValueError("found no database")


FETCHES: dict[str, Callable[[RunRequest], Any]] = {
    "raises": _raises, "leaves": _leaves, "dies": _dies, "hangs": _hangs, "recurses": _recurses,
    "eats_memory": _eats_memory, "floods": _floods, "answers_text": _answers_text, "answers_another": _answers_another,
    "climbs_out": _climbs_out, "sends_a_bomb": _sends_a_bomb, "reads_a_key": _reads_a_key,
    "opens_the_database": _opens_the_database,
}  # fmt: skip


def _half_way(payload: bytes) -> Iterator[dict[str, object]]:
    yield {"day": "2024-01-01", "value": 1.0}
    raise RuntimeError("half way")


PROMOTES: dict[str, Any] = {
    "drops_tables": SelectRows("SELECT 1; DROP SCHEMA ops CASCADE"),
    "breaks_out": SelectRows("SELECT 1) AS a; DROP SCHEMA silver CASCADE; SELECT * FROM (SELECT 1"),
    "writes_with_a_with": SelectRows("WITH x AS (DELETE FROM ops.rejects RETURNING *) SELECT * FROM x"),
    "reads_files": SelectRows("SELECT 'f' AS _file, content AS day FROM read_text('/etc/hostname')"),
    "copies_away": SelectRows("COPY (SELECT 1) TO 'stolen.csv'"),
    "attaches": SelectRows("ATTACH 'other.duckdb'"),
    "forges_a_file": SelectRows("SELECT 'aaaaaaaaaaaa' AS _file, '2024-01-02' AS day, '1' AS value"),
    "parses_half": ParseRows(_half_way),
    "parses_nothing": ParseRows(lambda payload: 1 / 0),  # type: ignore[arg-type, return-value]
    "gives_no_plan": {"sql": "SELECT 1"},
}


@hookimpl
def datasets() -> Sequence[DatasetKeymapEntry]:
    """One for each misdeed, one that is honest, and one whose key the others would like to have."""
    recipe = RestRecipe(url="http://127.0.0.1:9/", secrets={"key": "HOSTILE_NEIGHBOUR_KEY"})
    return [
        DatasetKeymapEntry(
            domain="trust", source="hostile", dataset=name, silver_table=f"hostile_{name}", columns=Row, recipe=recipe,
            title=name.replace("_", " "), terms="None.", source_url="https://example.com",
        )
        for name in ("honest", *FETCHES, *PROMOTES)
    ]  # fmt: skip


@hookimpl
def fetch(entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> Any:
    """The misdeed of the dataset, or a payload."""
    return FETCHES.get(entry.dataset, _payload)(request)


@hookimpl
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> Any:
    """The misdeed of the dataset, or its rows."""
    return PROMOTES.get(entry.dataset, ParseRows(json.loads))
