"""The least that gives the table of the vendor's answers: ``python limit_served.py STAGE BASE_URL WORK DATA``.

``cold`` and ``increment`` ask for each ticker over eight connections, keep each answer as a file (temporary, fsync,
rename, SHA-256) with a row in a manifest, and promote what is new in one transaction: answers below 64 KB are joined
into one file, because the engine takes longer for a small file than for its rows. ``rebuild`` promotes all files again.
There is no history, no check, no reject, and no isolation of a bad answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import duckdb

SMALL = 65_536
COLUMNS = {
    "symbol": "VARCHAR", "date": "DATE", "open": "DOUBLE", "high": "DOUBLE", "low": "DOUBLE", "close": "DOUBLE",
    "adjClose": "DOUBLE", "volume": "BIGINT", "change": "DOUBLE", "changePercent": "DOUBLE", "vwap": "DOUBLE",
}  # fmt: skip
NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
TYPES = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
PROMOTED = """
CREATE TABLE IF NOT EXISTS prices ({types}, file_id VARCHAR);
CREATE TABLE IF NOT EXISTS manifest (file_id VARCHAR, ticker VARCHAR, path VARCHAR, sha256 VARCHAR, bytes BIGINT);
CREATE TABLE IF NOT EXISTS promotion (file_id VARCHAR, rows BIGINT, first DATE, last DATE);
"""


async def fetched(base: str, since: str, tickers: list[str], folder: Path) -> list[tuple[str, str, str, str, int]]:
    """Ask for all of them, keep the answers; a row for each."""
    import aiohttp

    folder.mkdir(parents=True)
    rows, left = [], iter(tickers)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8)) as client:

        async def worker() -> None:
            for ticker in left:
                async with client.get(f"{base}/eod/{ticker}?from={since}") as answer:
                    payload = await answer.read()
                path = f"{folder}/{ticker}.json"
                with open(path + ".tmp", "wb") as out:
                    out.write(payload)
                    out.flush()
                    os.fsync(out.fileno())
                os.rename(path + ".tmp", path)
                file_id = f"{folder.name}-{ticker}"
                rows.append((file_id, ticker, path, hashlib.sha256(payload).hexdigest(), len(payload)))

        await asyncio.gather(*(worker() for _ in range(8)))
    return rows


def put(conn: duckdb.DuckDBPyConnection, table: str, names: str, rows: list[tuple[object, ...]]) -> None:
    """Many rows as one bound text, which is the fastest way from Python."""
    plain = json.dumps([dict(zip(names.split(), row, strict=True)) for row in rows])
    shape = json.dumps([{name: "BIGINT" if name == "bytes" else "VARCHAR" for name in names.split()}])
    conn.execute(f"INSERT INTO {table} SELECT unnest(from_json(?::JSON, ?), recursive := true)", [plain, shape])


def promote(conn: duckdb.DuckDBPyConnection, work: Path) -> None:
    """All files that are not yet in the table."""
    todo = conn.execute(
        "SELECT file_id, path, bytes FROM manifest ANTI JOIN promotion USING (file_id) ORDER BY file_id"
    ).fetchall()
    large = [(file_id, path) for file_id, path, size in todo if size >= SMALL]
    sources = []
    conn.execute("BEGIN; CREATE OR REPLACE TEMP TABLE files (file_id VARCHAR, path VARCHAR)")
    if large:
        put(conn, "files", "file_id path", large)
        listed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
        paths = "[" + ", ".join(f"'{path}'" for _, path in large) + "]"
        read = f"read_json({paths}, columns={listed}, format='array', filename=true)"
        sources.append(f"SELECT {NAMES}, file_id FROM {read} JOIN files ON path = filename")
    if len(large) < len(todo):
        joined = work / "joined.ndjson"
        with joined.open("wb", buffering=1 << 20) as out:
            for file_id, path, size in todo:
                if size < SMALL:
                    with open(path, "rb", buffering=0) as payload:
                        out.write(b'{"f":"%s","r":%s}\n' % (file_id.encode(), payload.read()))
        columns = "{'f': 'VARCHAR', 'r': 'STRUCT(" + TYPES + ")[]'}"
        read = f"read_json('{joined}', columns={columns}, format='unstructured', maximum_object_size=1048576)"
        sources.append(f"SELECT u.*, f AS file_id FROM (SELECT f, unnest(r) AS u FROM {read})")
    conn.execute(
        f"CREATE OR REPLACE TEMP TABLE stage AS SELECT * FROM ({' UNION ALL '.join(sources)}) "
        "QUALIFY row_number() OVER (PARTITION BY symbol, date ORDER BY file_id DESC) = 1"
    )
    if conn.execute("FROM prices LIMIT 1").fetchall():
        values = ", ".join(f'"{name}" = s."{name}"' for name in (*COLUMNS, "file_id") if name not in ("symbol", "date"))
        conn.execute(
            f"MERGE INTO prices AS p USING stage AS s ON p.symbol = s.symbol AND p.date = s.date "
            f"WHEN MATCHED THEN UPDATE SET {values} WHEN NOT MATCHED THEN INSERT BY NAME"
        )
    else:
        conn.execute("INSERT INTO prices SELECT * FROM stage")
    conn.execute("INSERT INTO promotion SELECT file_id, count(*), min(date), max(date) FROM stage GROUP BY 1; COMMIT")


def main(stage: str, base: str, folder: str, data: str) -> None:
    """One stage."""
    work, meta = Path(folder), json.loads((Path(data) / "meta.json").read_text())
    conn = duckdb.connect(str(work / "out.duckdb"), config={"threads": 2})
    conn.execute(PROMOTED.format(types=TYPES))
    if stage == "rebuild":
        conn.execute(f"DELETE FROM promotion; DROP TABLE prices; {PROMOTED.format(types=TYPES)}")
        for path, digest in conn.execute("SELECT path, sha256 FROM manifest").fetchall():
            with open(path, "rb", buffering=0) as payload:
                assert hashlib.sha256(payload.read()).hexdigest() == digest
    else:
        since = meta["day_from"] if stage == "increment" else "2000-01-01"
        tickers = (Path(data) / "tickers.txt").read_text().split()
        rows = asyncio.run(fetched(base, since, tickers, work / "bronze" / str(time.time_ns())))
        put(conn, "manifest", "file_id ticker path sha256 bytes", rows)
    promote(conn, work)
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
