"""The benchmark of the product, beside the limit and its peers:
``python -m tests.benchmarks [--against limit,dlt,ducklake,arcticdb,polars] [--shapes csv,wide] [--quick]``.

Prints a table in Markdown, and tells on the standard error how far it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The neighbours are programs of their own too, which find each other in their folder.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from command_line import main

if __name__ == "__main__":
    sys.exit(main())
