"""What a verification came to."""

from __future__ import annotations

import attrs

from sbf_core.care.findings import Finding


@attrs.define(kw_only=True)
class VerifyReport:
    """What a verification came to.

    Attributes:
        findings: every disagreement, in order.
        payloads_checked, payloads: how many payloads were read, of how many.
        tables_checked, tables: how many silver and gold tables were compared, of how many.
        notes: what was not looked at, and why.
    """

    findings: list[Finding] = attrs.field(factory=list)
    payloads_checked: int = 0
    payloads: int = 0
    tables_checked: int = 0
    tables: int = 0
    notes: list[str] = attrs.field(factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything was looked at in this pass."""
        return (self.payloads_checked, self.tables_checked) == (self.payloads, self.tables)
