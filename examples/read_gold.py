"""Read a warehouse from Python: ``python examples/read_gold.py [HOME]``, after ``sbf run --replay sample``."""

from __future__ import annotations

import sys

import sbf_core


def main(home: str = "sbf-data") -> None:
    """Print the worst day of each share, in euros."""
    with sbf_core.open(home) as warehouse:
        worst = warehouse.execute(
            "SELECT ticker, date, round(log_return_eur, 4) FROM gold.fact_price_eod "
            "QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY log_return_eur) = 1 ORDER BY ticker"
        ).fetchall()
    for ticker, day, log_return in worst:
        print(f"{ticker:5} {day} {log_return:8.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
