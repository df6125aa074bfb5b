"""What ``sbf verify`` can find."""

from __future__ import annotations

from enum import StrEnum

import attrs

from sbf_core.value import Value


class FindingKind(StrEnum):
    """The kinds of disagreement between files, journals, ledger and tables."""

    PAYLOAD_MISSING = "payload_missing"
    PAYLOAD_CHANGED = "payload_changed"
    #: A link or something else stands where a payload was.
    PAYLOAD_NO_FILE = "payload_no_file"
    #: A file in Bronze that neither a journal nor the ledger knows.
    FILE_UNKNOWN = "file_unknown"
    #: Bytes in a pack that belong to no payload on record, as a crash leaves them.
    PACK_LONGER = "pack_longer"
    JOURNAL_BROKEN = "journal_broken"
    JOURNAL_MISSING = "journal_missing"
    #: The ledger knows a payload that its run's journal does not.
    NOT_JOURNALLED = "not_journalled"
    #: A journal knows a payload that the ledger does not.
    NOT_RECORDED = "not_recorded"
    #: Journal and ledger say different things of one payload.
    RECORD_DIFFERS = "record_differs"
    RECORD_TWICE = "record_twice"
    PROMOTION_MISSING = "promotion_missing"
    PROMOTION_UNKNOWN = "promotion_unknown"
    #: ``ops.file_ingestions`` does not say what manifest and promotions say.
    INGESTION_DIFFERS = "ingestion_differs"
    COUNTS_DIFFER = "counts_differ"
    WATERMARK_DIFFERS = "watermark_differs"
    #: ``ops.coverage`` holds days final that no answer on record covers.
    COVERAGE_UNPROVEN = "coverage_unproven"
    #: A silver row that Bronze does not give, or the other way round.
    ROW_DIFFERS = "row_differs"
    #: A gold row that its SELECT does not give, or the other way round.
    GOLD_DIFFERS = "gold_differs"
    #: The database is not what its copy for readers says, although nobody has written it since.
    DATABASE_CHANGED = "database_changed"
    #: A copy for readers that the last run left is gone, or is not what it left.
    PUBLISHED_MISSING = "published_missing"
    PUBLISHED_CHANGED = "published_changed"
    #: A run that did not end well; the next one puts that right.
    NOT_RECOVERED = "not_recovered"


#: Only bytes from elsewhere put these right.
PAYLOAD_LOST = (FindingKind.PAYLOAD_CHANGED, FindingKind.PAYLOAD_NO_FILE, FindingKind.PAYLOAD_MISSING)


@attrs.frozen(kw_only=True, order=True)
class Finding(Value):
    """One disagreement.

    Attributes:
        kind: what it is.
        subject: what it is about: a path below Bronze, a table and key, a series.
        detail: what was found.
    """

    kind: FindingKind
    subject: str
    detail: str = ""
