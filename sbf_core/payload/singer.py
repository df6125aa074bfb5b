"""Messages of a Singer tap, one JSON object a line
(https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sbf_core.dataset.json_path import rows_path, source_path
from sbf_core.dataset.singer import Singer
from sbf_core.errors import PayloadRefused
from sbf_core.payload.json_records import RowPlan
from sbf_core.payload.json_text import EXACT, minified
from sbf_core.payload.json_walk import Row
from sbf_core.payload.model import PayloadFile, Reading, Record
from sbf_core.payload.records_only import RecordsOnly, lines_of, short


class SingerReader(RecordsOnly):
    """See ``FormatReader``."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record for each RECORD of the stream, in their order, with the digits of its numbers.

        Raises:
            PayloadRefused: a line is no message, none is of the stream, or none of its records has a field that must be
                there.
        """
        declared = reading.format
        wanted = declared.stream if isinstance(declared, Singer) else ""
        sources = [[source_path(source) for source in slot.sources] for slot in reading.slots]
        plan = RowPlan(reading.slots, sources, rows_path(""), takes_texts_alike=True)
        streams: set[str] = set()
        for place, message in messages(file.path):
            stream = str(message.get("stream", ""))
            if message["type"] != "RECORD" or (wanted and stream != wanted):
                continue
            streams.add(stream)
            if len(streams) > 1:
                told = ", ".join(map(repr, sorted(streams)))
                raise PayloadRefused(f"holds records of several streams: {told}", fix='declare Singer(stream="...")')
            if not isinstance(message.get("record"), dict):
                yield Record(place, [None] * len(reading.slots), "no_row", short(str(message.get("record"))))
                continue
            yield plan.record(message, Row(value=message["record"], place=place, trail=()))
        plan.check_found()


def messages(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages of a payload, each with its place; blank lines are none. Raises ``PayloadRefused``."""
    for number, line in enumerate(lines_of(path, "utf-8"), start=1):
        if not line.strip():
            continue
        try:
            message = EXACT.decode(line.strip())
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise PayloadRefused(f"is no message of a Singer tap in line {number}: {short(line)!r}")
        yield f"line {number}", message


def state_of(path: Path) -> str:
    """The last state that a tap said, as JSON without blanks; empty where it said none. Raises ``PayloadRefused``."""
    state = ""
    for line in lines_of(path, "utf-8"):
        if '"STATE"' in line:
            message = EXACT.decode(line.strip())
            if isinstance(message, dict) and message.get("type") == "STATE":
                state = minified(message["value"]) if message.get("value") else ""
    return state


READER = SingerReader()
