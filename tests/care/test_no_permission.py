"""A folder of the home that may not be read, or looked into, is the machine's fault:
never an empty one, and no damage.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from warm_sbf import WARM, WarmSbf

#: Root may read everything unless it gives its capabilities away.
_AS_USER = [] if os.name == "nt" or os.geteuid() else ["setpriv", "--bounding-set", "-all", "--inh-caps=-all"]
pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="rights are others there"),
    pytest.mark.skipif(
        bool(_AS_USER) and shutil.which("setpriv") is None, reason="root may read everything, and there is no setpriv"
    ),
]
COMMANDS = {
    "run": ("run", "--replay", "sample", "--force", "--plugins", "bls"),
    "verify": ("verify",),
    "repair": ("repair",),
    "rebuild": ("rebuild",),
    "rebuild a table": ("rebuild", "macro/bls/cpi"),
    "backup": ("backup", "{tmp}/backup"),
    "replay of it": ("run", "--replay", "{tmp}/home", "--home", "{tmp}/other"),
}
#: What may not be read, and the commands that need it.
PLACES = {
    "bronze": set(COMMANDS),
    "bronze/_journal": set(COMMANDS) - {"run"},
    "bronze/macro": set(COMMANDS) - {"run"},
    "published": {"run", "verify", "rebuild"},
}


USER = WarmSbf(*_AS_USER)


def sbf(*arguments: str, as_user: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    return (USER if as_user else WARM).run(arguments, timeout=HANG_SECONDS, env={**os.environ, **variables})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("filled") / "home"
    done = sbf("run", "--replay", "sample", "--plugins", "bls", "--home", str(home), as_user=False)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    shutil.copytree(filled, home, symlinks=True)
    yield home
    for place in PLACES:
        (home / place).chmod(0o700)


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place, names in PLACES.items() for name in sorted(names)]
)
def test_a_folder_that_may_not_be_read_is_no_empty_one(home: Path, tmp_path: Path, place: str, name: str) -> None:
    words = [word.format(tmp=tmp_path) for word in COMMANDS[name]]
    words += [] if "--home" in words else ["--home", str(home)]
    (home / place).chmod(0o000)
    done = sbf(*words)
    assert done.returncode == 6, done.stderr
    assert "error[ENVIRONMENT]" in done.stderr
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    (home / place).chmod(0o700)
    if place != "published":  # which only a run writes again
        verified = sbf("verify", "--home", str(home))
        assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("verify",), "All is well: 2 of 2 payloads"),
        (("verify", "--sample", "1"), "What was compared is well"),
        (("status",), "macro/bls/cpi"),
        (("sql", "SELECT 7 AS n"), "7"),
        (("rejects", "macro/bls/cpi", "--out", "{tmp}/rejects.csv"), "0 rejected rows"),
    ],
)
def test_a_home_that_may_only_be_read_is_read(home: Path, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Room for work that is thrown away is elsewhere then, and nothing is left there."""
    (tmp_path / "elsewhere").mkdir()
    places = [home, *(path for path in home.rglob("*") if path.is_dir())]
    before = sorted(home.rglob("*"))
    for place in places:
        place.chmod(0o500)
    try:
        words = tuple(word.format(tmp=tmp_path) for word in words)
        done = sbf(*words, "--home", str(home), TMPDIR=str(tmp_path / "elsewhere"))
    finally:
        for place in places:
            place.chmod(0o700)
    assert (done.returncode, told in done.stdout) == (0, True), done.stderr
    if "--sample" in words:
        assert "this home may only be read, so the next call cannot go on there" in done.stderr
    assert sorted(home.rglob("*")) == before
    assert list((tmp_path / "elsewhere").iterdir()) == []
