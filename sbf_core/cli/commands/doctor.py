"""``sbf doctor``."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import stat

import duckdb
from typer.exceptions import Exit

from sbf_core.cli import options as opt
from sbf_core.cli.render import print_json, print_table, reaching
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.disk import FREE_BYTES_FLOOR
from sbf_core.errors import SbfError, UsageError
from sbf_core.gold.engine_findings import NoPlan, engine_findings
from sbf_core.home.gold_models import KnownModels
from sbf_core.home.home import Home
from sbf_core.plugin.bounds import bounds
from sbf_core.reports.gold_states import gold_states
from sbf_core.reports.stale_tables import problems_of_tables
from sbf_core.shell_words import typed

#: What was looked at, ``ok``, ``bad``, ``unset`` or ``note``, and what was found.
_Check = tuple[str, str, str]


def doctor(home_folder: opt.HomeFolder = None, as_json: opt.AsJson = False) -> None:
    """Check this machine, this home and the settings, each with its origin.

    Example: sbf doctor
    """
    home = Home.at(home_folder)
    settings = home.settings
    checks = [*_machine_checks(home), *_database_checks(home), *_plugin_checks(home), *_key_checks(home)]
    resolved = [
        (each.setting.name, each.value if each.value != () else "", each.origin) for each in settings.resolved.values()
    ]
    resolved.insert(0, ("home", str(settings.home), settings.home_origin))
    well = all(state != "bad" for _, state, _ in checks)
    if as_json:
        print_json(
            "doctor",
            well=well,
            checks=[{"check": check, "state": state, "found": found} for check, state, found in checks],
            settings=[{"setting": name, "value": value, "origin": origin} for name, value, origin in resolved],
        )
        raise Exit(0 if well else 1)
    print_table(("check", "state", "found"), [(check, state, reaching(found)) for check, state, found in checks])
    print()
    print_table(
        ("setting", "value", "origin"),
        [(name, ", ".join(value) if isinstance(value, tuple) else value, origin) for name, value, origin in resolved],
    )
    raise Exit(0 if well else 1)


def _machine_checks(home: Home) -> list[_Check]:
    folder = home.folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    checks = [
        ("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("duckdb", "ok", duckdb.__version__),
        ("disk", "ok" if free >= FREE_BYTES_FLOOR else "bad", f"{free / 1024**3:.1f} GiB free at {folder}"),
        (
            "home",
            "ok" if os.access(folder, os.W_OK) else "bad",
            f"{home.folder}{'' if home.folder.exists() else ' (not made yet)'}",
        ),
    ]
    logs = home.folder / "logs"
    if logs.is_dir():
        printed = sum(path.stat().st_size for path in logs.glob("plugin-*.log*"))
        checks.append(("logs", "ok", f"{logs}: {printed / 1024:.0f} KiB of what plugins printed"))
    if os.name == "posix" and home.folder.exists() and home.folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        checks.append(("permissions", "bad", f"others may enter the home; chmod 700 {typed(home.folder)}"))
    return checks


def _database_checks(home: Home) -> list[_Check]:
    """The database, tables whose declaration has changed since they were made, and payloads that wait."""
    database = home.config.database
    if not database.exists():
        return [("database", "ok", "not made yet")]
    try:
        bootstrap = DuckDbBootstrap(home.config, read_only=True).open()
        try:
            table_checks = _table_checks(home, bootstrap.cursor())
        finally:
            bootstrap.close()
    except SbfError as error:
        return [("database", "bad", str(error))]
    return [("database", "ok", f"{database.stat().st_size / 1024**2:.1f} MiB"), *table_checks]


def _table_checks(home: Home, cursor: duckdb.DuckDBPyConnection) -> list[_Check]:
    try:
        entries = home.entries
    except UsageError:
        return []
    known = home.gold_models(cursor)
    problems = [
        *problems_of_tables(cursor, entries, home.config.bronze),
        *gold_states(cursor, known).problems,
    ]
    checks = [(one.what, "bad", f"{one.detail}; {one.told_ways}") for one in problems]
    return [*checks, *_engine_checks(cursor, known)]


def _engine_checks(cursor: duckdb.DuckDBPyConnection, known: KnownModels) -> list[_Check]:
    """Expressions of gold models that another DuckDB answers differently; a model that nothing can be said of is told
    of by its build.
    """
    checks: list[_Check] = []
    for model in known.models:
        with contextlib.suppress(NoPlan):
            checks += [(f"gold.{model.name}", "note", found.text) for found in engine_findings(cursor, model)]
    return checks


def _plugin_checks(home: Home) -> list[_Check]:
    checks: list[_Check] = []
    try:
        _ = home.registry
    except UsageError as error:
        checks = [("datasets", "bad", str(error))]
    for record in home.plugins.records.values():
        told = "; ".join([record.reason or f"{record.distribution} {record.version}", *record.deprecated])
        checks.append((f"plugin {record.name}", "bad" if record.state == "refused" else "ok", told))
    for bound in bounds(record.distribution for record in home.plugins.records.values()):
        checks.append((f"package {bound.holder}", "ok" if bound.fits else "bad", bound.text))
    return checks


def _key_checks(home: Home) -> list[_Check]:
    """Where the keys come from that the plugins declare; never what they are."""
    try:
        registry = home.registry
    except UsageError:
        return []
    variables: dict[str, str] = {}
    for owned in registry.datasets.values():
        variables.update(dict.fromkeys(owned.entry.key_names, owned.plugin.name))
    keys, checks = home.keys, list[_Check]()
    for name, plugin in variables.items():
        try:
            origin = keys.origin(name)
            checks.append(
                (
                    f"key {name}",
                    "ok" if origin else "unset",
                    f"for plugin {plugin}{', from ' + origin if origin else ''}",
                )
            )
        except SbfError as error:
            checks.append((f"key {name}", "bad", str(error)))
    return checks
