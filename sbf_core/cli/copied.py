"""What a backup or a restore copied, told."""

from __future__ import annotations

import attrs

from sbf_core.care.backup import BackupReport
from sbf_core.cli.render import print_json
from sbf_core.counted import counted


def tell_copied(what: str, report: BackupReport, *, as_json: bool) -> None:
    """How much was copied, and where to; ``what`` is the command."""
    if as_json:
        print_json(what, **{**attrs.asdict(report), "folder": str(report.folder)})
        return
    print(
        f"{counted(report.payloads, 'payload')}, {report.payloads_copied:,} of them copied now "
        f"({report.byte_count / 1024**2:.1f} MiB); database: {report.database}"
    )
    print(f"at {report.folder}")
