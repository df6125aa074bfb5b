"""Runs sbf beside the limit program and its peers: ``python compare.py BENCH_FOLDER VENVS DATA TMP [options of run.py]``.

BENCH_FOLDER holds the harness (run.py, candidates.json). It is copied, and the entry of sbf is added as its README says.
VENVS/sbf150 and VENVS/sbf200 are environments with sbf, the plugin in bench_plugin/, and DuckDB 1.5.5 or 2.0.0.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Copy the harness, add sbf, run it."""
    bench, venvs, data, tmp, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "bench"
        shutil.copytree(bench, copy)
        for name in ("candidates.json", "candidates"):
            (copy / name).chmod(0o755)
        copy.chmod(0o755)
        candidates = json.loads((copy / "candidates.json").read_text())
        for name, venv in (("sbf-1.5.5", "sbf150"), ("sbf-2.0.0", "sbf200")):
            python = f"{{venvs}}/{venv}/bin/python"
            candidates[name] = {
                "python": python,
                "cmd": [python, str(HERE / "sbf_cand.py"), "{stage}", "{base}", "{work}", "{data}"],
                "stages": ["s1", "s2", "s2skip", "s3"],
                "db": "{work}/sbf.duckdb",
                "table": "silver.prices",
            }
        (copy / "candidates.json").write_text(json.dumps(candidates))
        return subprocess.call([sys.executable, str(copy / "run.py"), "--data", data, "--venvs", venvs, "--tmp", tmp, *options])


if __name__ == "__main__":
    sys.exit(main())
