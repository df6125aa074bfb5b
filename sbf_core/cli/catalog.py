"""``sbf datasets``, ``sbf universe`` and ``sbf plugins list``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from sbf_core.cli.render import print_json, print_table, tell
from sbf_core.days import day
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.errors import UsageError, nearest
from sbf_core.plugin.bounds import bounds
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.patterns import chosen_by
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.runner.options import name_list
from sbf_core.settings.settings import Settings
from sbf_core.universe.members import UniverseMember
from sbf_core.universe.service import UniverseService


def datasets_report(home: str | None, *, plugins: str | None, as_json: bool) -> None:
    """The datasets of the installed plugins."""
    settings = Settings(home)
    manager = installed_plugins(settings)
    registry = DatasetRegistry(manager)
    named = None if plugins is None else name_list(plugins, what="--plugins")
    chosen = manager.selected(
        None
        if named is None
        else [name for word in named for name in chosen_by(word, manager.records.values(), what="--plugins")]
    )
    owned = registry.of(chosen)
    if as_json:
        print_json(
            "datasets",
            datasets=[
                {
                    "dataset": item.entry.id, "plugin": item.plugin.name,
                    "scope": item.entry.scope, "semantics": item.entry.semantics,
                    "silver_table": item.entry.silver_table, "key": item.entry.key_columns,
                    "title": item.entry.title, "terms": item.entry.terms,
                    "source_url": item.entry.source_url, "tags": item.entry.tags,
                    "columns": [
                        {
                            "name": column.name, "type": column.type, "nullable": column.nullable,
                            "unit": column.unit, "doc": column.doc,
                        }
                        for column in item.entry.columns
                    ],
                }
                for item in owned
            ],
        )  # fmt: skip
        return
    print_table(
        ("dataset", "plugin", "scope", "silver table", "title"),
        [
            (item.entry.id, item.plugin.name, item.entry.scope, f"silver.{item.entry.silver_table}", item.entry.title)
            for item in owned
        ],
    )
    print()
    for item in owned:
        print(f"{item.entry.id}: {item.entry.terms} {item.entry.source_url}".strip())


def universe_report(
    home: str | None, flags: Mapping[str, Any], *, at: str | None, source: str = "", as_json: bool
) -> None:
    """The members of the universe, or of that of one source."""
    settings = Settings(home, flags=flags)
    if source and source not in settings.universes:
        fix = nearest(source, settings.universes) or f"write [universe.{source}] in {settings.file.name}"
        raise UsageError(f"source {source!r} has no universe of its own", fix=fix, code="UNIVERSE")
    wanted = settings.universes[source] if source else settings.universe
    when = None if at is None else day(at, what="--at")
    manager = installed_plugins(settings)

    def ask() -> list[UniverseMember]:
        record = manager.selected([wanted.plugin])[0]
        return list(manager.call(record, "universe_members", doing="the universe", safe="nothing was written"))

    bootstrap = DuckDbBootstrap(settings.config, read_only=True) if wanted.query else None
    try:
        service = UniverseService(
            wanted, cursor=None if bootstrap is None else bootstrap.open().cursor, members_hook=ask
        )
        members = service.members(as_of=when)
    finally:
        if bootstrap is not None:
            bootstrap.close()
    for note in service.notes:
        tell(f"sbf: note: {note}")
    if not wanted.origin:
        raise UsageError(
            "the universe is empty",
            where=str(settings.file),
            fix="set [universe] there, or use --tickers",
            code="EMPTY_UNIVERSE",
        )
    if as_json:
        print_json(
            "universe",
            origin=wanted.origin,
            members=[
                {"ticker": item.ticker, "valid_from": item.valid_from, "valid_to": item.valid_to} for item in members
            ],
        )
        return
    print_table(("ticker", "from", "to"), [(item.ticker, item.valid_from, item.valid_to) for item in members])
    print()
    print(f"{len(members)} members from {wanted.origin}")
    if settings.universes and not source:
        tell(f"sbf: note: of their own have {', '.join(sorted(settings.universes))}: sbf universe --source NAME")


def plugins_report(home: str | None, *, as_json: bool) -> None:
    """The installed plugins and how their loading went."""
    settings = Settings(home)
    manager = installed_plugins(settings)
    problem = ""
    try:
        registry: DatasetRegistry | None = DatasetRegistry(manager)
    except UsageError as error:
        registry, problem = None, str(error)
    rows = []
    for record in manager.records.values():
        count = len(registry.of([record])) if registry is not None else None
        rows.append((record.name, record.distribution, record.version, count, record.state, record.reason))
    wanted = bounds(record.distribution for record in manager.records.values())
    if as_json:
        names = ("name", "distribution", "version", "datasets", "state", "reason")
        listed = [
            {**dict(zip(names, row, strict=True)), "deprecated": manager.records[row[0]].deprecated} for row in rows
        ]
        print_json("plugins", plugins=listed, problem=problem, bounds=[attrs.asdict(bound) for bound in wanted])
    else:
        print_table(("plugin", "distribution", "version", "datasets", "state", "reason"), rows)
        if wanted:
            print()
            print_table(("distribution", "versions"), [(bound.holder, bound.text) for bound in wanted])
    for record in manager.records.values():
        for text in record.deprecated:
            tell(f"sbf: note: plugin {record.label}: {text}")
    if problem:
        tell(f"sbf: warning: {problem}")
