"""``sbf datasets``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import attrs
import duckdb
import typer

from sbf_core.cli import options as opt
from sbf_core.cli.found_datasets import dataset_json, show_found, show_terms
from sbf_core.cli.of_dataset import of_dataset, show
from sbf_core.cli.render import print_json, print_table, say, tell
from sbf_core.dataset.about import About, Cost, Frequency
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.plugin.patterns import chosen_by
from sbf_core.reports import datasets as facts
from sbf_core.reports.catalogue import wanted_of
from sbf_core.reports.catalogue_of_home import catalogue_of
from sbf_core.reports.catalogue_words import terms_of
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
            help="What is installed, and what plugins could fetch, where each word stands.",
            show_default=False,
        ),
    ] = "",
    region: Annotated[
        str,
        typer.Option("--region", metavar="A,B", help="Of these regions: US, germany, EZ, europe.", show_default=False),
    ] = "",
    frequency: Annotated[
        str,
        typer.Option("--frequency", metavar="A,B", help=f"With these: {', '.join(Frequency)}.", show_default=False),
    ] = "",
    cost: Annotated[
        str, typer.Option("--cost", metavar="A,B", help=f"At these prices: {', '.join(Cost)}.", show_default=False)
    ] = "",
    terms: Annotated[
        str, typer.Option("--terms", metavar="WORDS", help="With these words in its terms of use.", show_default=False)
    ] = "",
    ask: Annotated[
        str,
        typer.Option(
            "--ask", metavar="A,B", help="Ask these vendors, too, what they have: fred, ecb, sdmx.", show_default=False
        ),
    ] = "",
    limit: Annotated[
        int,
        typer.Option(
            "--limit", metavar="N", min=1, max=opt.COUNT_MAX, help="How many payloads of one, or how many are found."
        ),
    ] = 20,
    as_json: opt.AsJson = False,
) -> None:
    """The datasets of the installed plugins; what could be had, by words, region, frequency, cost and terms;
    or one: what its columns hold, and its payloads.

    Examples: sbf datasets --plugins ecb | sbf datasets bls_cpi | sbf datasets --search "yield curve" |
    sbf datasets --region germany --frequency month --cost free
    """
    home = Home.at(home_folder)
    named = None if plugins is None else name_list(plugins, what="--plugins")
    given = {
        "--search": search,
        "--region": region,
        "--frequency": frequency,
        "--cost": cost,
        "--terms": terms,
        "--ask": ask,
    }
    looks = next((option for option, text in given.items() if text.strip()), "")
    if name is not None and looks:
        raise UsageError("one dataset is named, and others are searched for", where=looks, fix="leave out one")
    if name is not None:
        _one(home, name, limit=limit, as_json=as_json)
    elif looks:
        _found(home, given, named=named, limit=limit, as_json=as_json)
    else:
        _all(home, named=named, as_json=as_json)


def _found(home: Home, given: Mapping[str, str], *, named: Sequence[str] | None, limit: int, as_json: bool) -> None:
    """What could be had, and is as somebody says."""
    words = given["--search"]
    lists = {option[2:]: given[option].split(",") for option in ("--region", "--frequency", "--cost")}
    wanted = wanted_of(words, terms=given["--terms"], **lists)
    catalogue = catalogue_of(home, words, named=named)
    if given["--ask"].strip():
        from sbf_core.reports.ask_vendors import ask_vendors, chosen_searches  # few ask

        chosen = chosen_searches(catalogue.searches, name_list(given["--ask"], what="--ask"))
        catalogue = catalogue.with_answers(*ask_vendors(catalogue.home, chosen, words))
    show_found(catalogue, wanted, limit=limit, as_json=as_json)


def _all(home: Home, *, named: Sequence[str] | None, as_json: bool) -> None:
    """The datasets of the plugins that are awake, or named."""
    home.wake(named or ())
    manager = home.plugins
    asleep = [record.name for record in manager.records.values() if record.state == "asleep"]
    chosen = manager.selected(
        None
        if named is None
        else [name for word in named for name in chosen_by(word, manager.records.values(), what="--plugins")]
    )
    owned = home.registry.of(chosen)
    if as_json:
        print_json("datasets", datasets=[dataset_json(item.entry, item.plugin.name) for item in owned])
        return
    said = [name for name in About().about if any(item.entry.about[name] for item in owned)]
    print_table(
        ("dataset", "plugin", "scope", "silver table", "title", *said),
        [
            (
                item.entry.id, item.plugin.name, item.entry.scope, f"silver.{item.entry.silver_table}",
                item.entry.title, *(item.entry.about[name] for name in said),
            )
            for item in owned
        ],
    )  # fmt: skip
    show_terms((item.plugin.name, item.entry.id, terms_of(item.entry)) for item in owned)
    if asleep and named is None:
        tell(
            f"sbf: note: not looked at, because nobody has named them: {', '.join(asleep)}; "
            "`sbf datasets --search WORDS` looks through them, too"
        )


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
            region=entry.region, frequency=entry.frequency, cost=entry.cost, passing_on=entry.passing_on,
            waits=[attrs.asdict(one, filter=attrs.filters.exclude("href")) for one in problems],
            columns=columns.records, undeclared=fields.records, payloads=payloads.records,
        )  # fmt: skip
        return
    print(f"{entry.id}: {entry.title or 'no title'}, in silver.{entry.silver_table} ({entry.semantics})")
    about = ", ".join(text for text in entry.about.values() if text)
    for line in (about, terms_of(entry)):
        if line:
            print(line)
    if entry.reads:
        say(f"It reads the payloads of {entry.payload_ids[0]}, which fetches them.")
    for problem in problems:
        say(f"{problem.what}: {problem.detail}; {problem.told_ways}")
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
