"""dlt as a peer: ``python dlt_served.py STAGE BASE_URL WORK DATA`` with the Python of its own environment.

As its performance page advises: rows are given as Arrow tables, hints up front, requests of several workers, Parquet to
the engine; merged by delete and insert over the key.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

STAGE, BASE, WORK, DATA = sys.argv[1:5]
os.environ.update(
    {
        "DLT_DATA_DIR": f"{WORK}/home",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "EXTRACT__WORKERS": "8",
        "NORMALIZE__WORKERS": "2",
        "LOAD__WORKERS": "2",
    }
)
import dlt  # noqa: E402
import orjson  # noqa: E402
import pyarrow as pa  # noqa: E402
from dlt.sources.helpers import requests  # noqa: E402

KINDS = {
    "symbol": ("text", pa.string()), "date": ("date", pa.string()), "open": ("double", pa.float64()),
    "high": ("double", pa.float64()), "low": ("double", pa.float64()), "close": ("double", pa.float64()),
    "adjClose": ("double", pa.float64()), "volume": ("bigint", pa.int64()), "change": ("double", pa.float64()),
    "changePercent": ("double", pa.float64()), "vwap": ("double", pa.float64()),
}  # fmt: skip
#: Tickers whose requests are handed over together.
TOGETHER = 20


@dlt.resource(name="tickers", selected=False)
def tickers() -> Iterator[list[str]]:
    """Some at a time."""
    names = (Path(DATA) / "tickers.txt").read_text().split()
    yield from (names[start : start + TOGETHER] for start in range(0, len(names), TOGETHER))


@dlt.transformer(
    data_from=tickers,
    name="eod",
    write_disposition={"disposition": "merge", "strategy": "delete-insert"},
    primary_key=["symbol", "date"],
    columns={name: {"data_type": kind} for name, (kind, _) in KINDS.items()},
)
def eod(names: list[str]) -> Iterator[object]:
    """The rows of each."""

    @dlt.defer
    def one(name: str) -> pa.Table:
        answer = requests.get(f"{BASE}/eod/{name}?from={SINCE}")
        answer.raise_for_status()
        rows = orjson.loads(answer.content)
        columns = {column: pa.array([row[column] for row in rows], kind) for column, (_, kind) in KINDS.items()}
        return pa.table({**columns, "date": columns["date"].cast(pa.date32())})

    yield from (one(name) for name in names)


SINCE = json.loads((Path(DATA) / "meta.json").read_text())["day_from"] if STAGE == "increment" else "2000-01-01"

if __name__ == "__main__":
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.duckdb(f"{WORK}/out.duckdb"),
        dataset_name="silver",
        pipelines_dir=f"{WORK}/pipelines",
    )
    pipeline.run(eod, loader_file_format="parquet")
