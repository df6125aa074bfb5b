"""Rows and columns of an SDMX data message whose data structure is known: nothing of them has to be inferred but how
periods are written.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sbf_core.dataset.columns import Column
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.formats import Csv
from sbf_core.dataset.formats_of_statistics import SdmxCsv, SdmxJson, SdmxMl
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.payload.formats import reader_of
from sbf_core.payload.model import PayloadFile, Reading, Record, Slot
from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.naming import as_name
from sbf_core.scaffold.row_search import FoundRows
from sbf_core.scaffold.sdmx_structure import DataStructure

_Form = Csv | SdmxCsv | SdmxJson | SdmxMl
_STANDARD_CSV = re.compile(r'"?(?:DATAFLOW|STRUCTURE|KEY)\b')
_NO_VALUE = ("NaN", "#N/A", ":")
#: How all periods of a sample are written, and the format that reads them as days; empty: ISO 8601.
_PERIODS = {r"\d{4}-\d{2}-\d{2}": "", r"\d{4}-\d{2}": "%Y-%m", r"\d{4}": "%Y"}


def sdmx_rows(payload: bytes, structure: DataStructure, *, where: str) -> FoundRows:
    """The observations of a message, as texts by the ids of their components.

    Raises:
        UsageError: it is no data message, a line of it is none, or it lacks a dimension or the measure.
    """
    form, extension = _form(payload)
    ids = [*structure.dimensions, *([structure.time] if structure.time else []), structure.measure]
    wanted = [*ids, *structure.attributes]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payload"
        path.write_bytes(payload)
        file = PayloadFile(file_id="sample", path=path, extension=extension, byte_count=len(payload))
        try:
            records = list(reader_of(form.kind).records(_reading(form, wanted), file))
        except PayloadRefused as error:
            fix = "give the address of data of this structure, as SDMX-CSV, SDMX-JSON or SDMX-ML"
            raise UsageError(f"{error.what}", where=where, fix=error.fix or fix, code="SDMX") from error
    if not records:
        raise UsageError("the message has no observation", where=where, fix="ask for some that has", code="NO_DATA")
    rows = tuple(_row(record, wanted, where) for record in records)
    lacking = [name for name in ids if all(row[name] is None for row in rows)]
    if lacking:
        what = f"no observation has {', '.join(lacking)}, of the structure {structure.id}"
        raise UsageError(what, where=where, fix="is it data of this structure? ask for all of its details", code="SDMX")
    return FoundRows(extension=extension, rows=rows, format=form)


def sdmx_columns(structure: DataStructure, rows: Sequence[Mapping[str, str | None]]) -> list[GuessedColumn]:
    """A column for each component: dimensions and the period are the key, attributes without a value in the sample are
    comments.
    """
    taken: set[str] = set()

    def name_of(text: str) -> str:
        name = as_name(text, taken=taken)
        taken.add(name)
        return name

    def example(name: str) -> str:
        return next((row[name] or "" for row in rows if row[name]), "")

    columns = [
        GuessedColumn(name=name_of(one), source=one, python="str", nullable=False, key=True, example=example(one))
        for one in structure.dimensions
    ]
    if structure.time:
        columns.append(_period(name_of("period"), structure.time, [row[structure.time] or "" for row in rows]))
    marks = tuple(mark for mark in _NO_VALUE if any(row[structure.measure] == mark for row in rows))
    columns.append(
        GuessedColumn(
            name=name_of("value"), source=structure.measure, python="Decimal", nullable=True, precision=38, scale=18,
            missing=marks, example=example(structure.measure),
        )
    )  # fmt: skip
    return columns + [
        GuessedColumn(
            name=name_of(one), source=one, python="str", nullable=True, is_optional=True, example=example(one)
        )
        for one in structure.attributes
    ]


def _form(payload: bytes) -> tuple[_Form, str]:
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] == b"<":
        return SdmxMl(), "xml"
    if body[:1] == b"{":
        return SdmxJson(), "json"
    header = body.splitlines()[0].decode("utf-8", "replace") if body else ""
    mark = ";" if header.count(";") > header.count(",") else ","
    if _STANDARD_CSV.match(header):
        return SdmxCsv(delimiter=mark, labels=": " in header), "csv"
    return Csv(delimiter=mark), "csv"


def _reading(form: _Form, wanted: Sequence[str]) -> Reading:
    columns = [
        Column(name=f"c{place}", type="VARCHAR", nullable=True, optional=True, source=one)
        for place, one in enumerate(wanted)
    ]
    key = Column(name="k", type="VARCHAR", key=True)
    entry = DatasetKeymapEntry(
        domain="d", source="s", dataset="d", silver_table="t", columns=[key, *columns], format=form
    )
    slots = tuple(Slot(name=f"f{place}", column=column) for place, column in enumerate(columns))
    return Reading(entry=entry, format=form, slots=slots)


def _row(record: Record, wanted: Sequence[str], where: str) -> Mapping[str, str | None]:
    if record.fault:
        raise UsageError(f"{record.place} is no row: {record.fault}", where=where, fix="ask for others", code="SDMX")
    return dict(zip(wanted, record.values, strict=True))


def _period(name: str, source: str, texts: Sequence[str]) -> GuessedColumn:
    """A date where all periods of the sample are days, months or years; else a text, as one flow may hold several."""
    for pattern, date_format in _PERIODS.items():
        if all(re.fullmatch(pattern, text) for text in texts):
            kind = {"": "days", "%Y-%m": "months", "%Y": "years"}[date_format]
            return GuessedColumn(
                name=name, source=source, python="dt.date", nullable=False, key=True, row_date=True,
                date_format=date_format, example=texts[0],
                doubts=(f"all periods of the sample are {kind}; a text (str) takes all kinds",),
            )  # fmt: skip
    return GuessedColumn(name=name, source=source, python="str", nullable=False, key=True, example=texts[0])
