"""Polars as a floor: ``python polars_files.py FOLDER COLUMN,...`` with the Python of its own environment.

Reads all CSV files of the folder with their types given, drops duplicate keys, and keeps nothing.
"""

from __future__ import annotations

import sys

import polars as pl


def main(folder: str, numbers: str) -> None:
    """Read."""
    kinds = {"symbol": pl.String, "date": pl.Date, "volume": pl.Int64}
    kinds |= dict.fromkeys(numbers.split(","), pl.Float64)
    rows = pl.scan_csv(f"{folder}/*.csv", schema=kinds).unique(["symbol", "date"], keep="last").collect()
    assert rows.height


if __name__ == "__main__":
    main(*sys.argv[1:])
