"""How payloads become rows: what the hook ``promote`` is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import attrs

from sbf_core.errors import UsageError
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.unicode_text import is_unicode
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class BatchFile(Value):
    """One payload of a batch.

    Attributes:
        row: its manifest row.
        path: where its bytes are read from; for a packed payload that is what was unpacked.
        is_context: it was promoted before and is only looked at again because an older payload arrived late.
    """

    row: BronzeManifestRow
    path: str
    is_context: bool = False


def _nothing() -> tuple[str, ...]:
    return ()


@attrs.frozen(kw_only=True)
class PromotionBatch(Value):
    """What ``promote`` may look at.

    Attributes:
        files: the payloads, oldest first.
        extension: of their bytes, unpacked: ``json``, ``csv``, ``xml`` or another.
        describe: finds the fields of the relation ``batch``; a hook reads ``fields``.
    """

    files: tuple[BatchFile, ...]
    extension: str
    describe: Callable[[], tuple[str, ...]] = attrs.field(default=_nothing, eq=False, repr=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields in the relation ``batch``: payloads are looked into when a hook asks for it, not before.

        Empty where the relation has none (``xml``, ``txt``). Raises ``PayloadRefused`` where no payload can be read by
        SQL.
        """
        return self.describe()


@attrs.frozen
class SelectRows(Value):
    """Rows by SQL: one SELECT over the relation ``batch``.

    ``batch`` has the column ``_file``, which the SELECT must pass on, and the fields of the payloads as text; for
    JSON it has one row a payload, with the column ``document``, in which each number is a text with the vendor's own
    digits.
    The columns of the SELECT are matched with the declared ones by their ``source`` name, and checked like any
    payload's.
    """

    sql: str = attrs.field()

    @sql.validator
    def _check(self, _: object, value: object) -> None:
        if not isinstance(value, str):
            raise UsageError(
                f"SelectRows.sql is {type(value).__name__}",
                fix='give a text, as SelectRows("SELECT ... FROM batch")',
                code="SELECT",
            )
        if not is_unicode(value):
            raise UsageError(
                "SelectRows.sql holds half of a surrogate pair, which is no letter",
                fix="write the letter whole",
                code="SELECT",
            )


@attrs.frozen
class ParseRows(Value):
    """Rows by Python: ``parse`` is called with the bytes of one payload and gives rows as mappings.

    Values may be text, numbers, dates, ``Decimal``, ``bool`` or None; they are checked like any payload's.
    For payloads that no declaration can read; a declaration is faster.
    """

    parse: Callable[[bytes], Iterable[Mapping[str, object]]]


@attrs.frozen(kw_only=True)
class WrittenRows(Value):
    """Rows that another process has parsed and written; no answer for a plugin.

    Attributes:
        path: the file, as ``write_hook_rows`` leaves it.
        errors: why payloads could not be parsed, by file id.
    """

    path: Path
    errors: Mapping[str, str]


PromotionPlan = SelectRows | ParseRows | WrittenRows
#: Asks the hook ``promote``; None where the plugin has none. The hook may answer None: the payloads are read as
#: declared.
AskPlan = Callable[[PromotionBatch], PromotionPlan | None] | None
