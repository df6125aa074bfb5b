"""The least that gives a table with its history: ``python limit_days.py STAGE FOLDER MOMENT [--gold] FILE ...``.

``load`` keeps the files (temporary, fsync, rename, SHA-256) with a row each in a manifest, and makes the table by one
``read_csv``; a row says since when it is known. ``day`` keeps the file, closes the rows whose values it changes, and
adds its own, in one transaction. With ``--gold`` a second table is kept up with the keys that changed.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import duckdb

COLUMNS = {
    "symbol": "VARCHAR", "date": "DATE", "volume": "BIGINT", "open": "DOUBLE", "high": "DOUBLE", "low": "DOUBLE",
    "close": "DOUBLE",
}  # fmt: skip
GOLD = "SELECT symbol, date, close, volume, close * volume AS turnover"


def kept(conn: duckdb.DuckDBPyConnection, folder: Path, files: list[str]) -> str:
    """Keep the files; what reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    conn.execute("CREATE TABLE IF NOT EXISTS manifest (path VARCHAR, sha256 VARCHAR, bytes BIGINT)")
    paths = []
    for file in files:
        payload, path = Path(file).read_bytes(), f"{folder}/{Path(file).name}"
        with open(path + ".tmp", "wb") as out:
            out.write(payload)
            out.flush()
            os.fsync(out.fileno())
        os.rename(path + ".tmp", path)
        conn.execute("INSERT INTO manifest VALUES (?, ?, ?)", [path, hashlib.sha256(payload).hexdigest(), len(payload)])
        paths.append(path)
    listed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items()) + "}"
    return f"read_csv({paths}, columns={listed}, auto_detect=false, header=true)"


def load(conn: duckdb.DuckDBPyConnection, read: str, moment: str, *, gold: bool) -> None:
    """The first of the tables."""
    conn.execute(
        f"CREATE TABLE prices AS SELECT *, TIMESTAMP '{moment}' AS known_from, NULL::TIMESTAMP AS known_to FROM {read} "
        "QUALIFY row_number() OVER (PARTITION BY symbol, date) = 1"
    )
    if gold:
        conn.execute(f"CREATE TABLE turnover AS {GOLD} FROM prices")


def day(conn: duckdb.DuckDBPyConnection, read: str, moment: str, *, gold: bool) -> None:
    """What one day changes."""
    same = "p.symbol = d.symbol AND p.date = d.date"
    conn.execute(f"CREATE TEMP TABLE day AS FROM {read} QUALIFY row_number() OVER (PARTITION BY symbol, date) = 1")
    conn.execute("BEGIN")
    conn.execute(
        f"UPDATE prices AS p SET known_to = TIMESTAMP '{moment}' FROM day AS d WHERE {same} AND p.known_to IS NULL"
    )
    conn.execute(f"INSERT INTO prices SELECT *, TIMESTAMP '{moment}', NULL FROM day")
    if gold:
        conn.execute(
            f"MERGE INTO turnover AS p USING ({GOLD} FROM day) AS d ON {same} WHEN MATCHED THEN UPDATE SET "
            "close = d.close, volume = d.volume, turnover = d.turnover WHEN NOT MATCHED THEN INSERT BY NAME"
        )
    conn.execute("COMMIT")


def main(stage: str, folder: str, moment: str, *rest: str) -> None:
    """One stage."""
    files, gold = [word for word in rest if word != "--gold"], "--gold" in rest
    conn = duckdb.connect(f"{folder}/out.duckdb", config={"threads": 2})
    made = {"load": load, "day": day}[stage]
    made(conn, kept(conn, Path(folder) / "kept" / moment[:10], files), moment[:19], gold=gold)
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
