from __future__ import annotations

import sys
from pathlib import Path

# The benchmarks are programs, which find each other in their folder. Behind all others: one is called coverage.py.
sys.path.append(str(Path(__file__).resolve().parent))
