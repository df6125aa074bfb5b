"""``sbf du``."""

from __future__ import annotations

from contextlib import ExitStack

import attrs

from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import command, print_json, print_table
from sbf_core.counted import counted
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.reports.disk_use import DiskUse, disk_use, layers
from sbf_core.reports.left_overs import LeftKind

_CLEANED = frozenset({LeftKind.BACKUP, LeftKind.SCRATCH, LeftKind.PUBLISHED})


def du(home_folder: opt.HomeFolder = None, as_json: opt.AsJson = False) -> None:
    """What takes space in the home, by layer and dataset, and what could go, with the command.

    Example: sbf du
    """
    home = Home.at(home_folder)
    if not home.folder.is_dir():
        raise UsageError("there is no home", where=str(home.folder), fix="make it by `sbf init`", code="HOME")
    with ExitStack() as stack:
        is_there = home.config.database.exists()
        use = disk_use(home.config, stack.enter_context(reading(home)) if is_there else None)
    if as_json:
        print_json(
            "du", on_disk=use.on_disk, uses=[attrs.asdict(one) for one in use.uses],
            left_over=[attrs.asdict(one) for one in use.left], small_slack=use.small_slack,
            again_payloads=use.again_payloads, again_bytes=use.again_bytes,
        )  # fmt: skip
        return
    print(f"{home.folder}: {_size(use.on_disk)} on disk")
    print()
    print_table(
        ("layer", "files", "bytes", "on disk"),
        [(layer, one.files, _size(one.byte_count), _size(one.on_disk)) for layer, one in layers(use).items()],
    )
    named = [one for one in use.uses if one.name]
    if named:
        print()
        rows = [(one.name, one.layer, one.files, _size(one.byte_count), _size(one.on_disk)) for one in named]
        print_table(("of it", "layer", "files", "bytes", "on disk"), rows)
    print()
    _print_redundant(use)


def _print_redundant(use: DiskUse) -> None:
    rows = []
    for kinds, what, how in (
        (_CLEANED, "left over", "sbf clean --yes"),
        (frozenset({LeftKind.QUARANTINE}), "moved out of Bronze", "sbf clean --yes --quarantine"),
    ):
        if use.left_bytes(kinds):
            rows.append((what, _size(use.left_bytes(kinds)), command(how)))
    if use.small_slack:
        rows.append(
            (
                "blocks of small payloads beyond their bytes",
                _size(use.small_slack),
                "bronze.small = packs, for those to come",
            )
        )
    if use.again_payloads:
        what = f"{counted(use.again_payloads, 'payload')} with bytes that another has, too"
        rows.append((what, _size(use.again_bytes or 0), "kept: each says what was answered at its moment"))
    if rows:
        print_table(("not needed, or there twice", "size", "go on with"), rows)
    else:
        print("Nothing of it is left over.")


def _size(byte_count: int) -> str:
    return f"{byte_count / 1024**2:,.1f} MiB"
