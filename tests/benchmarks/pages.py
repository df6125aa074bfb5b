"""How fast pages are over a large ledger: python tests/benchmarks/pages.py [RUNS FILES_A_RUN]

Fills a home with the sample, adds runs to its ledger, publishes it, opens ``sbf ui`` and times the first page, all
others, and the pictures of charts.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from html import unescape
from pathlib import Path

import duckdb

_RUNS = """
CREATE TEMP TABLE r AS
    SELECT i,
    strftime(TIMESTAMP '2012-01-01' + INTERVAL (i) DAY, '%Y%m%dT060000Z') || '-' || left(md5(i::VARCHAR), 6) AS run_id,
    TIMESTAMP '2012-01-01 06:00:00' + INTERVAL (i) DAY AS t FROM range({runs}) AS x(i);
INSERT INTO ops.file_ingestions BY NAME
    SELECT run_id, 'run' AS kind, run_id AS subject, t AS started_at, t + INTERVAL 90 SECOND AS finished_at,
    CASE WHEN i % 23 = 0 THEN 'partial' WHEN i % 97 = 0 THEN 'failed' ELSE 'ok' END AS status,
    {files} * 20 AS rows_inserted, 0 AS rows_updated, 0 AS rows_unchanged, 0 AS rows_rejected FROM r;
CREATE TEMP TABLE f AS
    SELECT run_id, t, i, j, left(md5(i || '-' || j), 12) AS bronze_file_id,
    md5(i || 'h' || j) || md5(j || 'h' || i) AS payload_hash, 'T' || lpad(j::VARCHAR, 4, '0') AS ticker,
    'prices/wiki/eod/T' || lpad(j::VARCHAR, 4, '0') || '/' || left(md5(i || '-' || j), 12) || '.csv' AS rel_path
    FROM r, range({files}) AS y(j);
INSERT INTO ops.file_ingestions BY NAME
    SELECT run_id, 'file' AS kind, rel_path AS subject, t AS started_at, t + INTERVAL 5 SECOND AS finished_at,
    CASE WHEN (i * 7 + j) % 501 = 0 THEN 'failed' ELSE 'ok' END AS status,
    'prices' AS domain, 'wiki' AS source, 'eod' AS dataset, '' AS discriminator, ticker,
    'prices/wiki/eod' AS dataset_id, 'prices/wiki/eod/' || ticker AS series_key,
    bronze_file_id, rel_path, payload_hash, 1000 + j AS content_length_bytes, 'eod_bar' AS table_name,
    20 AS bronze_rows, 20 AS rows_inserted, 0 AS rows_updated, 0 AS rows_unchanged, 0 AS rows_rejected FROM f;
INSERT INTO ops.bronze_manifest BY NAME
    SELECT bronze_file_id, run_id, 'prices' AS domain, 'wiki' AS source, 'eod' AS dataset, '' AS discriminator, ticker,
    'prices/wiki/eod' AS dataset_id, 'prices/wiki/eod/' || ticker AS series_key,
    t::DATE - 20 AS from_date, t::DATE AS to_date, 'https://example.com/eod/' || ticker AS address,
    rel_path, payload_hash, 1000 + j AS content_length_bytes, 'csv' AS extension, 200 AS status_code, t AS fetched_at,
    0.12 AS elapsed_seconds FROM f;
INSERT INTO ops.promotion_manifest BY NAME
    SELECT bronze_file_id, run_id, 'eod_bar' AS silver_table, 'ok' AS status, 20 AS rows_seen,
    20 AS rows_inserted, 0 AS rows_updated, 0 AS rows_unchanged, 0 AS rows_rejected, 0 AS rows_closed,
    20 AS rows_written, t::DATE - 20 AS coverage_from, t::DATE AS coverage_to, 'abc' AS declaration,
    t AS started_at, t + INTERVAL 30 SECOND AS finished_at FROM f;
"""
_PAGES_MAX = 60


def _sbf(home: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "sbf_core", *arguments, "--home", str(home)], check=True, capture_output=True)


def _timed(address: str) -> tuple[float, str]:
    began = time.perf_counter()
    text = urllib.request.urlopen(address).read().decode()
    return (time.perf_counter() - began) * 1000, text


class _Memory(threading.Thread):
    """Looks every 50 ms how much memory the pages and the process that draws for them have together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.parts, self.over = pid, 0, [0], threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            parts = [_resident(one) for one in (str(self.pid), *filter(_draws, _children(self.pid)))]
            if sum(parts) > self.most:
                self.most, self.parts = sum(parts), parts


def _children(pid: int) -> list[str]:
    try:
        return [
            child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _draws(pid: str) -> bool:
    """A process that is just being made still is its parent."""
    try:
        return "drawing.worker" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def _resident(pid: str) -> int:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1000 if found else 0


def main(runs: int, files: int) -> None:
    """Fill, open, ask, tell."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _sbf(home, "run", "--replay", "sample")
        with duckdb.connect(str(home / "sbf.duckdb")) as connection:
            connection.execute(_RUNS.format(runs=runs, files=files))
        _sbf(home, "run", "--replay", "sample", "--force")
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "sbf_core", "ui", "--home", str(home), "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            text=True,
        ) as served:
            assert served.stdout is not None
            memory = _Memory(served.pid)
            memory.start()
            address = json.loads(served.stdout.readline())["url"].rstrip("/")
            _timed(address + "/")
            print(f"first page {time.perf_counter() - began:.2f} s after the command")
            times: dict[str, float] = {}
            pictures: list[str] = []
            todo = ["/", "/charts", "/sql", "/plugins"]
            while todo and len(times) < _PAGES_MAX:
                path = todo.pop(0)
                if path in times or "/download." in path or re.search(r"^/charts/.*\.(svg|png|csv)", path):
                    continue
                took, text = _timed(address + path)
                times[path] = min(took, _timed(address + path)[0])
                todo += [
                    unescape(link) for link in re.findall(r'href="(/[^"]*)"', text) if not link.startswith("/static")
                ]
                pictures += [unescape(link) for link in re.findall(r'(?:src|srcset)="(/charts/[^"]*)"', text)]
            slowest = sorted(times.items(), key=lambda item: -item[1])[:5]
            print(
                f"{len(times)} pages, median {statistics.median(times.values()):.0f} ms; slowest "
                + ", ".join(f"{path} {took:.0f} ms" for path, took in slowest)
            )
            drawn = {path: _timed(address + path)[0] for path in dict.fromkeys(pictures)}
            first, *others = drawn.values()
            print(
                f"{len(drawn)} pictures: the first {first:.0f} ms, then median {statistics.median(others):.0f} ms, "
                f"slowest {max(others):.0f} ms"
            )
            memory.over.set()
            print(f"most memory at one time {memory.most} MB: " + " + ".join(map(str, memory.parts)))
            served.terminate()


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:3])) if len(sys.argv) > 2 else main(5000, 200)
