"""Writes docs/explanation/guarantees.md: ``python tests/docs/make_guarantees.py FIGURES [BREAKS]``.

FIGURES is the folder that ``SBF_FIGURES`` named when the tests ran; BREAKS is the output of
``tests/break_promises.py``, and where it is not given what it said last stays, with its day. What they say is kept in
guarantees.json beside the page, and the page is made from that: a test compares the two.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import figures

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "guarantees.md"
KEPT = PAGE.with_suffix(".json")
#: number, promise, what it rests on, tests
PROMISES = (
    (
        1, "What the vendor sent is kept byte for byte. sbf never edits or deletes it.",
        "Payloads are read-only files, written once; repair moves, it does not delete.",
        ("tests/bronze/test_bronze.py", "tests/crash/test_damage.py", "tests/runner/test_several_answers.py"),
    ),
    (
        2, "Kill it anywhere: the next run ends in the state as if nothing had happened.",
        "Each step leaves nothing, or a named state that the next command finishes; recovery can be killed too.",
        (
            "tests/crash/test_kills.py", "tests/crash/test_migrations.py", "tests/crash/test_power.py",
            "tests/crash/test_replacing.py", "tests/crash/test_rebuilding.py",
            "tests/crash/test_remaking.py", "tests/crash/test_backups.py",
        ),
    ),
    (
        3, "No row twice, none lost. A repeated run is a no-op by content hash.",
        "A model of sixty lines, against which every history is compared.",
        (
            "tests/properties/test_machine.py", "tests/properties/test_declarations_machine.py",
            "tests/properties/test_history.py", "tests/silver/test_promotion.py", "tests/care/test_records.py",
        ),
    ),
    (
        4, "Silver rows, promotion record and watermark commit together.",
        "One database, one transaction, and a guard before COMMIT.",
        ("tests/silver/test_promotion.py", "tests/duck/test_duck.py", "tests/crash/test_kills.py"),
    ),
    (
        5,
        (
            "Lose the database: `sbf rebuild` makes it again from Bronze alone, to equal digests. "
            "It never replaces more by less."
        ),
        "Journal and payloads hold all that a promotion needs, the times too; the new one is made beside the old one.",
        (
            "tests/crash/test_damage.py", "tests/crash/test_rebuilding.py",
            "tests/silver/test_remake.py", "tests/plugins/test_sample.py",
        ),
    ),
    (
        6,
        (
            "`sbf verify` finds every changed, missing, cut or added file, and every disagreement with the ledger, "
            "and accounts for each file of the home."
        ),
        "Files, journals, manifest, ledger; silver against a second promotion, gold against its SELECT.",
        (
            "tests/crash/test_damage.py", "tests/care/test_published.py",
            "tests/care/test_records.py", "tests/care/test_many_payloads.py",
        ),
    ),
    (
        7, "A 200 is not a success: what is no data never becomes rows or moves a watermark.",
        "Each fault of a vendor on a real socket; after it a clean run ends as if nothing had happened.",
        ("tests/http/test_faults.py", "tests/http/test_pages.py", "tests/silver/test_promotion.py"),
    ),
    (
        8, "Nothing is dropped silently: each row is inserted, updated, unchanged, or rejected with a reason.",
        "Counts are part of the promotion's transaction and must add up.",
        ("tests/silver/test_promotion.py", "tests/silver/test_vanished.py", "tests/properties/test_machine.py"),
    ),
    (
        9, "Ask what was known at any moment: `silver.<table>_as_of(ts)`.",
        "Compared with the model at each recorded moment and an instant either side.",
        ("tests/properties/test_machine.py", "tests/properties/test_history.py"),
    ),
    (
        10, "A broken plugin costs only its own datasets, and cannot write the ledger through anything it is given.",
        "Hooks give SELECTs and rows; those of other people run in processes of their own, with limits.",
        (
            "tests/plugin/test_isolation.py", "tests/plugin/test_plugins.py", "tests/plugin/test_guard.py",
            "tests/plugin/test_bounds.py", "tests/plugin/test_children.py", "tests/gold/test_gold_changes.py",
        ),
    ),
    (
        11,
        (
            "Keys never appear in files, logs, errors, tables or pages. "
            "Where a vendor sends one back, the exact bytes in Bronze hold it, and the run says so."
        ),
        (
            "A key is put through the ways to fail and sent back in every shape, "
            "and looked for in files, tables, outputs and pages."
        ),
        (
            "tests/crash/test_secrets.py", "tests/crash/test_keys_sent_back.py",
            "tests/test_secret.py", "tests/settings/test_keys.py",
        ),
    ),
    (
        12,
        (
            "Disk full, no permission, little memory, two runs at once: one clear line, a distinct exit code, "
            "nothing lost, and nothing held against a payload or a plugin."
        ),
        (
            "Faults at each write, limits of the system, small real disks, folders that may not be read; "
            "[a table](../reference/faults.md) of faults and commands."
        ),
        (
            "tests/crash/test_disk.py", "tests/crash/test_fault_table.py", "tests/care/test_no_permission.py",
            "tests/cli/test_streams.py", "tests/plugin/test_want_of_memory.py", "tests/cli/test_bad_inputs.py",
        ),
    ),
    (
        13,
        (
            "A reader never blocks a run, and a run never blocks a reader; "
            "threads, processes and commands in any mix take turns."
        ),
        "Readers take a copy that each run leaves; the home has a lock of its own.",
        (
            "tests/crash/test_locks.py", "tests/crash/test_storm.py",
            "tests/test_file_lock.py", "tests/web/test_at_once.py",
        ),
    ),
    (
        14,
        "Nothing is guessed: what a payload means is declared; what does not fit exactly is rejected with a reason.",
        "Each value is compared with an oracle that reads texts with exact numbers; each format is read in two ways.",
        (
            "tests/properties/test_casts.py", "tests/properties/test_reading_oracle.py",
            "tests/silver/test_cast_numbers.py", "tests/silver/test_cast_times.py", "tests/silver/test_reading.py",
        ),
    ),
    (
        15, "Change a declaration: its table is made again from Bronze, with its history, as if it had always been so.",
        "A model of declarations, against which histories of changes are compared.",
        (
            "tests/silver/test_remake.py", "tests/properties/test_declarations_machine.py",
            "tests/crash/test_remaking.py",
        ),
    ),
    (
        16, "What comes from outside stays inside: paths of journals, backups and recordings, and files of yours.",
        "Each path is looked at before it is joined to a folder; no link is followed.",
        ("tests/care/test_border.py", "tests/care/test_other_things.py"),
    ),
)  # fmt: skip
HEAD = "<!-- Made by tests/docs/make_guarantees.py from the figures of a run of the tests. Do not edit. -->\n\n"


def page(facts: dict[str, Any]) -> str:
    """The page for the figures of a run."""
    counts: dict[str, int] = facts["counts"]

    def passed(names: tuple[str, ...]) -> int:
        return sum(counts.get(f"passed {name}", 0) for name in names)

    stopped = {kind: counts.get(f"stopped at a point by {kind}", 0) for kind in ("kill", "term", "int")}
    lines = [
        "# What sbf promises, and what proves it",
        "",
        (
            f"Figures of {facts['day']}, commit `{facts['commit']}`, {facts['machine']}. "
            "They are those of the last whole run, written by a program."
        ),
        "",
        "| | promise | how | tests that passed |",
        "| --- | --- | --- | --- |",
    ]
    for number, promise, how, names in PROMISES:
        lines.append(f"| {number} | {promise} | {how} | {passed(names)}: {', '.join(f'`{name}`' for name in names)} |")
    lines += [
        "",
        "## The numbers of that run",
        "",
        (
            f"- **{sum(stopped.values())} runs stopped at a fault point**, first, middle and last occurrence: "
            f"{stopped['kill']} by SIGKILL, {stopped['term']} by SIGTERM, {stopped['int']} by SIGINT; "
            f"{counts.get('killed while recovering', 0)} killed again twice while they recovered. "
            "After each one clean run: equal digests of silver and gold, and nothing that `sbf verify` finds."
        ),
        (
            f"- **{sum(counts.get(f'rebuilds stopped by {kind}', 0) for kind in ('kill', 'term', 'int'))} rebuilds and "
            f"repairs stopped**, {counts.get('killed while a table was made again', 0)} runs that made a table again, "
            f"{counts.get('backups that failed', 0)} backups that failed and "
            f"{counts.get('restores that were stopped', 0)} restores that were stopped, with the same end."
        ),
        (
            f"- **{counts.get('killed at a random moment', 0)} runs killed at a random moment** "
            f"(seeds {facts['seeds']}), with the same end. A kill may cut a block of DuckDB's metadata in "
            f"the middle (seen once in some 2,000): {counts.get('passed tests/crash/test_replacing.py', 0)} "
            "tests cut every such block, and the next run replaces the database by itself."
        ),
        (
            f"- **{counts.get('damages found', 0)} random damages** in 1,000 files and their ledger: all found, "
            "and nothing else; with a backup at hand all put right."
        ),
        (
            f"- **{counts.get('writes that failed', 0)} writes that failed** (full, broken, forbidden), "
            "besides limits of the system and real small disks: exit 6 each time, nothing lost."
        ),
        (
            "- **A power cut**: the system calls of a run are played on a disk that forgets every byte and name that "
            "was not forced to it; nothing that journal or ledger rely on is lost (`tests/crash/test_power.py`)."
        ),
        (
            "- "
            f"**{counts.get('passed tests/http/test_faults.py', 0) + counts.get('passed tests/http/test_pages.py', 0)} "
            "tests of what a vendor does wrong** on real sockets; "
            "after each fault a clean run gives the digests of a run without it."
        ),
        (
            f"- **{counts.get('histories compared with the model', 0)} random histories** of publishing, "
            "revising, dropping, re-adding, doubling, late payloads, crashes, rebuilds and upgrades, "
            f"and {counts.get('histories of declarations compared with the model', 0)} of changing declarations: "
            "silver is the model."
        ),
        (
            f"- **{facts['noticed']} of {facts['broken']} promises broken on purpose were noticed** when "
            f"all of them were broken in one go, on {facts['broken_on']} (`tests/break_promises.py`), "
            f"{facts['model_noticed']} of {facts['model_broken']} bugs in the row model by the model alone. "
            f"The list has {facts['listed']} now; each was broken, and noticed, when it was put there."
        ),
        "",
        "## How to run it",
        "",
        (
            "The default suite has the first occurrence of each point. `pytest -m slow tests/crash` adds "
            "its middle and last one, every signal at every point, and 500 random kills"
        ),
        (
            "(`SBF_KILL_SEED` repeats one run); `SBF_MACHINE_EXAMPLES=200 pytest tests/properties` makes "
            "the machine run longer. Fault points are named in `sbf_core/faults.py` and do"
        ),
        "nothing unless `SBF_TESTING=1`.",
        "",
        "## What is not promised",
        "",
        (
            "- **Somebody with your rights.** Who can write your files can write new ones with right checksums. "
            "`sbf verify` finds damage, not forgery."
        ),
        (
            "- **A malicious plugin.** A plugin that is imported runs with your rights. "
            "Processes of their own keep hanging, hungry and clumsy plugins apart; they are no sandbox."
        ),
        "- **Disks that lie.** What the system says is on the disk is taken to be there.",
        "- **Networks.** SQLite-like rules hold: keep the home on a local disk.",
        (
            "- **Windows and macOS** are kept in mind everywhere (`os.replace`, safe names, no fork), "
            "but these figures are from Linux."
        ),
    ]
    return HEAD + "\n".join(lines) + "\n"


def broken(breaks: str) -> dict[str, Any]:
    """How many promises were broken on purpose in one go, and how many of them were noticed."""
    outcomes = [
        line
        for line in Path(breaks).read_text(encoding="utf-8").splitlines()
        if line.startswith(("noticed", "SURVIVED"))
    ]
    model = [line for line in outcomes if "model: " in line]
    return {
        "broken_on": today(),
        "noticed": sum(line.startswith("noticed") for line in outcomes),
        "broken": len(outcomes),
        "model_noticed": sum(line.startswith("noticed") for line in model),
        "model_broken": len(model),
    }


def today() -> str:
    """The day, as people write it."""
    return dt.datetime.now(dt.UTC).strftime("%d %B %Y").lstrip("0")


def breaks_listed() -> list[Any]:
    """All promises that are broken on purpose."""
    import break_promises

    return break_promises.BREAKS


def main(folder: str, breaks: str = "") -> None:
    """Keep the figures and write the page."""
    before = json.loads(KEPT.read_text(encoding="utf-8"))
    names = ("broken_on", "noticed", "broken", "model_noticed", "model_broken")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    facts = {
        "day": today(),
        "commit": commit,
        "machine": f"Python {platform.python_version()}, DuckDB {version('duckdb')}, {platform.system()}",
        "seeds": "20261123 to 20261132, and fresh ones",
        "counts": dict(sorted(figures.read(Path(folder)).items())),
        "listed": len(breaks_listed()),
        **(broken(breaks) if breaks else {name: before[name] for name in names}),
    }
    KEPT.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(facts), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
