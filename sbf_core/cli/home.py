"""``sbf init`` and ``sbf doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbf_core.cli.render import print_json, print_table
from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.disk import FREE_BYTES_FLOOR
from sbf_core.duck.home_folder import check_place
from sbf_core.errors import EnvironmentFault, SbfError, UsageError
from sbf_core.plugin.bounds import bounds
from sbf_core.plugin.installed import installed_plugins
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.settings.keys import Keys
from sbf_core.settings.setting import SETTINGS
from sbf_core.settings.settings import Settings
from sbf_core.typed import typed

if TYPE_CHECKING:
    import duckdb


def init_home(home: str | None) -> None:
    """Make the folder and a commented ``sbf.toml``; an existing one is not touched."""
    settings = Settings(home)
    folder = settings.home
    check_place(settings.config, settings.config.database)
    if settings.file.exists():
        raise UsageError("there is a home already", where=str(settings.file), fix="edit that file", code="HOME")
    try:
        (folder / "files").mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.file.write_text(_template(), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(
            f"the home cannot be made: {error.strerror}",
            where=str(folder),
            fix="choose another --home or mend its permissions",
        ) from error
    print(f"Made {folder}")
    print()
    print("Try next:")
    print(f"  edit {typed(settings.file)}")
    print(f"  sbf run --home {typed(folder)} --replay sample")


def _template() -> str:
    lines = ["# Settings of this home. A flag wins over SBF_*, which wins over this file.", ""]
    section = ""
    for setting in SETTINGS:
        head, _, key = setting.name.partition(".")
        if head != section:
            lines += ([""] if section else []) + [f"[{head}]"]
            section = head
        default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
        lines += [f"# {setting.doc}", f"# {key} = {_toml(default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)


def doctor_report(home: str | None, *, as_json: bool) -> int:
    """Check machine, home and settings; returns 0 if all is well, 1 if something wants attention."""
    settings = Settings(home)
    manager = installed_plugins(settings)
    checks = [*_machine_checks(settings, manager), *_plugin_checks(manager), *_key_checks(manager, settings.home)]
    resolved = [
        (found.setting.name, found.value if found.value != () else "", found.origin)
        for found in settings.resolved.values()
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
        return 0 if well else 1
    print_table(("check", "state", "found"), checks)
    print()
    print_table(
        ("setting", "value", "origin"),
        [(name, ", ".join(value) if isinstance(value, tuple) else value, origin) for name, value, origin in resolved],
    )
    return 0 if well else 1


def _machine_checks(settings: Settings, manager: PluginManager) -> list[tuple[str, str, str]]:
    import duckdb

    folder = settings.home
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
            f"{settings.home}{'' if settings.home.exists() else ' (not made yet)'}",
        ),
    ]
    logs = settings.home / "logs"
    if logs.is_dir():
        printed = sum(path.stat().st_size for path in logs.glob("plugin-*.log*"))
        checks.append(("logs", "ok", f"{logs}: {printed / 1024:.0f} KiB of what plugins printed"))
    if os.name == "posix" and settings.home.exists() and settings.home.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        checks.append(("permissions", "bad", f"others may enter the home; chmod 700 {typed(settings.home)}"))
    if settings.config.database.exists():
        try:
            bootstrap = DuckDbBootstrap(settings.config, read_only=True).open()
            tables = _table_checks(bootstrap.cursor(), manager)
            bootstrap.close()
            checks.append(("database", "ok", f"{settings.config.database.stat().st_size / 1024**2:.1f} MiB"))
            checks += tables
        except SbfError as error:
            checks.append(("database", "bad", str(error)))
    else:
        checks.append(("database", "ok", "not made yet"))
    return checks


def _table_checks(cursor: duckdb.DuckDBPyConnection, manager: PluginManager) -> list[tuple[str, str, str]]:
    """Tables whose declaration has changed since they were made, and payloads that wait."""
    from sbf_core.facts.gold_states import gold_states
    from sbf_core.facts.made import problems_of_tables
    from sbf_core.facts.models import known_models

    try:
        entries = [owned.entry for owned in DatasetRegistry(manager).datasets.values()]
    except UsageError:
        return []
    problems = [*problems_of_tables(cursor, entries), *gold_states(cursor, known_models(cursor, manager)).problems]
    return [(one.what, "bad", f"{one.detail}; {one.fix}") for one in problems]


def _plugin_checks(manager: PluginManager) -> list[tuple[str, str, str]]:
    try:
        DatasetRegistry(manager)
        checks = []
    except UsageError as error:
        checks = [("datasets", "bad", str(error))]
    for record in manager.records.values():
        told = "; ".join([record.reason or f"{record.distribution} {record.version}", *record.deprecated])
        checks.append((f"plugin {record.name}", "bad" if record.state == "refused" else "ok", told))
    for bound in bounds(record.distribution for record in manager.records.values()):
        checks.append((f"package {bound.holder}", "ok" if bound.fits else "bad", bound.text))
    return checks


def _key_checks(manager: PluginManager, home: Path) -> list[tuple[str, str, str]]:
    """Where the keys come from that the plugins declare; never what they are."""
    try:
        registry = DatasetRegistry(manager)
    except UsageError:
        return []
    variables: dict[str, str] = {}
    for owned in registry.datasets.values():
        variables.update(dict.fromkeys(owned.entry.key_names, owned.plugin.name))
    keys, checks = Keys(home), []
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
