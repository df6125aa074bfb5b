"""What each command does when the machine, or the engine, fails in its midst: the table that
``tests/crash/test_fault_table.py`` holds the commands to, and that ``docs/reference/faults.md`` is printed from.
"""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Fault:
    """Something that fails.

    Attributes:
        name: as a user would say it.
        kinds: how a test makes it, see ``sbf_core.faults``.
        exit_code: what each command ends with.
        error: how the error is called in the line that is told.
        fix: what to do.
    """

    name: str
    kinds: tuple[str, ...]
    exit_code: int
    error: str
    fix: str


@attrs.frozen(kw_only=True)
class Command:
    """A command, where it is struck, and what stands afterwards.

    Attributes:
        name: as a user writes it.
        arguments: as a test does; ``{kept}`` is a folder for backups, ``{new}`` one that is not there.
        home: what the home is like before, see the test.
        points: where it is struck.
        leaves_home: whether the database is byte for byte what it was.
        keeps_rows: whether silver and gold hold what they held.
        goes_on: points at which want of memory costs only one dataset or table, so that the others are done.
        after: what stands after it, for the page.
    """

    name: str
    arguments: tuple[str, ...]
    home: str
    points: tuple[str, ...]
    after: str
    leaves_home: bool = False
    keeps_rows: bool = False
    goes_on: tuple[str, ...] = ()


_MACHINE = "mend that, and run again"
MEMORY = "too little memory"
FAULTS = (
    Fault(
        name=MEMORY, kinds=("MemoryError", "OutOfMemoryException"), exit_code=6,
        error="MEMORY", fix="raise `duckdb.memory_limit`, close other programs, and run again",
    ),
    Fault(name="a full disk", kinds=("full", "engine-full"), exit_code=6, error="ENVIRONMENT", fix=_MACHINE),
    Fault(name="a disk that fails", kinds=("io",), exit_code=6, error="ENVIRONMENT", fix=_MACHINE),
    Fault(name="too many open files", kinds=("descriptors",), exit_code=6, error="ENVIRONMENT", fix=_MACHINE),
    Fault(name="a permission that is missing", kinds=("denied",), exit_code=6, error="ENVIRONMENT", fix=_MACHINE),
    Fault(
        name="a fatal error of the engine", kinds=("FatalException",), exit_code=6, error="ENVIRONMENT", fix=_MACHINE,
    ),
    Fault(
        name="a query that somebody stopped", kinds=("InterruptException",), exit_code=130, error="", fix="run again",
    ),
    Fault(
        name="a block with a wrong checksum", kinds=("engine-damage",),
        exit_code=3, error="DAMAGE", fix="`sbf rebuild`",
    ),
    Fault(
        name="a bug of the engine", kinds=("InternalException", "SerializationException"),
        exit_code=70, error="BUG", fix="report it",
    ),
    Fault(name="a bug of sbf", kinds=("raise",), exit_code=70, error="BUG", fix="report it"),
)  # fmt: skip
COMMANDS = (
    Command(
        name="sbf run", arguments=("run",), home="new day",
        points=("fetch.answered", "manifest.begun", "promote.merged", "gold.begun", "publish.table"),
        goes_on=("fetch.answered", "promote.merged", "gold.begun"),
        after="Payloads that came are kept; what was promoted before stands; the run is closed as failed.",
    ),
    Command(
        name="sbf promote", arguments=("promote",), home="waiting", points=("promote.merged",),
        goes_on=("promote.merged",), after="As a run that asks no vendor.",
    ),
    Command(
        name="sbf verify", arguments=("verify",), home="done", points=("promote.merged", "home.open"), leaves_home=True,
        after="Nothing was changed, and nothing was found: not even the table at which it failed is called damaged.",
    ),
    Command(
        name="sbf repair", arguments=("repair",), home="hurt",
        points=("recover.start", "remake.begun", "promote.merged", "remake.swapping"), keeps_rows=True,
        after=(
            "The table is as it was before the repair; files that were put right stay so; the run is closed as failed."
        ),
    ),
    Command(
        name="sbf rebuild", arguments=("rebuild",), home="done",
        points=("promote.merged", "gold.begun", "rebuild.kept"), leaves_home=True,
        after="The database is the old one. A copy of it may be in `backups`.",
    ),
    Command(
        name="sbf rebuild DATASET", arguments=("rebuild", "world_eod"), home="done",
        points=("promote.merged", "remake.promoted", "remake.swapping"),
        keeps_rows=True, after="The table is as it was; the run is closed as failed.",
    ),
    Command(
        name="sbf rebuild --into", arguments=("rebuild", "--into", "{new}"), home="done",
        points=("promote.merged",), leaves_home=True, after="The home is as it was.",
    ),
    Command(
        name="sbf backup", arguments=("backup", "{kept}"), home="done", points=("backup.journals", "backup.database"),
        leaves_home=True, after="The home is as it was; what the folder held before is whole.",
    ),
    Command(
        name="sbf restore", arguments=("restore", "{kept}"),
        home="none", points=("whole.half", "home.check", "run.started"),
        after="The backup is as it was. A folder that is half filled is refused: restore into another.",
    ),
    Command(
        name="sbf clean --yes", arguments=("clean", "--yes"), home="left over", points=("clean.removed",),
        keeps_rows=True, after="What was removed is gone, the rest is still there.",
    ),
    Command(
        name="sbf status", arguments=("status",), home="done",
        points=("home.open",), leaves_home=True, after="Nothing was changed.",
    ),
    Command(
        name="sbf sql", arguments=("sql", "FROM silver.world_eod"), home="done",
        points=("home.open",), leaves_home=True, after="Nothing was changed.",
    ),
)  # fmt: skip


def cells() -> list[tuple[Command, str, Fault, str]]:
    """Each command at each of its points with each kind of each fault."""
    return [
        (command, point, fault, kind)
        for command in COMMANDS
        for point in command.points
        for fault in FAULTS
        for kind in fault.kinds
    ]


def is_usual(command: Command, point: str, fault: Fault, kind: str) -> bool:
    """Whether each run of the tests looks at a cell: want of memory at the first point of each command, and every other
    fault at the first point of each third command.
    """
    if point != command.points[0] or kind != fault.kinds[0]:
        return False
    return fault.name == MEMORY or (COMMANDS.index(command) + FAULTS.index(fault)) % 3 == 0


def page() -> str:
    """The table, for the reference."""
    text = (
        "# Faults\n\nWhat a command does when the machine, or the engine, fails in its midst. "
        "None of these is ever held against a payload, a request or a\n"
    )
    text += "plugin: nothing is recorded of what was under way, and the same command does it when it is run again.\n\n"
    text += "| what fails | exit code | error | what to do |\n| --- | --- | --- | --- |\n"
    for fault in FAULTS:
        text += (
            f"| {fault.name} | {fault.exit_code} | {f'`{fault.error}`' if fault.error else 'interrupted'} "
            f"| {fault.fix} |\n"
        )
    text += (
        "\nWhere memory is too little for one dataset or gold table, "
        "or a plugin's hook meets any of the first five, the others go on, and the\n"
    )
    text += "command ends with that code when they are done. The codes are the same for each of these commands:\n\n"
    text += "| command | what stands after it |\n| --- | --- |\n"
    for command in COMMANDS:
        text += f"| `{command.name}` | {command.after} |\n"
    text += (
        "\n`tests/crash/test_fault_table.py` makes each of these commands meet each of these faults, "
        f"at {sum(len(one.points) for one in COMMANDS)} points: {len(cells())} cases.\n"
    )
    return text
