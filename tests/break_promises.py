"""Breaks each promise on purpose and says which of the tests notices:
``python tests/break_promises.py [--known] [NAME ...]``.

The breaks stand in ``tests/breaks``, a file for each room of the house. Each changes one line of a copy of the checkout
and runs the tests of the rooms concerned. A change that survives is a promise without a test. The test that noticed a
break is kept in ``noticed_by.json`` and is the first that is asked the next time, which takes seconds a break; only
where it says nothing do the rooms run, which takes minutes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Which test noticed a break, by the break's name.
NOTICED_BY = ROOT / "tests" / "noticed_by.json"
LISTS = ROOT / "tests" / "breaks"
#: Payloads that vendors allow nobody to pass on, beside a checkout where they are.
RECORDED = ROOT.parent / "shared"
#: How long one test may take, and those of a room, which take five minutes.
SECONDS_MAX, ROOM_SECONDS_MAX = 240, 1_200
FIELDS = ("name", "file", "text", "broken", "tests")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py::.+?)(?: - .*)?$", re.MULTILINE)


def listed() -> list[tuple[str, str, str, str, str]]:
    """Every break: its name, the file, a text in it, what that is replaced by, and the tests that must fail."""
    rooms = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(LISTS.glob("*.toml"))]
    return [tuple(each[field] for field in FIELDS) for room in rooms for each in room["breaks"]]


BREAKS = listed()


def copy_of_checkout(target: Path) -> None:
    """The tracked files."""
    names = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    )
    for name in filter(None, names):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)


def noticed(name: str, file: str, text: str, broken: str, tests: str, *, by: str = "") -> str | None:
    """The test that fails once ``text`` in ``file`` is ``broken``, None where none does;
    the test ``by`` is asked first.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        copy_of_checkout(copy)
        if RECORDED.is_dir():  # else tests on payloads that may not be passed on would skip, and notice nothing
            (Path(folder) / RECORDED.name).symlink_to(RECORDED.resolve(), target_is_directory=True)
        path = copy / file
        before = path.read_text(encoding="utf-8")
        if text not in before:
            raise SystemExit(f"{name}: {text!r} is not in {file}; bring this list up to date")
        path.write_text(before.replace(text, broken, 1), encoding="utf-8")
        rooms = [*shlex.split(tests), "-n", "auto"]
        return (by and failing(copy, [by], seconds_max=SECONDS_MAX)) or failing(copy, rooms)


def failing(copy: Path, asked: list[str], *, seconds_max: int = ROOM_SECONDS_MAX) -> str | None:
    """The first test of a copy that fails; None where all pass, or there are none:
    what is not there notices nothing.
    """
    command = [sys.executable, "-m", "pytest", *asked, "-q", "-x", "-rfE", "-p", "no:cacheprovider"]
    # The reports of pytest are cut to the width of the terminal unless it is told that nobody looks.
    environment = {**os.environ, "PYTHONPATH": str(copy), "SBF_MACHINE_QUICK": "1", "CI": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as asking:
        try:
            said, _ = asking.communicate(timeout=seconds_max)
        except subprocess.TimeoutExpired:  # a test that waits for the engine is ended by nobody else
            os.killpg(asking.pid, signal.SIGKILL)
            return f"no end within {seconds_max} s: {' '.join(asked)}"
    if asking.returncode in (0, 4, 5):  # 4 and 5: nothing of that name
        return None
    found = _FAILED.search(said)
    return found.group(1) if found else " ".join(asked)  # nothing could be collected at all


def kept() -> dict[str, str]:
    """Which test noticed which break when it was broken last."""
    return json.loads(NOTICED_BY.read_text(encoding="utf-8")) if NOTICED_BY.exists() else {}


def keep(name: str, test: str) -> None:
    """Remember who noticed it, if that is one test and not a room."""
    facts = {**kept(), name: test} if "::" in test else kept()
    known = [entry[0] for entry in BREAKS]
    facts = {each: facts[each] for each in known if each in facts}
    NOTICED_BY.write_text(json.dumps(facts, indent=0) + "\n", encoding="utf-8")


def main(names: list[str]) -> int:
    """Break what is named, or everything; 1 if something survived.
    ``--known`` skips the run that shows that the tests pass.
    """
    known, names = "--known" in names, [name for name in names if name != "--known"]
    strange = sorted(set(names) - {entry[0] for entry in BREAKS})
    if strange:  # else a slip of the pen would break everything, or nothing
        raise SystemExit(f"there is no break {strange[0]!r}")
    chosen = [entry for entry in BREAKS if not names or entry[0] in names]
    by = kept()
    asked = {room for entry in chosen for room in ([by[entry[0]]] if entry[0] in by else shlex.split(entry[4]))}
    rooms = " ".join(shlex.quote(room) for room in sorted(asked) if room.startswith("tests/"))
    if not known and noticed("nothing", "README.md", "# sbf", "# sbf", rooms):
        raise SystemExit("the tests fail although nothing was broken; mend that first")
    survived = 0
    for entry in chosen:
        caught = noticed(*entry, by=by.get(entry[0], ""))
        survived += not caught
        if caught and caught != by.get(entry[0]):
            keep(entry[0], caught)
        print(f"{'noticed ' if caught else 'SURVIVED'}  {entry[0]}", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
