"""``sbf datasets``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import attrs
import duckdb
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.of_dataset import of_dataset, show
from sbf_core.cli.render import print_json, print_table, say, tell
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.patterns import chosen_by
from sbf_core.plugin.registry import OwnedDataset
from sbf_core.reports import catalogue
from sbf_core.reports import datasets as facts
from sbf_core.reports.stale_tables import undeclared_fields
from sbf_core.reports.table import FactTable
from sbf_core.runner.options import name_list


def datasets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="One dataset: its id, its table or its name.", show_default=False),
    ] = None,
    home_folder: opt.HomeFolder = None,
    plugins: opt.Plugins = None,
    search: Annotated[
        str,
        typer.Option(
            "--search",
            metavar="WORDS",
            help="Those in whose title, names, tags, columns, terms or source each word stands.",
            show_default=False,
        ),
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=opt.COUNT_MAX, help="How many payloads of one dataset.")
    ] = 20,
    as_json: opt.AsJson = False,
) -> None:
    """The datasets of the installed plugins, with their source and terms;
    or one: what its columns hold, and its payloads.

    Examples: sbf datasets --plugins ecb | sbf datasets bls_cpi | sbf datasets --search "yield curve"
    """
    home = Home.at(home_folder)
    if name is not None and search:
        raise UsageError("one dataset is named, and others are searched for", where="--search", fix="leave out one")
    if name is not None:
        _one(home, name, limit=limit, as_json=as_json)
        return
    if search:  # also where nobody has named it yet
        home = Home(home.settings, plugins=installed_plugins(home.settings, everything=True))
    named = None if plugins is None else name_list(plugins, what="--plugins")
    home.wake(named or ())
    manager = home.plugins
    asleep = [record.name for record in manager.records.values() if record.state == "asleep"]
    chosen = manager.selected(
        None
        if named is None
        else [name for word in named for name in chosen_by(word, manager.records.values(), what="--plugins")]
    )
    owned = home.registry.of(chosen)
    by_id = {item.entry.id: item for item in owned}
    found = {one.entry.id: one.places for one in catalogue.search([item.entry for item in owned], search)}
    if search:  # the best first
        owned = [by_id[dataset_id] for dataset_id in found]
    if as_json:
        print_json("datasets", datasets=[_as_json(item, found_in=found[item.entry.id]) for item in owned])
        return
    if search and not owned:
        tell(f"sbf: note: in no dataset stand all of these words: {search}")
    place = ("found in",) if search else ()
    print_table(
        ("dataset", "plugin", "scope", "silver table", "title", *place),
        [
            (
                item.entry.id, item.plugin.name, item.entry.scope, f"silver.{item.entry.silver_table}",
                item.entry.title, *([", ".join(found[item.entry.id])] if search else []),
            )
            for item in owned
        ],
    )  # fmt: skip
    told = [f"{item.entry.id}: {_terms(item.entry)}" for item in owned if _terms(item.entry)]
    if told:
        print("", *told, sep="\n")
    later = dict.fromkeys(item.plugin.name for item in owned if search and item.plugin.wants_name)
    if later:
        tell(f"sbf: note: asked for once they are named in --plugins or run.plugins: {', '.join(later)}")
    if asleep and not named:
        tell(f"sbf: note: not looked at, because nobody has named them: {', '.join(asleep)}")


def _as_json(item: OwnedDataset, *, found_in: Sequence[str]) -> dict[str, Any]:
    entry = item.entry
    return {
        "dataset": entry.id, "plugin": item.plugin.name, "scope": entry.scope, "semantics": entry.semantics,
        "silver_table": entry.silver_table, "key": entry.key_columns, "title": entry.title, "terms": entry.terms,
        "source_url": entry.source_url, "tags": entry.tags, "reads": entry.reads, "found_in": found_in,
        "columns": [
            {
                "name": column.name, "type": column.type, "nullable": column.nullable,
                "unit": column.unit, "doc": column.doc,
            }
            for column in entry.columns
        ],
    }  # fmt: skip


def _one(home: Home, name: str, *, limit: int, as_json: bool) -> None:
    """One dataset: what its columns hold, and its payloads."""

    def ask(
        cursor: duckdb.DuckDBPyConnection, entry: DatasetKeymapEntry
    ) -> tuple[FactTable, FactTable, FactTable, int]:
        payloads = facts.payloads_of(cursor, entry, limit=limit)
        fields = undeclared_fields(cursor, entry)
        return facts.columns_of_table(cursor, entry), fields, payloads, facts.count_payloads(cursor, entry)

    entry, (columns, fields, payloads, total), problems = of_dataset(home, name, ask)
    if as_json:
        print_json(
            "dataset", dataset=entry.id, title=entry.title, terms=entry.terms, source_url=entry.source_url,
            silver_table=entry.silver_table, semantics=entry.semantics, reads=entry.reads,
            waits=[attrs.asdict(one, filter=attrs.filters.exclude("href")) for one in problems],
            columns=columns.records, undeclared=fields.records, payloads=payloads.records,
        )  # fmt: skip
        return
    print(f"{entry.id}: {entry.title or 'no title'}, in silver.{entry.silver_table} ({entry.semantics})")
    if terms := _terms(entry):
        print(terms)
    if entry.reads:
        say(f"It reads the payloads of {entry.payload_ids[0]}, which fetches them.")
    for problem in problems:
        say(f"{problem.what}: {problem.detail}; go on with `{problem.fix}`")
    print()
    show(columns)
    print()
    if fields.rows:
        print("Payloads have fields that are not declared:")
        show(fields)
        print()
    show(payloads, hidden=("bronze_file_id",)) if payloads.rows else say("No payload yet: run `sbf run`.")
    if len(payloads.rows) < total:
        print(f"\nThe last {len(payloads.rows)} of {total:,} payloads; --limit shows more.")


def _terms(entry: DatasetKeymapEntry) -> str:
    return f"{entry.terms} {entry.source_url}".strip()
