"""ArcticDB as a peer: ``python arcticdb_days.py STAGE FOLDER MOMENT FILE ...`` with the Python of its own environment.

A library in LMDB with a symbol for each ticker and a version for each day. ``load`` writes them, ``day`` reads those
that a file changes, lays its rows over theirs and writes a new version; ``scan`` adds up two columns of all symbols as
they are and as the first version had them, and prints seconds of wall and processor, and the volume. It keeps no
payloads.
"""

from __future__ import annotations

import json
import sys
import time

import arcticdb as adb
import pandas as pd

TIMES = 3


def frames(files: list[str]) -> dict[str, pd.DataFrame]:
    """By ticker, with the days as index."""
    whole = pd.concat(pd.read_csv(file, parse_dates=["date"]) for file in files)
    whole = whole.drop_duplicates(["symbol", "date"]).sort_values(["symbol", "date"]).set_index("date")
    return {str(symbol): rows.drop(columns="symbol") for symbol, rows in whole.groupby("symbol", sort=False)}


def scanned(library: adb.library.Library) -> dict[str, list[float]]:
    """Wall and processor of each."""
    symbols, took = library.list_symbols(), {}
    for name, as_of in (("now", None), ("then", 0)):
        asked = [adb.ReadRequest(symbol, as_of=as_of, columns=["volume", "close"]) for symbol in symbols]
        volume = sum(int(item.data["volume"].sum()) for item in library.read_batch(asked))
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(TIMES):
            for item in library.read_batch(asked):
                item.data.sum()
        took[name] = [(time.perf_counter() - wall) / TIMES, (time.process_time() - cpu) / TIMES, volume]
    return took


def main(stage: str, folder: str, _moment: str, *files: str) -> None:
    """One stage."""
    library = adb.Arctic(f"lmdb://{folder}/arctic?map_size=8GB").get_library("prices", create_if_missing=True)
    if stage == "scan":
        print(json.dumps(scanned(library)))
        return
    new = frames(list(files))
    if stage == "day":
        known = library.read_batch(list(new))
        for item in known:
            rows = new[item.symbol]
            new[item.symbol] = pd.concat([item.data.drop(rows.index, errors="ignore"), rows]).sort_index()
    library.write_batch([adb.WritePayload(symbol, rows) for symbol, rows in new.items()])


if __name__ == "__main__":
    main(*sys.argv[1:])
