"""A payload on its way to its place in Bronze."""

from __future__ import annotations

import attrs

from sbf_core.bronze.journal_line import JournalLine, checked, placed_text
from sbf_core.bronze.pack_writer import PackPlace
from sbf_core.ops.rows import BronzeManifestRow
from sbf_core.runs.result import RunResult
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class StagedPayload(Value):
    """A payload in a temporary file beside its final place, or in memory where it is to be packed.

    Attributes:
        line: what its journal will say; of a packed one, but for its place.
        text: the line as it will stand there.
        temp_path: where it is.
        packed: its bytes, where it is to be packed and has no temporary file.
        place: where it was packed; None as long as it was not.
    """

    line: JournalLine
    text: str
    temp_path: str
    packed: bytes | None = None
    place: PackPlace | None = None

    def at(self, place: PackPlace) -> StagedPayload:
        """The same in its place in a pack."""
        row = attrs.evolve(self.line.row, pack=place.pack, pack_offset=place.offset)
        line = attrs.evolve(self.line, row=row)
        return attrs.evolve(self, line=line, text=placed_text(self.text, row), place=place)


def as_staged(result: RunResult, rel_path: str, payload_hash: str, byte_count: int, temp_path: str) -> StagedPayload:
    """A result that is to be kept. Raises ``PayloadRefused`` for what no journal can hold."""
    row = BronzeManifestRow.of(result, rel_path=rel_path, payload_hash=payload_hash, content_length_bytes=byte_count)
    line = JournalLine(row=row, headers=result.headers, masked=result.masked)
    return StagedPayload(line=line, text=checked(line), temp_path=temp_path)
