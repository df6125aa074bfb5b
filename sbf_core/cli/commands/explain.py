"""``sbf explain``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sbf_core.cli import options as opt
from sbf_core.cli.reading import reading
from sbf_core.cli.render import print_json, print_table, say
from sbf_core.counted import counted
from sbf_core.errors import printable
from sbf_core.home.home import Home
from sbf_core.reports.datasets import own_header
from sbf_core.reports.lineage import GoldOrigin, SilverOrigin, explain_gold, explain_silver


def explain(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="gold.NAME, silver.NAME, or another name of a dataset.")
    ],
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="e.g. ticker=IBM,date=2012-05-01, or the values in the order of the key."),
    ],
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column whose value is explained.")],
    home_folder: opt.HomeFolder = None,
    as_json: opt.AsJson = False,
) -> None:
    """Where a number comes from:
    its SQL and the rows that it reads, its version, the payload, its place in it, and the request.

    Examples: sbf explain gold.instrument_stats IBM volatility_usd | sbf explain bls_cpi CUSR0000SA0,2024,M02 value
    """
    home = Home.at(home_folder)
    if table.startswith("gold."):
        with reading(home) as cursor:
            gold = explain_gold(cursor, home.gold_models(cursor).models, table=table, key=key, column=column)
        _print_gold(gold, as_json=as_json)
        return
    home.learn_keys()  # a payload may repeat one
    with reading(home) as cursor:
        silver = explain_silver(cursor, home.config.bronze, home.entries, table=table, key=key, column=column)
    _print_silver(silver, as_json=as_json)


def _print_gold(gold: GoldOrigin, *, as_json: bool) -> None:
    if as_json:
        inputs = [
            {"table": one.table, "by": one.by, "count": one.count, "rows": one.rows.records} for one in gold.inputs
        ]
        print_json(
            "explain",
            table=f"gold.{gold.model.name}",
            key=gold.key,
            column=gold.column,
            value=gold.value,
            sql=gold.model.sql.strip(),
            inputs=inputs,
        )
        return
    print(f"gold.{gold.model.name} {_named(gold.key)}: {gold.column} = {_shown(gold.value)}")
    print(f"\nmade by\n{_indented(gold.model.sql.strip())}")
    for one in gold.inputs:
        how = (
            f"{counted(one.count, 'row')} with the same {', '.join(one.by)}"
            if one.by
            else f"all of {counted(one.count, 'row')}; none of its columns is called as a part of the key"
        )
        print(
            f"\n{one.table}: {how}"
            + (f", the first {len(one.rows.rows)}" if len(one.rows.rows) < one.count and one.by else "")
        )
        if one.rows.rows:
            print_table(one.rows.headers, one.rows.rows)
    say("\nGo on with `sbf explain TABLE KEY COLUMN` of one of these rows.")


def _print_silver(origin: SilverOrigin, *, as_json: bool) -> None:
    table, said = f"silver.{origin.entry.silver_table}", origin.payload
    if as_json:
        place = {"where": origin.place.where, "raw": origin.place.raw, "note": origin.place.note}
        print_json(
            "explain",
            table=table,
            key=origin.key,
            column=origin.column,
            value=origin.value,
            versions=origin.versions.records,
            payload=said,
            place=place,
        )
        return
    print(f"{table} {_named(origin.key)}: {origin.column} = {_shown(origin.value)}\n")
    shown = (origin.column, "known_from", "known_to", "recorded_at", own_header(origin.entry, "state"))
    kept = [place for place, name in enumerate(origin.versions.headers) if name in shown]
    print_table(
        [origin.versions.headers[place] for place in kept],
        [[row[place] for place in kept] for row in origin.versions.rows],
    )
    where = f"{origin.place.where}: {origin.place.raw!r}" if origin.place.where else origin.place.note
    lines = (
        ("payload", said["payload"]), ("in pack", _pack(said)), ("in it", where), ("sha256", said["sha256"]),
        ("asked", _asked(said)), ("fetched", _shown(said["fetched_at"])), ("run", said["run_id"]),
        ("terms", origin.entry.terms),
    )  # fmt: skip
    print()
    for name, text in lines:
        if text:
            print(f"{name:<8} {printable(text)}")


def _named(key: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in key.items())


def _shown(value: Any) -> str:
    return "NULL" if value is None else str(value)


def _pack(payload: Any) -> str:
    return f"{payload['pack']}, from byte {payload['pack_offset']}" if payload["pack"] else ""


def _asked(payload: Any) -> str:
    days = f" for {payload['from_date']} to {payload['to_date']}" if payload["from_date"] else ""
    return f"{payload['address']}{days}" + (f", answered with {payload['http']}" if payload["http"] else "")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
