"""sbf as a candidate of the benchmark: sets the environment and becomes the real command line.

usage: sbf_cand.py STAGE BASE_URL WORKDIR DATADIR     STAGE: s1 | s2 | s2skip | s3
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

stage, base, work, data = sys.argv[1:5]
os.environ.update(
    SBF_HOME=work, SBF_BENCH_URL=base, SBF_TICKERS_FILE=str(Path(data) / "tickers.txt"), SBF_PLUGINS="bench"
)
day_from = json.loads((Path(data) / "meta.json").read_text())["day_from"]
extra = {"s1": [], "s2": ["--since", "2000-01-01"], "s2skip": [], "s3": ["--since", day_from]}[stage]
sbf = str(Path(sys.executable).parent / "sbf")
os.execv(sbf, [sbf, "run", "--json", *extra])
