"""A declaration changes again and again, and the table is always one that a declaration made of all payloads.

Steps are the changes that a user makes, in any order, with payloads, late ones, commands and faults between. The table
must be the one that the last accepted declaration makes of the payloads promoted so far (``declared_model``), row by
row with its history and its ledger: that of the present declaration, unless it is right to wait.
``SBF_MACHINE_EXAMPLES`` and ``SBF_MACHINE_STEPS`` say how many histories, and of how many steps.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import attrs
import duckdb
import figures
import pytest
from declared_home import Changing, Home, Hooked
from declared_model import KINDS, Declared, Row, Table, must_wait, read
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sbf_core import faults
from sbf_core.errors import EnvironmentFault
from sbf_core.runner.options import RunOptions
from sbf_core.vocabulary import Layer

texts = st.sampled_from
row = st.fixed_dictionaries({
    "id": texts("AB"), "day": texts(["2024-01-01"] * 3 + ["2024-01-02"] * 3 + ["2024-02-30", None]),
    "amt": texts(["1", "2", "1", "2", "2.5", "x", "N/A", "1,500", None]),
    "alt": texts(["3", "4", "x", None]), "note": texts(["n", "m", None]), "grade": texts(["g", "h", "g", "h", None]),
})  # fmt: skip
payloads = st.lists(row, max_size=4)
#: Where a run is stopped: each point that lies on the way of a table that is made again, and those of a run around it.
POINTS = [
    point
    for point in faults.FAULT_POINTS
    if point.split(".")[0] in ("remake", "promote", "bronze", "journal", "manifest", "gold", "run", "recover")
]
COMMANDS = (
    ("status",), ("plan",), ("doctor",), ("datasets",), ("datasets", "TABLE"), ("coverage", "TABLE"),
    ("revisions", "TABLE", "KEY"), ("explain", "silver.TABLE", "KEY", "AMOUNT"), ("runs",), ("digest",),
    ("status", "--json"), ("datasets", "TABLE", "--json"), ("rebuild", "--dry-run"), ("plan", "--json"),
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Made:
    """Which table is there: what made it, of which payloads, and whether each payload's part is known."""

    declared: Declared | None = None
    hours: frozenset[int] = frozenset()
    exact: bool = True


class Declarations(RuleBasedStateMachine):
    """The machine."""

    vendor_class: type[Changing] = Changing
    steps = 0

    @initialize(share=texts([1.0, 0.4]), semantics=texts(["upsert", "snapshot", "append"]))
    def start(self, share: float, semantics: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sbf-declarations-"))
        self.declared = Declared(share=share, semantics=semantics)
        self.vendor = self.vendor_class(self.declared)
        self.home = Home(self.folder, self.vendor)
        self.payloads: dict[int, tuple[str, list[Row]]] = {}
        self.made = Made()
        self.held: tuple[Declared, str] | None = None  # the declaration that was tried last
        self.last = 0
        self.gold_is_new = False
        self.is_there = self.is_touched = False

    def teardown(self) -> None:
        figures.add("histories of declarations compared with the model")
        figures.add("steps of these histories", self.steps)
        faults.arm("")
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # the model of what the commands do

    def table(self, made: Made) -> Table | None:
        if made.declared is None:
            return None
        return read(made.declared, {hour: self.payloads[hour][1] for hour in made.hours})

    @property
    def is_stale(self) -> bool:
        made = self.made.declared
        return made is not None and (made.facts != self.declared.facts or made.table != self.declared.table)

    def own(self, hours: frozenset[int]) -> frozenset[int]:
        return frozenset(hour for hour in hours if self.payloads[hour][0] in self.declared.ids)

    def makes_again(self, *, accept: bool) -> bool:
        """Whether the table is made again; else it waits."""
        new = Made(declared=self.declared, hours=self.own(self.made.hours))
        before, after = self.table(self.made), self.table(new)
        assert after is not None
        if before is not None and not accept and must_wait(before, after):
            self.held = (self.declared.facts, self.declared.table)
            return False
        self.made, self.held = new, None
        return True

    def promotes(self) -> None:
        pending = self.own(frozenset(self.payloads)) - self.made.hours
        if not pending:
            return
        table = self.table(self.made)
        newest = (
            max((hour for hour, came in table.came.items() if came.status == "ok"), default=0)
            if table is not None
            else 0
        )
        is_late = min(pending) < newest
        exact = self.made.exact if not is_late else self.declared.semantics != "upsert"
        made = self.made.declared or self.declared
        if is_late and exact:
            made = self.declared
        self.made = Made(declared=made, hours=self.made.hours | pending, exact=exact)

    def runs(self, *, remake: bool = True) -> list[Made]:
        """A run that promotes; gives the tables that may be there while it works."""
        before = self.made
        if self.is_stale and not (remake and self.makes_again(accept=False)):
            return [before]
        between = self.made
        self.promotes()
        one_by_one = sorted(self.made.hours - between.hours)  # snapshots have a transaction each
        parts = [
            attrs.evolve(self.made, hours=between.hours | set(one_by_one[:number])) for number in range(len(one_by_one))
        ]
        return [before, between, *parts, self.made]

    # steps

    @rule(rows=payloads, only=texts([None, None, None, Layer.BRONZE]), remake=texts([True, True, False]))
    def publishes(self, rows: list[Row], only: Layer | None, remake: bool) -> None:
        self.last += 2
        self.publish(self.last, rows, RunOptions(only=only, remake=remake))

    @rule(rows=payloads, back=st.integers(0, 6))
    @precondition(lambda self: self.last > 2)
    def publishes_late(self, rows: list[Row], back: int) -> None:
        hour = max(1, self.last - 1 - 2 * back)
        if hour not in self.payloads:
            self.publish(hour, rows, RunOptions())

    def publish(self, hour: int, rows: list[Row], options: RunOptions) -> None:
        self.home.says(hour, rows)
        self.payloads[hour] = (self.declared.dataset, rows)
        if options.only is None:
            self.runs(remake=options.remake)
        self.settled(self.home.run(options), is_run=options.only is None, remake=options.remake)

    def settled(self, context: Any, *, is_run: bool = True, remake: bool = True) -> None:
        """What a run says: nothing but what is right."""
        waits = is_run and remake and self.is_stale
        held = [error for error in context.errors if " is held" in error]
        assert bool(held) == waits, context.errors
        assert [
            error
            for error in context.errors
            if error not in held and "rows rejected" not in error and "no readable key" not in error
        ] == []
        self.is_there = self.is_touched = True
        self.gold_is_new = is_run

    @rule(remake=texts([True, True, False]), only=texts([None, Layer.SILVER]))
    @precondition(lambda self: self.is_there)
    def just_runs(self, remake: bool, only: Layer | None) -> None:
        self.runs(remake=remake)
        context = self.home.run(RunOptions(remake=remake, only=only, fetch=False))
        self.settled(context, remake=remake)
        self.gold_is_new = only is None

    @rule(rows=payloads, point=texts(POINTS), number=st.integers(1, 2), kind=texts(["raise", "full", "io"]))
    def stops_at(self, rows: list[Row], point: str, number: int, kind: str) -> None:
        self.last += 2
        self.stop(self.last, rows, point, number, kind)

    @rule(
        point=texts([point for point in POINTS if point.split(".")[0] in ("remake", "promote")]),
        kind=texts(["raise", "full"]),
        rows=payloads,
    )
    @precondition(lambda self: self.is_stale)
    def stops_while_making_again(self, point: str, kind: str, rows: list[Row]) -> None:
        self.last += 2
        self.stop(self.last, rows, point, 1, kind)

    def stop(self, hour: int, rows: list[Row], point: str, number: int, kind: str) -> None:
        """A run stops; the table is one that a whole run shows, too. The next run ends as if nothing had been."""
        self.home.says(hour, rows)
        faults.arm(f"{point}:{number}:{kind}")
        try:
            self.home.run(RunOptions())
        except (RuntimeError, EnvironmentFault) as error:
            assert point in str(error) or isinstance(error, EnvironmentFault)
        finally:
            faults.arm("")
        self.payloads[hour] = (self.declared.dataset, rows)
        was = self.made
        states = self.runs()
        with self.home.warehouse.open() as cursor:
            problems: list[Exception] = []
            for state in (was, Made(declared=was.declared or self.declared, hours=was.hours, exact=was.exact), *states):
                try:
                    self.home.is_table(cursor, self.table(state), exact=state.exact)
                    break
                except (AssertionError, duckdb.Error) as problem:
                    problems.append(problem)
            else:
                raise problems[-1]
        self.settled(self.home.run(RunOptions()))

    @rule(accept=st.booleans())
    @precondition(lambda self: self.is_there)
    def rebuilds_the_table(self, accept: bool) -> None:
        done = any(name in self.declared.ids for name, _ in self.payloads.values())
        if done:
            done = self.makes_again(accept=accept)
            waits = not done
        else:
            waits = False
        context = self.home.rebuild_table(accept=accept)
        assert context.remade_tables == done
        assert any(" is held" in error for error in context.errors) == waits, context.errors
        self.is_touched = self.gold_is_new = True

    @rule(accept=st.booleans())
    @precondition(lambda self: bool(self.payloads) and self.is_there)
    def rebuilds_all(self, accept: bool) -> None:
        new, waits = Made(declared=self.declared, hours=frozenset(self.payloads)), False
        if self.own(frozenset(self.payloads)) == self.payloads.keys():
            before, after = self.table(self.made), self.table(new)
            assert after is not None
            waits = self.is_stale and before is not None and must_wait(before, after)
            if not waits or accept:
                self.made, self.held = new, None
        elif self.own(frozenset(self.payloads)):
            self.makes_again(accept=True)
        rebuilt = self.home.rebuild(accept=accept)
        assert bool(rebuilt.lost) == (waits and not accept), rebuilt.lost
        self.settled(rebuilt.context, is_run=False)
        self.gold_is_new = not rebuilt.lost

    @rule()
    @precondition(lambda self: self.is_there)
    def verifies(self) -> None:
        report = self.home.verify()
        self.is_touched = True
        assert report.findings == []
        assert any("its declaration has changed" in note for note in report.notes) == self.is_stale

    @rule()
    @precondition(lambda self: self.is_there)
    def repairs(self) -> None:
        repaired = self.home.repair()
        self.is_touched = True
        assert (repaired.before, repaired.after) == ((), ())

    @rule(command=texts(COMMANDS))
    @precondition(lambda self: self.is_there)
    def asks(self, command: tuple[str, ...]) -> None:
        made = self.made.declared or self.declared
        words = {
            "TABLE": self.declared.table,
            "silver.TABLE": f"silver.{self.declared.table}",
            "AMOUNT": made.amount,
            "KEY": ",".join(["A", "2024-01-01", "g"][: len(made.key)]),
        }
        assert self.home.asks(*(words.get(word, word) for word in command)) in (0, 1, 2)

    # changes of the declaration

    def declare(self, **changes: Any) -> None:
        self.declared = attrs.evolve(self.declared, **changes)
        self.vendor.declare(self.declared)

    @rule(key=texts([("id",), ("id", "day"), ("id", "grade"), ("id", "day", "grade")]))
    def narrows_or_widens_the_key(self, key: tuple[str, ...]) -> None:
        self.declare(key=key, grade=self.declared.grade or "grade" in key)

    @rule(kind=texts(KINDS))
    def changes_a_type(self, kind: str) -> None:
        self.declare(kind=kind)

    @rule()
    def renames_a_column(self) -> None:
        old = self.declared.amount
        self.declare(
            amount="price" if old == "amt" else "amt", former_amounts=(old,) if not self.declared.source else ()
        )

    @rule(source=texts(["", "alt", "amt"]))
    def changes_a_source(self, source: str) -> None:
        self.declare(source=source, former_amounts=() if source or self.declared.amount == "amt" else ("amt",))

    @rule()
    def adds_or_removes_a_nullable_column(self) -> None:
        self.declare(note=not self.declared.note)

    @rule()
    def adds_or_removes_a_required_column(self) -> None:
        grade = not self.declared.grade
        key = self.declared.key if grade else tuple(name for name in self.declared.key if name != "grade")
        self.declare(grade=grade, key=key)

    @rule()
    def turns_nullable(self) -> None:
        self.declare(nullable=not self.declared.nullable)

    @rule(semantics=texts(["upsert", "append", "snapshot"]))
    def changes_semantics(self, semantics: str) -> None:
        self.declare(semantics=semantics)

    @rule(name=texts(["eod", "eod2", "eod3"]))
    def renames_the_dataset(self, name: str) -> None:
        if name != self.declared.dataset:
            self.declare(
                dataset=name, former=tuple(one for one in (*self.declared.former, self.declared.dataset) if one != name)
            )

    @rule(name=texts(["eod", "eod2", "eod3"]))
    def renames_the_dataset_and_forgets_the_old_name(self, name: str) -> None:
        self.declare(dataset=name, former=())

    @rule(name=texts(["px", "py", "pz"]), keep_view=st.booleans())
    def renames_the_table(self, name: str, keep_view: bool) -> None:
        if name != self.declared.table:
            former = tuple(one for one in (*self.declared.former_tables, self.declared.table) if one != name)
            self.declare(table=name, former_tables=former, keep_view=keep_view)

    @rule(
        missing=texts([(), ("N/A",), ("N/A", "x")]),
        thousands=texts(["", ","]),
        on_duplicate=texts(["reject", "first", "last"]),
    )
    def changes_the_dialect(self, missing: tuple[str, ...], thousands: str, on_duplicate: str) -> None:
        self.declare(missing=missing, thousands=thousands, on_duplicate=on_duplicate)

    @rule(share=texts([1.0, 0.4, 0.05]))
    def changes_a_rule(self, share: float) -> None:
        self.declare(share=share)

    @rule()
    def raises_promote_version(self) -> None:
        if self.vendor_class is Hooked:
            self.declare(version=self.declared.version + 1)

    @rule()
    @precondition(lambda self: self.made.declared is not None)
    def puts_the_declaration_back(self) -> None:
        assert self.made.declared is not None
        self.declare(**attrs.asdict(self.made.declared))

    # what always holds

    @invariant()
    def table_is_the_model(self) -> None:
        self.steps += 1
        if not getattr(self, "is_touched", False):
            return  # a declaration alone changes no table
        self.is_touched = False
        with self.home.warehouse.open() as cursor:
            self.home.is_table(cursor, self.table(self.made), exact=self.made.exact)
            if self.gold_is_new:
                self.home.gold_is_right(cursor)
            assert self.home.stale(cursor) == (
                self.is_stale,
                self.is_stale and (self.declared.facts, self.declared.table) == self.held,
            )
        self.home.is_clean()


class DeclarationsWithHook(Declarations):
    """The same with a plugin that reads the payloads itself."""

    vendor_class = Hooked


MANY = int(os.environ.get("SBF_MACHINE_EXAMPLES", "4"))
STEPS = int(os.environ.get("SBF_MACHINE_STEPS", "15"))
#: To see that something fails, it need not be made small.
PHASES = (Phase.explicit, Phase.generate) if os.environ.get("SBF_MACHINE_QUICK") else tuple(Phase)
for machine in (Declarations, DeclarationsWithHook):
    machine.TestCase.settings = settings(
        phases=PHASES,
        max_examples=MANY,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase.pytestmark = [pytest.mark.timeout(36_000 if MANY > 8 else 1800)]
TestDeclarations, TestDeclarationsWithHook = Declarations.TestCase, DeclarationsWithHook.TestCase
