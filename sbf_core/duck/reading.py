"""Open what can be read without meeting a run."""

from __future__ import annotations

from pathlib import Path

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import Publication, current_publication
from sbf_core.errors import HomeLocked, SbfError


def open_for_reading(
    config: DuckDbConfig,
    *,
    wait_seconds: float = 0.0,
    newest: bool = False,
    only_rows: bool = False,
    scratch: Path | None = None,
) -> tuple[DuckDbBootstrap, Publication | None]:
    """The newest state that can be read, and the copy it was read from if that is older than the database.

    That is the copy for readers where it is current, else the database itself, else, while a run holds that, the
    copy that the last run left.

    Args:
        config: where the home is.
        wait_seconds: how long to wait for a run.
        newest: refuse an older copy.
        scratch: see ``DuckDbBootstrap``.
        only_rows: a copy with all rows of silver and gold does, although the ledger may have gone on.

    Raises:
        HomeLocked: a run is at work, and there is no copy, or an older one does not do.
        UsageError, VersionRefused: see ``DuckDbBootstrap.open``.
    """
    copy = current_publication(config)
    if copy is not None and (copy.is_current or (only_rows and copy.has_all_rows)):
        try:
            return DuckDbBootstrap(config, read_only=True, database=copy.path, scratch=scratch).open(), None
        except SbfError:
            pass  # replaced by a newer one just now
    try:
        return DuckDbBootstrap(config, read_only=True, scratch=scratch).open(wait_seconds=wait_seconds), None
    except HomeLocked:
        copy = current_publication(config)
        if copy is None or newest:
            raise
        return DuckDbBootstrap(config, read_only=True, database=copy.path, scratch=scratch).open(), copy
