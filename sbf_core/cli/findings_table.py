"""What `sbf verify` and `sbf repair` found, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.care.findings import Finding
from sbf_core.cli.render import print_table, reaching

_SHOWN = 200


def print_findings(findings: Sequence[Finding]) -> None:
    """The first of them, how many more there are, and an empty line."""
    shown = findings[:_SHOWN]
    print_table(("kind", "subject", "detail"), [(one.kind, one.subject, reaching(one.detail)) for one in shown])
    if len(findings) > len(shown):
        print(f"and {len(findings) - len(shown)} more; --json shows all")
    print()
