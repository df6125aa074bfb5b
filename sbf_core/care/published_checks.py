"""What a run left for readers, against what it said of it: a copy of the database, and tables as Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sbf_core.atomic_file import file_hash, state_of
from sbf_core.bronze.quarantine import QuarantineReason, move_to_quarantine
from sbf_core.care.findings import Finding, FindingKind
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.identifiers import literal
from sbf_core.duck.other_file import views_in, why_unreadable
from sbf_core.duck.publish import CURRENT, current_publication
from sbf_core.duck.publish_tables import (
    TABLES,
    VIEWS,
    PublishedTable,
    PublishedTables,
    leads_to,
    published_tables,
    recorded_tables,
)


def check_published(config: DuckDbConfig) -> Iterator[Finding]:
    """The copy for readers, the tables as Parquet and the views over them. Call it only while no run is at work."""
    yield from _check_copy(config)
    yield from _check_tables(config)


def moved_from(config: DuckDbConfig) -> str:
    """The folder whose files the views show, where the home was moved or copied since; empty where it was not."""
    try:
        folder = recorded_tables(config).folder
    except ValueError:
        return ""
    return folder if not leads_to(folder, config.published) else ""


def older_than(config: DuckDbConfig, versions: Mapping[str, str]) -> list[str]:
    """Tables that readers see in an older state than the database has, because a run was stopped before it wrote them,
    or was told not to.

    Args:
        config: where the home is.
        versions: of the tables in the database, as ``OpsService.load_table_versions`` gives them.
    """
    tables = published_tables(config).items()
    return sorted(name for name, one in tables if name in versions and versions[name] != one.version)


def database_changed(config: DuckDbConfig) -> list[Finding]:
    """The database file against the copy for readers, which is the same, byte for byte,
    as long as no run has written.
    """
    copy = current_publication(config)
    if copy is None or not copy.is_current or file_hash(config.database) == file_hash(copy.path):
        return []
    still = current_publication(config)
    if still is None or not still.is_current:
        return []  # a run began meanwhile
    why = why_unreadable(config, copy.path)
    if why:
        return [_found(config, copy.path, why)]
    detail = "differs from the copy that the last run left; run `sbf rebuild`"
    return [Finding(kind=FindingKind.DATABASE_CHANGED, subject=config.database.name, detail=detail)]


def forget_published(config: DuckDbConfig, findings: list[Finding]) -> int:
    """Remove what readers must not read, so that it is written again; returns how many files.

    All of it can be made anew; what is no file goes to quarantine.
    """
    paths = {config.home / finding.subject for finding in findings}
    copy = config.published / CURRENT
    if any(path.parent == config.published and path.name.startswith("sbf-") for path in paths):
        paths.add(copy)
    for path in sorted(paths):
        if path.is_file() or path.is_symlink():
            path.unlink()
        elif os.path.lexists(path):  # a folder, or a pipe: none of ours, and not to be thrown away
            original = path.relative_to(config.home).as_posix()
            move_to_quarantine(config.quarantine, path, original=original, reason=QuarantineReason.FOREIGN)
    return len(paths)


def _found(config: DuckDbConfig, path: Path, detail: str) -> Finding:
    is_there = path.is_file()
    kind = FindingKind.PUBLISHED_CHANGED if is_there else FindingKind.PUBLISHED_MISSING
    return Finding(
        kind=kind, subject=path.relative_to(config.home).as_posix(), detail=detail if is_there else "the file is gone"
    )


def _check_copy(config: DuckDbConfig) -> Iterator[Finding]:
    """A copy that is the same as the database is compared with it, byte for byte, elsewhere;
    another one is read whole.
    """
    named = config.published / CURRENT
    if not named.exists():
        return
    try:
        path = config.published / Path(state_of(named)["file"]).name
    except (OSError, ValueError, KeyError, TypeError):
        yield _found(config, named, "does not say which copy is the newest")
        return
    copy = current_publication(config)
    if not path.is_file() or path.is_symlink():
        yield _found(config, path, "is no file")
    elif copy is None or not copy.is_current:
        why = why_unreadable(config, path)
        if why:
            yield _found(config, path, why)


def _check_tables(config: DuckDbConfig) -> Iterator[Finding]:
    try:
        said = recorded_tables(config)
    except ValueError:
        yield _found(config, config.published / TABLES, "does not say which tables there are")
        return
    tables = said.tables
    for _, one in sorted(tables.items()):
        path = config.published / one.file
        why = _why_changed(path, one)
        if why:
            yield _found(config, path, why)
    if tables and not moved_from(config):
        why = _why_other_views(config, said)
        if why:
            yield _found(config, config.published / VIEWS, why)


def _why_changed(path: Path, one: PublishedTable) -> str:
    if path.is_symlink() or not path.is_file():
        return "is no file"
    if not one.file_hash:  # written by an sbf that kept no hash
        return ""
    size = path.stat().st_size
    if size != one.byte_count:
        return f"{size} bytes instead of {one.byte_count}"
    return "" if file_hash(path) == one.file_hash else "other bytes of the same number"


def _why_other_views(config: DuckDbConfig, said: PublishedTables) -> str:
    views = views_in(config.published / VIEWS)
    if views is None:
        return "cannot be read"
    for table, one in sorted(said.tables.items()):
        if table not in views:
            return f"has no view {table}"
        if literal(str(Path(said.folder or config.published) / one.file)) not in views[table]:
            return f"its view {table} leads to another file than {one.file}"
    return ""
