"""The commands that check a home, and bring it back."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.exceptions import Exit

from sbf_core.cli import options as opt


def verify(
    home: opt.Home = None,
    sample: Annotated[
        float | None,
        typer.Option(
            "--sample",
            metavar="PERCENT",
            help="Read only this share; the next call takes the next one.",
            show_default=False,
        ),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-seconds", metavar="N", help="Stop after N seconds; the next call goes on there.", show_default=False
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Compare files, journals, ledger and tables; exit code 3 if they disagree. Changes nothing.

    Examples: sbf verify | sbf verify --sample 5
    """
    from sbf_core.cli.trust import verify_report

    raise Exit(verify_report(home, sample=sample, max_seconds=max_seconds, as_json=as_json))


def repair(
    home: opt.Home = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Take whole payloads from this backup, home or Bronze folder; may be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Put right what `sbf verify` finds: adopt, move aside, put back, promote again. Deletes nothing.

    Examples: sbf repair | sbf repair --from /mnt/backup
    """
    from sbf_core.cli.trust import repair_report

    raise Exit(repair_report(home, sources=tuple(source or ()), as_json=as_json))


def rebuild(
    datasets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATASET]...", help="Only the tables of these datasets.", show_default=False),
    ] = None,
    home: opt.Home = None,
    gold: Annotated[bool, typer.Option("--gold", help="Only gold: build all of its tables again.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Make tables again although rows of theirs go.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be made again, and from how much.")
    ] = False,
    keep_backups: Annotated[
        int,
        typer.Option(
            "--keep-backups",
            metavar="N",
            min=0,
            max=opt.COUNT_MAX,
            help="Databases set aside by rebuilds that are kept, this one included.",
        ),
    ] = 1,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="Put the new database there, and touch nothing in the home.",
            show_default=False,
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make the database again from Bronze alone, the old one set aside; or only the tables of some datasets, in place.

    Examples: sbf rebuild | sbf rebuild fx/ecb/reference_rates | sbf rebuild --gold | sbf rebuild --dry-run
    """
    from sbf_core.cli.rebuild import rebuild_command

    raise Exit(
        rebuild_command(
            home, tuple(datasets or ()), gold=gold, accept=accept, dry_run=dry_run, keep_backups=keep_backups,
            into=into, as_json=as_json,
        )
    )  # fmt: skip


def backup(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="An empty folder, or that of an earlier backup.")],
    home: opt.Home = None,
    as_json: opt.AsJson = False,
) -> None:
    """Copy the home; only what is new, and while a run may be at work.

    Example: sbf backup /mnt/backup/warehouse
    """
    from sbf_core.cli.trust import backup_report

    backup_report(home, folder, as_json=as_json)


def restore(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder that `sbf backup` has written.")],
    home: opt.Home = None,
    as_json: opt.AsJson = False,
) -> None:
    """Make a new home from a backup, each payload checked.

    Example: sbf restore /mnt/backup/warehouse --home ~/warehouse
    """
    from sbf_core.cli.trust import restore_report

    raise Exit(restore_report(home, folder, as_json=as_json))
