"""Open what can be read without meeting a run."""

from __future__ import annotations

from pathlib import Path

from sbf_core.duck.bootstrap import DuckDbBootstrap
from sbf_core.duck.config import DuckDbConfig
from sbf_core.duck.publish import Publication, current_publication
from sbf_core.errors import HomeLocked, SbfError

#: A copy may be replaced between the moment when its name is read and the moment when it is opened.
_TRIES = 20


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
        opened = _opened(config, copy, scratch)
        if opened is not None and (opened[1].is_current or (only_rows and opened[1].has_all_rows)):
            return opened[0], None
        if opened is not None:  # a run was quicker, and is at the next one by now
            opened[0].close()
    try:
        return DuckDbBootstrap(config, read_only=True, scratch=scratch).open(wait_seconds=wait_seconds), None
    except HomeLocked as error:
        copy = None if newest else current_publication(config)
        opened = None if copy is None else _opened(config, copy, scratch)
        if opened is None and copy is None and not newest:
            what = f"{error.what}, and there is nothing to read before that ends: there is no copy for readers yet"
            raise HomeLocked(what, where=error.where, fix=error.fix) from error
        if opened is None:
            raise
        return opened


def _opened(
    config: DuckDbConfig, copy: Publication, scratch: Path | None
) -> tuple[DuckDbBootstrap, Publication] | None:
    """A copy, or the one that took its place between two looks; None where it cannot be opened."""
    for _ in range(_TRIES):
        try:
            return DuckDbBootstrap(config, read_only=True, database=copy.path, scratch=scratch).open(), copy
        except SbfError:
            newer = current_publication(config)
            if newer is None or newer.path == copy.path:
                return None
            copy = newer
    return None
