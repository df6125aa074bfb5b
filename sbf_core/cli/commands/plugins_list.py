"""``sbf plugins list``."""

from __future__ import annotations

import attrs

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, print_table, reaching, tell
from sbf_core.errors import UsageError
from sbf_core.home.home import Home
from sbf_core.plugin.bounds import bounds
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.plugin.sentence import sentence_of


def plugins_list(home_folder: opt.HomeFolder = None, as_json: opt.AsJson = False) -> None:
    """The plugins that are installed: name, package, version, datasets, state, reason, what each is.

    Example: sbf plugins list
    """
    home = Home.at(home_folder)
    manager = home.plugins
    problem = ""
    try:
        registry: DatasetRegistry | None = home.registry
    except UsageError as error:
        registry, problem = None, str(error)
    rows = []
    for record in manager.records.values():
        count = len(registry.of([record])) if registry is not None else None
        rows.append(
            (record.name, record.distribution, record.version, count, record.state, record.reason, sentence_of(record))
        )
    wanted = bounds(record.distribution for record in manager.records.values())
    if as_json:
        names = ("name", "distribution", "version", "datasets", "state", "reason", "what")
        listed = [
            {**dict(zip(names, row, strict=True)), "deprecated": manager.records[row[0]].deprecated} for row in rows
        ]
        print_json("plugins", plugins=listed, problem=problem, bounds=[attrs.asdict(bound) for bound in wanted])
    else:
        print_table(
            ("plugin", "distribution", "version", "datasets", "state", "reason", "what"),
            [(*row, reaching(reason), what) for *row, reason, what in rows],
        )
        if wanted:
            print()
            print_table(("distribution", "versions"), [(bound.holder, bound.text) for bound in wanted])
    for record in manager.records.values():
        for text in record.deprecated:
            tell(f"sbf: note: plugin {record.label}: {text}")
    if problem:
        tell(f"sbf: warning: {problem}")
