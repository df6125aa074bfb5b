"""A large universe of which nothing is due: ``python planning.py FOLDER [--tickers 10000] [--datasets 20] [--reps 5]``.

Makes a home whose ledger knows each series (as if each had been fetched once), and runs ``sbf run`` over it: seconds of
wall and processor, and the peak of memory. Beside it, what ``import duckdb`` costs on this machine.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from pathlib import Path

import duckdb
from processes import Cost, install_plugin, measured, middle

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = """
from sbf_core.api import *
@hookimpl
def datasets():
    columns = [Column(name="symbol", type="VARCHAR", key=True, source="request.ticker"),
               Column(name="date", type="DATE", key=True, row_date=True), Column(name="close", type="DOUBLE")]
    recipe = RestRecipe(url="http://127.0.0.1:9/{{ticker}}?from={{from_date}}&to={{to_date}}")
    return [DatasetKeymapEntry(domain="prices", source="large", dataset=f"d{{n}}", scope="per_ticker",
                               silver_table=f"t{{n}}", columns=columns, recipe=recipe)
            for n in range({count})]
"""
LEDGER = """
CREATE TEMP TABLE s AS
    SELECT 'd' || n AS dataset, '{letter}' || lpad(k::VARCHAR, 5, '0') AS ticker, n * 1000000 + k AS i,
    'prices/large/' || dataset AS dataset_id, dataset_id || '/' || ticker AS series_key
    FROM range({datasets}) d(n), range({tickers}) t(k);
INSERT INTO ops.data_dates (key, to_date, checked_at, dataset_id)
    SELECT series_key, current_date, now()::TIMESTAMP, dataset_id FROM s;
INSERT INTO ops.watermarks
    SELECT 'prices', 'large', dataset, '', ticker, 't' || dataset[2:], DATE '2016-01-04', current_date,
    now()::TIMESTAMP, dataset_id, series_key FROM s;
INSERT INTO ops.bronze_manifest (bronze_file_id, run_id, domain, source, dataset, discriminator, ticker, from_date,
    to_date, address, rel_path, payload_hash, content_length_bytes, extension, fetched_at, elapsed_seconds, part, parts,
    dataset_id, series_key)
    SELECT lpad(i::VARCHAR, 12, '0'), 'r', 'prices', 'large', dataset, '', ticker, DATE '2016-01-04', current_date,
    'http://127.0.0.1/' || ticker, 'p/' || i, md5(i::VARCHAR), 1000, 'json', now()::TIMESTAMP, 0.1, 0, 0, dataset_id,
    series_key FROM s;
INSERT INTO ops.promotion_manifest BY NAME
    SELECT lpad(i::VARCHAR, 12, '0') AS bronze_file_id, 'r' AS run_id, 't' || dataset[2:] AS silver_table,
    'ok' AS status, 5 AS rows_seen, 5 AS rows_inserted, 0 AS rows_updated, 0 AS rows_unchanged, 0 AS rows_rejected,
    0 AS rows_closed, 5 AS rows_written, now()::TIMESTAMP AS started_at, now()::TIMESTAMP AS finished_at FROM s;
"""


def main() -> int:
    """Make the home where it is not there, then measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tickers", type=int, default=10_000)
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--reps", type=int, default=5)
    asked = parser.parse_args()
    home = made(asked.folder, asked.tickers, asked.datasets)
    bare = middle([bare_engine() for _ in range(asked.reps)])
    print(f"import duckdb: CPU {bare.cpu:.2f} s")
    for words in (["run"], ["plan", "--json"], ["status"]):
        found = [cost_of(words, asked.folder, home) for _ in range(asked.reps)]
        wall, cpu, peak, *_ = middle(found)
        print(f"sbf {' '.join(words)}: wall {wall:.2f} s, CPU {cpu:.2f} s, peak {peak:.0f} MB", flush=True)
    return 0


def bare_engine() -> Cost:
    """Of a process that does nothing but load the engine."""
    return measured([sys.executable, "-c", "import duckdb"], os.environ)


def cost_of(words: list[str], folder: Path, home: Path) -> Cost:
    """Of a command in the home."""
    return measured([sys.executable, "-m", "sbf_core", *words], _environment(folder, home))


def made(folder: Path, tickers: int, datasets: int, letter: str = "T") -> Path:
    """The home, made where it is not there, with a ledger that was filled today."""
    home = folder / f"home-{tickers}-{datasets}{letter}"
    install_plugin(folder / "site", "large", PLUGIN.format(count=datasets))
    if not home.exists():
        home.mkdir(parents=True)
        (home / "tickers.txt").write_text("\n".join(f"{letter}{number:05}" for number in range(tickers)) + "\n")
        (home / "sbf.toml").write_text('[universe]\nfile = "tickers.txt"\n[run]\nplugins = ["large"]\npublish = "no"\n')
        _make_tables(folder / "site", home)
    with duckdb.connect(str(home / "sbf.duckdb")) as conn:
        conn.execute("DELETE FROM ops.data_dates")
        for table in ("watermarks", "bronze_manifest", "promotion_manifest"):
            conn.execute(f"DELETE FROM ops.{table}")
        conn.execute(LEDGER.format(datasets=datasets, tickers=tickers, letter=letter))
    return home


def _make_tables(site: Path, home: Path) -> None:
    """Empty silver tables, as the declarations say."""
    sys.path.insert(0, str(ROOT))
    from sbf_core.duck.bootstrap import DuckDbBootstrap
    from sbf_core.duck.transaction import transaction
    from sbf_core.ops.service import OpsService
    from sbf_core.settings.settings import Settings
    from sbf_core.silver.tables import create_tables

    bootstrap = DuckDbBootstrap(Settings(home).config).open()
    ops = OpsService.over(bootstrap)
    with transaction(ops.cursor()) as conn:
        for entry in runpy.run_path(str(site / "sbf_large.py"))["datasets"]():
            create_tables(conn, entry)
            ops.tables.record(conn, entry)
    bootstrap.close()


def _environment(folder: Path, home: Path) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(folder / "site")])
    return {**os.environ, "PYTHONPATH": paths, "SBF_HOME": str(home)}


if __name__ == "__main__":
    sys.exit(main())
