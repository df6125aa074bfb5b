"""``sbf clean``: what is left over in a home, and how to be rid of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import attrs
import typer
from duckdb import DuckDBPyConnection

from sbf_core.care.clean import home_alone, remove_left_over_files, remove_left_over_tables
from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table, say, tell
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.reports.left_overs import LeftKind, LeftOver, left_files, left_tables


def clean(
    home_folder: opt.HomeFolder = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove it; else it is only shown.")] = False,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Also what was moved out of Bronze.")] = False,
    tables: Annotated[bool, typer.Option("--tables", help="Also tables that no loaded plugin fills.")] = False,
    as_json: opt.AsJson = False,
) -> None:
    """Show what is left over in the home, with sizes; --yes removes it, but never payloads, journals or the database.

    Databases set aside by rebuilds and migrations, scratch files, superseded copies for readers; only when named: files
    in quarantine, tables that no loaded plugin fills.

    Examples: sbf clean | sbf clean --yes | sbf clean --yes --tables
    """
    home = Home.at(home_folder)
    chosen = set(LeftKind) - (set() if quarantine else {LeftKind.QUARANTINE})
    chosen -= set() if tables else {LeftKind.SILVER, LeftKind.GOLD}
    leftovers = _removed(home, chosen, tables=tables) if yes else _shown(home)
    gone = [one for one in leftovers if one.kind in chosen]
    byte_count = sum(one.byte_count for one in gone)
    if as_json:
        listed = [{**attrs.asdict(one), "is_chosen": one.kind in chosen} for one in leftovers]
        print_json("clean", removed=yes, byte_count=byte_count, left_over=listed)
        return
    if not leftovers:
        print("Nothing is left over.")
        return
    rows = [
        (one.name, one.kind, one.files or None, one.rows, _size(one.byte_count), one.why)
        for one in leftovers
        if not yes or one in gone
    ]
    if rows:
        print_table(("what", "kind", "files", "rows", "size", "why"), rows)
        print()
    _end(leftovers, gone, byte_count, yes=yes)


def _end(leftovers: Sequence[LeftOver], gone: Sequence[LeftOver], byte_count: int, *, yes: bool) -> None:
    things = counted(len(gone), "thing")
    say(
        f"Removed {things}, {_size(byte_count)}."
        if yes
        else f"`sbf clean --yes` removes {things}, {_size(byte_count)}."
    )
    left = {one.kind for one in leftovers} - {one.kind for one in gone}
    options = [
        (LeftKind.QUARANTINE in left, "--quarantine"),
        (bool({LeftKind.SILVER, LeftKind.GOLD} & left), "--tables"),
    ]
    for is_left, option in options:
        if is_left:
            print(f"What only {option} removes {'was left' if yes else 'stays'}.")


def _shown(home: Home) -> list[LeftOver]:
    files = left_files(home.config, alone=False)
    with reading(home) as cursor:
        return files + _tables(home, cursor, must_be_sure=False)


def _tables(home: Home, cursor: DuckDBPyConnection, *, must_be_sure: bool) -> list[LeftOver]:
    known = home.gold_models(cursor)
    faulty = "; ".join(known.faulty)
    try:
        unread = [owned.entry for owned, _ in home.registry.unread.values()]
        entries: list[DatasetKeymapEntry] | None = [*home.entries, *unread]
    except UsageError as error:
        entries, faulty = None, str(error)
    else:
        if must_be_sure:
            home.registry.check_whole()
    if faulty and must_be_sure:
        what = f"which tables are left over is not known: {faulty}"
        raise UsageError(what, fix="mend that plugin, or block or uninstall it; nothing was removed", code="PLUGIN")
    if entries is None:
        tell(f"sbf: note: which tables are left over is not known: {faulty}")
        return []
    return left_tables(cursor, entries, known)


def _removed(home: Home, chosen: set[LeftKind], *, tables: bool) -> list[LeftOver]:
    """What was there; what is chosen of it is gone."""
    before = {one.name for one in left_files(home.config, alone=True)}  # not the copy that a migration makes now
    with home_alone(home) as ops:
        of_files = [one for one in left_files(home.config, alone=True) if one.name in before]
        of_tables = _tables(home, ops.cursor(), must_be_sure=tables)
        if tables:
            silver, gold = (
                [one.name.partition(".")[2] for one in of_tables if one.kind is kind]
                for kind in (LeftKind.SILVER, LeftKind.GOLD)
            )
            remove_left_over_tables(ops, silver=silver, gold=gold)
        remove_left_over_files(home.folder / one.name for one in of_files if one.kind in chosen)
    return of_files + of_tables


def _size(byte_count: int) -> str:
    return f"{byte_count / 1e6:,.1f} MB" if byte_count >= 100_000 else f"{byte_count / 1e3:.1f} kB"
