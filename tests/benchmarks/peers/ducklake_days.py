"""DuckLake as a peer: ``python ducklake_days.py STAGE FOLDER MOMENT FILE ...`` with the Python of its own environment.

The catalogue is a file of DuckDB, the data are Parquet beside it. ``load`` makes the table, ``day`` merges a file by
its key, ``scan`` adds up two columns as they are and as the first version had them, and prints seconds of wall and
processor, and the volume. It keeps no payloads.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import duckdb_extension_ducklake

COLUMNS = {
    "symbol": "VARCHAR", "date": "DATE", "volume": "BIGINT", "open": "DOUBLE", "high": "DOUBLE", "low": "DOUBLE",
    "close": "DOUBLE",
}  # fmt: skip
TIMES = 20


def opened(folder: str) -> duckdb.DuckDBPyConnection:
    """With the extension from its wheel."""
    (extension,) = Path(duckdb_extension_ducklake.__file__).parent.rglob("ducklake.duckdb_extension")
    conn = duckdb.connect(config={"threads": 2})
    conn.execute(f"LOAD '{extension}'")
    conn.execute(f"ATTACH 'ducklake:{folder}/catalog.ducklake' AS lake (DATA_PATH '{folder}/data'); USE lake")
    return conn


def scanned(conn: duckdb.DuckDBPyConnection) -> dict[str, list[float]]:
    """Wall and processor of each."""
    ((first,),) = conn.execute(
        "SELECT min(snapshot_id) FROM ducklake_snapshots('lake') WHERE changes::VARCHAR LIKE '%inserted%'"
    ).fetchall()
    took = {}
    for name, table in (("now", "prices"), ("then", f"prices AT (VERSION => {first})")):
        sql = f"SELECT sum(volume), sum(close) FROM {table}"
        volume = int(conn.execute(sql).fetchall()[0][0])
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(TIMES):
            conn.execute(sql).fetchall()
        took[name] = [(time.perf_counter() - wall) / TIMES, (time.process_time() - cpu) / TIMES, volume]
    return took


def main(stage: str, folder: str, _moment: str, *files: str) -> None:
    """One stage."""
    conn = opened(folder)
    listed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
    read = f"read_csv({list(files)}, columns={listed}, auto_detect=false, header=true)"
    if stage == "load":
        conn.execute(f"CREATE TABLE prices AS FROM {read}")
    elif stage == "day":
        values = ", ".join(f"{name} = d.{name}" for name in COLUMNS if name not in ("symbol", "date"))
        conn.execute(
            f"MERGE INTO prices AS p USING (FROM {read}) AS d ON p.symbol = d.symbol AND p.date = d.date "
            f"WHEN MATCHED THEN UPDATE SET {values} WHEN NOT MATCHED THEN INSERT"
        )
    else:
        print(json.dumps(scanned(conn)))
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
