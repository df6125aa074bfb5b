"""Fixed width: lines whose fields stand at declared places.

What is in it: a preamble of any length, sometimes a rule of dashes, then lines; a field is the characters from its
start to its end, padded with blanks. Examples with a published layout: GHCN-Daily
(https://www.ncei.noaa.gov/pub/data/ghcn/daily/readme.txt, sections III and IV) and EDGAR's form index
(https://www.sec.gov/Archives/edgar/full-index/). Places are characters of the decoded text, not bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from sbf_core.dataset.formats_of_tables import FixedWidth
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import PayloadFile, Reading, Record
from sbf_core.payload.records_only import RecordsOnly, lines_of, places_of, short, without_last


class FixedWidthReader(RecordsOnly):
    """See ``FormatReader``."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record a line that is not blank.

        A line that ends before a wanted field begins, or goes on behind the last one, is ``ragged``; one with a tab, or
        with text in a gap, is ``shifted``.

        Raises:
            PayloadRefused: no line begins as ``after`` says, a byte is none of the encoding, or a declared field is
                not in ``fields``.
        """
        declared = reading.format
        assert isinstance(declared, FixedWidth)
        names = [name for name, _, _ in declared.fields]
        places = places_of(reading.slots, names)
        spans = [None if place is None else declared.fields[place][1:] for place in places]
        wanted = [place for slot, place in zip(reading.slots, places, strict=True) if not slot.column.optional]
        needed = max((declared.fields[place][1] for place in wanted if place is not None), default=0)
        gaps, end = _gaps(declared)
        for number, line in without_last(_rows(declared, file), declared.footer_rows):
            fault = _fault(line, needed, gaps, end)
            if fault:
                yield Record(f"line {number}", (None,) * len(spans), fault, short(line))
            else:
                values = [None if span is None else _text(line, span, declared.null) for span in spans]
                yield Record(f"line {number}", values)


def _rows(declared: FixedWidth, file: PayloadFile) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is a row."""
    skipped, begun = 0, not declared.after
    for number, line in enumerate(lines_of(file.path, declared.encoding), start=1):
        text = line.rstrip("\r\n")
        if not begun:
            begun = text.startswith(declared.after)
        elif skipped < declared.skip_rows:
            skipped += 1
        elif text.strip():
            yield number, text
    if not begun:
        fix = "declare after= as the line above the first row begins now"
        raise PayloadRefused(f"has no line that begins with {declared.after!r}", fix=fix)


def _gaps(declared: FixedWidth) -> tuple[list[tuple[int, int]], int | None]:
    """What no field covers, and where the last field ends."""
    gaps: list[tuple[int, int]] = []
    reached = 0
    for _, start, end in declared.fields:
        if start > reached:
            gaps.append((reached, start))
        if end is None:
            return gaps, None
        reached = end
    return gaps, reached


def _fault(line: str, needed: int, gaps: list[tuple[int, int]], end: int | None) -> str:
    if "\t" in line or any(line[start:stop].strip() for start, stop in gaps):
        return "shifted"
    return "ragged" if len(line) <= needed or (end is not None and line[end:].strip()) else ""


def _text(line: str, span: tuple[int, int | None], null: tuple[str, ...]) -> str | None:
    text = line[span[0] : span[1]].strip(" ")
    return None if not text or text in null else text


READER = FixedWidthReader()
