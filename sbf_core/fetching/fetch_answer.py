"""What one request came to."""

from __future__ import annotations

import attrs

from sbf_core.bronze.staged_payload import StagedPayload
from sbf_core.errors import SbfError
from sbf_core.failures import FailureKind
from sbf_core.ops.rows import FailedFetch
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Value
from sbf_core.vocabulary import WorkStatus


@attrs.frozen(kw_only=True)
class FetchAnswer(Value):
    """What one request came to.

    ``key_at`` says where a payload of it repeats a key, empty: nowhere; ``lacking``, what the machine lacked, so that
    nothing is recorded of it; ``is_refused``, that the vendor took the question for wrong; ``asks_too_much``,
    for too large.
    """

    request: RunRequest
    staged: tuple[StagedPayload, ...] = ()
    other: tuple[FailedFetch, ...] = ()
    fault: SbfError | None = None
    not_asked: str = ""
    not_asked_kind: FailureKind = FailureKind.NOT_ASKED
    evidence: RunResult | None = None
    key_at: str = ""
    lacking: Exception | None = None
    is_refused: bool = False
    asks_too_much: bool = False

    @property
    def came(self) -> bool:
        """Whether it is an answer of the vendor's that counts."""
        return (
            self.fault is None
            and not self.not_asked
            and all(fetch.status in (WorkStatus.UNCHANGED, WorkStatus.NONE) for fetch in self.other)
        )
