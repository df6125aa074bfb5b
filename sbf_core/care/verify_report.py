"""What a verification came to."""

from __future__ import annotations

import attrs

from sbf_core.care.findings import Finding, FindingKind
from sbf_core.counted import counted
from sbf_core.errors import HomeLocked
from sbf_core.value import Entity

#: What a run does to the files of a home looks like this to somebody who knows the state before it.
_OF_A_RUN = frozenset(
    (
        FindingKind.FILE_UNKNOWN,
        FindingKind.PACK_LONGER,
        FindingKind.JOURNAL_BROKEN,
        FindingKind.NOT_RECORDED,
        FindingKind.DATABASE_CHANGED,
        FindingKind.PUBLISHED_MISSING,
        FindingKind.PUBLISHED_CHANGED,
    )
)


@attrs.define(kw_only=True)
class VerifyReport(Entity):
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

    def leave_out_of_run(self) -> None:
        """Leave out what a run that began meanwhile may have made.

        Raises:
            HomeLocked: nothing else was found, and what was may be damage, or not.
        """
        left = [finding for finding in self.findings if finding.kind not in _OF_A_RUN]
        count = len(self.findings) - len(left)
        if count and not left:
            what = "a run began meanwhile, and what it writes cannot be told from damage"
            raise HomeLocked(what, fix="run `sbf verify` again when it has ended")
        if count:
            told = counted(count, "finding", "findings")
            self.notes.append(f"a run began meanwhile: {told} about what it writes left out; run `sbf verify` again")
        self.findings = left
