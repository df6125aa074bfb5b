"""SDMX-CSV data messages 1.0, 2.0 and 2.1 (https://github.com/sdmx-twg/sdmx-csv, data-message field guides).

What is in it: RFC 4180 with a header. The first column is ``DATAFLOW`` (1.0), or ``STRUCTURE`` (2.0; ``STRUCTURE[;]``
where fields hold several values), then ``STRUCTURE_ID`` and ``ACTION`` (I, A, M, R add or replace, D deletes); the ECB
begins with ``KEY``. Then a column for each dimension, measure and attribute, by id, and columns of the sender's own.
Everything is a text: ``007``, ``TRUE``, ``1E5`` and ``NA`` are codes. An empty field has no value; ``NaN`` and ``#N/A``
say that a value is missing on purpose, and stay texts (``column(missing=("NaN",))``).

A message without labels whose lines are regular delimited text is read by the engine, as ``Csv`` is; what is not, or
has an action that is none or deletes unseen, is read by Python.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import attrs

from sbf_core.dataset.columns import Column
from sbf_core.dataset.formats import Csv
from sbf_core.dataset.formats_of_statistics import SdmxCsv
from sbf_core.duck.identifiers import literal, literal_list
from sbf_core.errors import PayloadRefused
from sbf_core.payload.by_identity import by_identity
from sbf_core.payload.delimited import READER as DELIMITED
from sbf_core.payload.delimited import Layout
from sbf_core.payload.model import DOUBTFUL, Look, PayloadFile, Reading, Record, Slot
from sbf_core.payload.records_only import RecordsOnly, lines_of, places_of, short

_FIRST = ("DATAFLOW", "STRUCTURE", "KEY")
_ACTIONS = frozenset("IAMRD")
_LABEL = ": "
#: The slot of the action, for messages that the engine reads; the declared ones are called ``f`` and a number.
_ACTION = Slot(
    name="action", column=Column(name="action", type="VARCHAR", nullable=True, source="ACTION", optional=True)
)


class SdmxCsvReader(RecordsOnly):
    """See ``FormatReader``."""

    def look(self, reading: Reading, file: PayloadFile, payload: bytes | None, *, staging: Path) -> Look:
        """Whether the engine may read it. What is wrong with a message is said by ``records``."""
        by_python = super().look(reading, file, payload, staging=staging)
        declared = reading.format
        assert isinstance(declared, SdmxCsv)
        if declared.labels:
            return by_python
        try:
            rows = _rows(declared, file)
            _, header, _ = next(rows, (0, None, ""))
            rows.close()
            if not isinstance(header, list) or not _ids(declared, header):
                return by_python
            look = DELIMITED.look(_as_delimited(reading), file, payload, staging=staging)
        except PayloadRefused:
            return by_python
        # the engine's reader knows names without the blanks around them
        return look if look.is_regular and list(look.fields) == header else by_python

    def select(self, reading: Reading, looks: Sequence[Look], staging: Path, *, typed: bool = False) -> str:
        """See ``FormatReader.select``. A row whose action is none of the standard's, or deletes where no column takes
        that, is doubtful.
        """
        known = _ACTIONS if all(_takes_action(look) for look in looks) else _ACTIONS - {"D"}
        is_known = f"r.{_ACTION.name} IS NULL OR r.{_ACTION.name} IN {_listed(known)}"
        names = ["_file", "_place", *(slot.name for slot in reading.slots)]
        fields = ", ".join(f"r.{name}" for name in names[2:])
        source = DELIMITED.select(_as_delimited(reading), looks, staging, typed=typed)
        fault = f"CASE WHEN {is_known} THEN r._fault ELSE {literal(DOUBTFUL)} END AS _fault"
        return f"SELECT r._file, r._place, {fault}, r._raw, {fields} FROM ({source}) AS r"

    def types(self, reading: Reading, looks: Sequence[Look], *, typed: bool = False) -> Mapping[str, str]:
        """See ``FormatReader.types``."""
        types = DELIMITED.types(_as_delimited(reading), looks, typed=typed)
        return {name: kind for name, kind in types.items() if name != _ACTION.name}

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


@by_identity
def _as_delimited(reading: Reading) -> Reading:
    """What is wanted of the same message as delimited text, with the action behind it."""
    declared = reading.format
    assert isinstance(declared, SdmxCsv)
    form = Csv(delimiter=declared.delimiter, decimal=declared.decimal, thousands=declared.thousands)
    return attrs.evolve(reading, format=form, slots=(*reading.slots, _ACTION))


def _takes_action(look: Look) -> bool:
    """Whether a column takes the action of a message, or it has none."""
    *places, action = cast(Layout, look.layout).places
    return action is None or action in places


def _listed(actions: frozenset[str]) -> str:
    return "(" + literal_list(sorted(actions))[1:-1] + ")"


def _rows(declared: SdmxCsv, file: PayloadFile) -> Generator[tuple[int, list[str] | str, str]]:
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
