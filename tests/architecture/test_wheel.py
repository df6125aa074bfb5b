"""What is installed stays small: the wheel, built as a release builds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What pip shows as 3.0 MB. Above this, plugins would have to be distributions of their own (decision 63).
WHEEL_BYTES_MAX = 3_050_000


def test_the_wheel_stays_at_3_mb(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < WHEEL_BYTES_MAX
