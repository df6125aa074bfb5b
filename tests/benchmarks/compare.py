"""Runs sbf beside the limit program and its peers:
``python compare.py BENCH_FOLDER VENVS DATA TMP [options of run.py]``.

BENCH_FOLDER holds the harness (run.py, candidates.json). It is copied, and the entry of sbf is added as its README
says. VENVS/sbf150 and VENVS/sbf200 are environments with sbf, the plugin in bench_plugin/, and DuckDB 1.5.5 or 2.0.0.
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
        (copy / "run.py").chmod(0o644)
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
        _keep_homes(copy / "run.py")
        return subprocess.call(
            [sys.executable, str(copy / "run.py"), "--data", data, "--venvs", venvs, "--tmp", tmp, *options]
        )


def _keep_homes(harness: Path) -> None:
    """Each repetition works in a folder of its own, and all are removed at the end.

    ext4 takes ten times as long to make folders and files for a while after many were deleted, so that whoever comes
    next would pay for the one before.
    """
    text = harness.read_text()
    for old, new in (
        ('f"run-{name}"', 'f"run-{name}-{rep}"'),
        (
            "                shutil.rmtree(work, ignore_errors=True)\n    finally:",
            "    finally:\n        [shutil.rmtree(path) for path in pathlib.Path(a.tmp).glob('run-*')]",
        ),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    harness.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
