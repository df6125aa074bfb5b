"""``DuckDbConfig``: where a home is, and how its database is opened."""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from sbf_core.errors import UsageError
from sbf_core.value import Value

DEFAULT_HOME = "sbf-data"
#: Files stay readable for the oldest DuckDB that sbf supports.
STORAGE_VERSION = "v1.5.0"
#: When payloads reach the disk: never forced, once for a batch of files, or file by file.
FSYNC_POLICIES = ("none", "batch", "each")
#: How payloads of up to 64 KiB are kept: a file each, or many in one.
SMALL_PAYLOADS = ("files", "packs")


def _home(value: str | Path | None) -> Path:
    return Path(value if value is not None else os.environ.get("SBF_HOME") or DEFAULT_HOME).expanduser().absolute()


@attrs.frozen(kw_only=True)
class DuckDbConfig(Value):
    """Where a home is, and how its database is opened.

    Attributes:
        home: the folder that holds everything; ``SBF_HOME``, else ``./sbf-data``.
        threads: DuckDB threads; None for one per core.
        bronze_folder: where the payloads are, if not in ``<home>/bronze``: for a database made beside another home.
        staging_folder: where scratch files of a promotion are, if not in ``<home>/staging``.
        database_file: where the database is, if not ``<home>/sbf.duckdb``: for one that is made to take its place.
        memory_limit: DuckDB's buffer limit, e.g. ``512MB``.
        fsync: ``batch`` (default), ``each`` or ``none``; see docs/explanation/medallion.md.
        small: how payloads of up to 64 KiB are kept: ``files`` (default) or ``packs``; see docs/how-to/packs.md.
    """

    home: Path = attrs.field(default=None, converter=_home)
    bronze_folder: Path | None = None
    threads: int | None = None
    staging_folder: Path | None = None
    database_file: Path | None = None
    memory_limit: str = "512MB"
    fsync: str = "batch"
    small: str = "files"

    def __attrs_post_init__(self) -> None:
        if self.fsync not in FSYNC_POLICIES:
            raise UsageError(
                f"fsync {self.fsync!r} is not known", fix="use one of " + ", ".join(FSYNC_POLICIES), code="SETTING"
            )
        if self.small not in SMALL_PAYLOADS:
            raise UsageError(
                f"small {self.small!r} is not known", fix="use one of " + ", ".join(SMALL_PAYLOADS), code="SETTING"
            )

    @property
    def database(self) -> Path:
        """The one database file, with the schemas ops, silver and gold."""
        return self.database_file or self.home / "sbf.duckdb"

    @property
    def bronze(self) -> Path:
        """The payloads and their journal."""
        return self.bronze_folder or self.home / "bronze"

    @property
    def accepted(self) -> Path:
        """Paths of payloads that were released although a field is gone from them; it stands beside Bronze, because a
        rebuild needs both.
        """
        return self.bronze.parent / "accepted.txt"

    @property
    def scratch(self) -> Path:
        """Room for work that reads the database and is thrown away, such as a verification."""
        return self.home / "scratch"

    @property
    def staging(self) -> Path:
        """Scratch files of the promotion at work; empty between runs."""
        return self.staging_folder or self.home / "staging"

    @property
    def quarantine(self) -> Path:
        """Files that were found in Bronze and are no payloads of the ledger; moved here, never deleted."""
        return self.home / "quarantine"

    @property
    def rates(self) -> Path:
        """Counts of the requests to each vendor: its limits outlive a run."""
        return self.home / "rates.sqlite"

    @property
    def lock(self) -> Path:
        """The lock of the home; who holds it is written in it."""
        return self.home / "sbf.lock"

    @property
    def restoring(self) -> Path:
        """There while a backup is being copied into the home; it names the backup."""
        return self.home / "restoring.txt"

    @property
    def published(self) -> Path:
        """Copies of the database for readers, who then never meet a run."""
        return self.home / "published"

    @property
    def live(self) -> Path:
        """What the run at work, or the last one, said of itself."""
        return self.home / "live.json"

    @property
    def files(self) -> Path:
        """Where relative paths of file recipes start."""
        return self.home / "files"

    @property
    def backups(self) -> Path:
        """Copies of the database made before a migration or a rebuild."""
        return self.home / "backups"

    @property
    def holder(self) -> Path:
        """The mark of the process that has the database open, as JSON; it stays if that process dies."""
        return self.home / "holder.json"
