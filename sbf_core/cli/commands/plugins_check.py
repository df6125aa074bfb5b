"""``sbf plugins check``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, print_table, reaching, say, tell
from sbf_core.settings.settings import Settings
from sbf_core.testing.kit import CHECKS, check_all
from sbf_core.testing.outcome import FAILED, Outcome
from sbf_core.testing.promote_code import keep_code
from sbf_core.testing.subject import Subject


def plugins_check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the plugin.")],
    home_folder: opt.HomeFolder = None,
    recording: Annotated[
        str,
        typer.Option(
            "--recording",
            metavar="FOLDER|NAME",
            help="A Bronze folder, a home or a recording; that of the plugin's package when absent.",
            show_default=False,
        ),
    ] = "",
    exempt: Annotated[
        list[str] | None,
        typer.Option(
            "--exempt",
            metavar="CHECK=REASON",
            help="A check that it need not pass; may be repeated.",
            show_default=False,
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="First keep the hash of the hook promote, beside the recording.")
    ] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Lines may still be marked as unsure.")] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Run the conformance kit on a plugin: 31 checks of its declaration, its hooks and its recording. Touches no home.

    Examples: sbf plugins check ecb | sbf plugins check ecb --update
    """
    reasons = {part.partition("=")[0]: part.partition("=")[2] for part in exempt or ()}
    with tempfile.TemporaryDirectory(prefix="sbf-check-", ignore_cleanup_errors=True) as folder:
        subject = Subject(
            name,
            Path(folder),
            recording=recording,
            options=Settings(home_folder).options.get(name),
            is_draft=draft,
        )
        kept = keep_code(subject) if update else None
        if kept is not None:
            tell(f"sbf: note: the hash of promote is kept in {kept}")
        outcomes = []
        for outcome in check_all(subject, reasons):
            outcomes.append(outcome)
            if not as_json and sys.stderr.isatty():
                tell(f"{len(outcomes)}/{len(CHECKS)} {outcome.check.name}: {outcome.state}")
    failed = [outcome for outcome in outcomes if outcome.state == FAILED]
    if as_json:
        listed = [
            {
                "check": outcome.check.name, "promise": outcome.check.promise,
                "state": outcome.state, "notes": outcome.notes,
                "problems": [{"dataset": problem.dataset, "text": problem.text} for problem in outcome.problems],
            }
            for outcome in outcomes
        ]  # fmt: skip
        print_json("conformance", plugin=name, passed=not failed, checks=listed)
        raise Exit(1 if failed else 0)
    print_table(
        ("check", "result", "what holds"),
        [(outcome.check.name, outcome.state, _told(outcome.check.promise, outcome.notes)) for outcome in outcomes],
    )
    print()
    for line, names in _by_line(failed).items():
        which = names[0] if len(names) == 1 else f"{len(names)} checks ({', '.join(names)})"
        say(f"{which}: {line}")
    left = len(CHECKS) - len(outcomes)
    print(
        f"{subject.record.label}: {len(outcomes) - len(failed)} of {len(CHECKS)} checks passed"
        + (f", {left} not made" if left else "")
    )
    raise Exit(1 if failed else 0)


def _by_line(failed: Sequence[Outcome]) -> dict[str, list[str]]:
    """What was found, and the checks that found it: what many of them lack, such as a recording, is told once."""
    names: dict[str, list[str]] = {}
    for outcome in failed:
        for line in dict.fromkeys(outcome.text.splitlines()):
            names.setdefault(line, []).append(outcome.check.name)
    return names


def _told(promise: str, notes: tuple[str, ...]) -> str:
    return f"{promise} ({reaching('; '.join(notes))})" if notes else promise
