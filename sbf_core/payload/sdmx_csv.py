"""SDMX-CSV data messages 1.0, 2.0 and 2.1 (https://github.com/sdmx-twg/sdmx-csv, data-message field guides).

What is in it: RFC 4180 with a header. The first column is ``DATAFLOW`` (1.0), or ``STRUCTURE`` (2.0; ``STRUCTURE[;]``
where fields hold several values), then ``STRUCTURE_ID`` and ``ACTION`` (I, A, M, R add or replace, D deletes); the ECB
begins with ``KEY``. Then a column for each dimension, measure and attribute, by id, and columns of the sender's own.
Everything is a text: ``007``, ``TRUE``, ``1E5`` and ``NA`` are codes. An empty field has no value; ``NaN`` and ``#N/A``
say that a value is missing on purpose, and stay texts (``column(missing=("NaN",))``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from sbf_core.dataset.formats_of_statistics import SdmxCsv
from sbf_core.errors import PayloadRefused
from sbf_core.payload.model import PayloadFile, Reading, Record
from sbf_core.payload.records_only import RecordsOnly, lines_of, places_of, short

_FIRST = ("DATAFLOW", "STRUCTURE", "KEY")
_ACTIONS = frozenset("IAMRD")
_LABEL = ": "


class SdmxCsvReader(RecordsOnly):
    """See ``FormatReader``."""

    def records(self, reading: Reading, file: PayloadFile) -> Iterator[Record]:
        """One record a line. One with more or fewer fields than the header is ``ragged``, one with another ``ACTION``
        than those of the standard ``action``, one whose quotes cannot be read ``quotes``.

        Raises:
            PayloadRefused: it is no SDMX-CSV with the declared delimiter and labels, it deletes and no column takes
                ``ACTION``, or a quote is never closed.
        """
        declared = reading.format
        assert isinstance(declared, SdmxCsv)
        rows = _rows(declared, file)
        number, header, _ = next(rows, (0, None, ""))
        if not isinstance(header, list):
            raise PayloadRefused("is no SDMX-CSV: its first line cannot be read")
        ids = _ids(declared, header)
        fields = [*ids, *(f"{name}{kind}" for kind in (".name", ".text") for name in ids if declared.labels)]
        places = places_of(reading.slots, fields)
        action = ids.index("ACTION") if "ACTION" in ids else None
        takes_action = action is not None and action in places
        for number, row, raw in rows:
            fault = row if isinstance(row, str) else _fault(row, len(ids), action)
            if fault or isinstance(row, str):
                yield Record(f"line {number}", (None,) * len(places), fault, short(raw))
                continue
            if action is not None and row[action] == "D" and not takes_action:
                fix = 'declare a column with source="ACTION", so that they are no values'
                raise PayloadRefused(f"holds deletions, the first on line {number}", fix=fix)
            values = _values(row) if declared.labels else row
            yield Record(f"line {number}", [None if place is None else values[place] or None for place in places])


def _rows(declared: SdmxCsv, file: PayloadFile) -> Iterator[tuple[int, list[str] | str, str]]:
    """Number of the first line, fields or fault, and text of each row."""
    taken: list[str] = []
    is_at_end = False

    def lines() -> Iterator[str]:
        nonlocal is_at_end
        for line in lines_of(file.path, "utf-8"):
            taken.append(line)
            yield line
        is_at_end = True

    reader = csv.reader(lines(), delimiter=declared.delimiter, strict=True)
    number = 1
    while True:
        row: list[str] | str
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if is_at_end:
                raise PayloadRefused(f"has a quote on line {number} that is never closed") from error
            row = "quotes"
        if row:
            yield number, row, "".join(taken)
        number += len(taken)
        taken.clear()


def _ids(declared: SdmxCsv, header: Sequence[str]) -> list[str]:
    """The names of the columns; with labels what stands before the name."""
    first = header[0].partition("[")[0].partition(_LABEL)[0]
    if first not in _FIRST:
        other = next((mark for mark in ";,\t|" if header[0].partition(mark)[0].partition("[")[0] in _FIRST), "")
        fix = f"declare SdmxCsv(delimiter={other!r})" if other else "declare Csv(...) if it is another one"
        raise PayloadRefused(f"is no SDMX-CSV: its first column is {short(header[0])!r}", fix=fix)
    labelled = [name for name in header if _LABEL in name]
    if bool(labelled) and not declared.labels:
        raise PayloadRefused(f"has labels: {labelled[0]!r}", fix="declare SdmxCsv(labels=True)")
    return [name.partition(_LABEL)[0] for name in header] if declared.labels else list(header)


def _fault(row: Sequence[str], width: int, action: int | None) -> str:
    if len(row) != width:
        return "ragged"
    return "action" if action is not None and row[action] and row[action] not in _ACTIONS else ""


def _values(row: Sequence[str]) -> list[str]:
    """Codes, names and whole texts. A code has no blanks, so a text of several words is no code with a name."""
    codes: list[str] = []
    names: list[str] = []
    for text in row:
        code, mark, name = text.partition(_LABEL)
        is_code = bool(mark) and bool(code) and not any(letter.isspace() for letter in code)
        codes.append(code if is_code else text)
        names.append(name if is_code else "")
    return [*codes, *names, *row]


READER = SdmxCsvReader()
