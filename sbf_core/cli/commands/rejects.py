"""``sbf rejects``: the rows that were not taken, and why."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table
from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.duck.home_folder import check_outside
from sbf_core.duck.scratch import scratch_folder
from sbf_core.home.home import Home
from sbf_core.reports.datasets import dataset_named
from sbf_core.reports.rejects import check_export, export_rejects, reject_counts, rejected_rows
from sbf_core.reports.table import FactTable
from sbf_core.silver.rejects import FIXES

_SHOWN = 10
_TEXT_SHOWN_MAX = 100
_COLUMNS = {
    "reason": "reason",
    "column": "column",
    "place": "place",
    "row": "row",
    "payload": "payload",
    "run_id": "run",
    "rejected_at": "at",
}


def rejects(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="Its id, its table or its name.")],
    home_folder: opt.HomeFolder = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=0,
            max=opt.COUNT_MAX,
            help="Rows at most, of the newest payloads; 0 for all.  [10; all with --out]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="FILE", help="Write the rows into FILE.csv, FILE.json or FILE.parquet.", show_default=False
        ),
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Rows of a dataset that were rejected: how many by reason and column, then examples with their payload.

    They are read again when the table is made again: mend the declaration, and `sbf run`.

    Examples: sbf rejects bls_cpi | sbf rejects bls_cpi --out rejects.csv
    """
    home = Home.at(home_folder)
    entry = dataset_named(name, home.entries)
    if out is not None:
        _export(home, entry, Path(out).expanduser().absolute(), limit or 0, as_json=as_json)
        return
    with reading(home) as cursor:
        counts = reject_counts(cursor, entry)
        rows = rejected_rows(cursor, entry, limit=_SHOWN if limit is None else limit)
    total = sum(record["rows"] for record in counts.records)
    if as_json:
        listed = [_record(record) for record in rows.records]
        print_json(
            "rejects",
            dataset=entry.id,
            silver_table=entry.silver_table,
            total=total,
            counts=counts.records,
            rejects=listed,
        )
    else:
        _print(entry.id, entry.silver_table, total, counts, rows)


def _export(home: Home, entry: DatasetKeymapEntry, target: Path, limit: int, *, as_json: bool) -> None:
    check_export(target)
    check_outside(home.config, target, fix="name a file elsewhere")
    with scratch_folder(home.config, name="rejects") as scratch, reading(home, scratch=scratch) as cursor:
        written = export_rejects(cursor, entry, target, scratch=scratch, limit=limit)
    if as_json:
        print_json("rejects", dataset=entry.id, silver_table=entry.silver_table, out=str(target), written=written)
    else:
        print(f"{_number(written)} of {entry.id} written to {target}")


def _record(record: Any) -> dict[str, Any]:
    """With the row as an object; its numbers keep all of their digits."""
    return {**record, "row": None if record["row"] is None else json.loads(record["row"], parse_float=_exact)}


def _exact(text: str) -> float | str:
    return float(text) if Decimal(repr(float(text))) == Decimal(text) else text


def _print(dataset_id: str, table: str, total: int, counts: FactTable, rows: FactTable) -> None:
    if not total:
        print(f"No row of {dataset_id} is rejected.")
        return
    print(f"{_number(total)} of {dataset_id} (silver.{table}):\n")
    fixes = [FIXES.get(record["reason"], "") for record in counts.records]
    helps = any(fixes)
    print_table(
        (*counts.headers, *(["what helps"] if helps else [])),
        [(*row, *([fix] if helps else [])) for row, fix in zip(counts.rows, fixes, strict=True)],
    )
    if not rows.rows:
        return
    print("\nof the newest payloads:")
    shown = [{**one, "row": _cut(one["raw"] or one["row"])} for one in rows.records]
    names = [name for name in _COLUMNS if any(one[name] not in (None, "") for one in shown)]
    print_table([_COLUMNS[name] for name in names], [[one[name] for name in names] for one in shown])
    if len(rows.rows) < total:
        print(f"\n{len(rows.rows)} of {total:,} rows; --limit shows more, --out FILE writes all of them.")


def _number(count: int) -> str:
    return counted(count, "rejected row")


def _cut(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= _TEXT_SHOWN_MAX else text[:_TEXT_SHOWN_MAX] + "…"
