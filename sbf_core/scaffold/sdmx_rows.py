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

Form = Csv | SdmxCsv | SdmxJson | SdmxMl
_STANDARD_CSV = re.compile(r'"?(?:DATAFLOW|STRUCTURE|KEY)\b')
_NO_VALUE = ("NaN", "#N/A", ":")
#: Actions that say no more than that the row is so (SDMX 2.1 and 3.0, in the words of ML, JSON and CSV).
_IS_SO = ("Append", "Replace", "Information", "Merge", "append", "replace", "information", "merge", "I", "A", "M", "R")
_CODES_TOLD_MAX = 5
_DOC_MAX = 120
_MULTIPLIED = "to be multiplied by ten to the power of unit_mult"
#: How all periods of a sample are written, and the format that reads them as days; empty: ISO 8601.
_PERIODS = {r"\d{4}-\d{2}-\d{2}": "", r"\d{4}-\d{2}": "%Y-%m", r"\d{4}": "%Y"}


def sdmx_rows(
    payload: bytes, structure: DataStructure, *, where: str, form: Form | None = None, extension: str = ""
) -> FoundRows:
    """The observations of a message, as texts by the ids of their components.

    Args:
        payload: the message.
        structure: what its rows are made of.
        where: its address or file.
        form: how it is written; None: as its first bytes show.
        extension: what it is stored as, where ``form`` is given.

    Raises:
        UsageError: it is no data message, a line of it is none, or it lacks a dimension or the measure.
    """
    if form is None:
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


def sdmx_columns(
    structure: DataStructure, rows: Sequence[Mapping[str, str | None]], *, of_several_kinds: bool = False
) -> list[GuessedColumn]:
    """A column for each component: dimensions and the period are the key, attributes without a value in the sample are
    comments.

    Args:
        structure: the components.
        rows: the sample.
        of_several_kinds: periods are of several kinds, whatever the sample shows: a text.
    """
    taken: set[str] = set()

    def name_of(text: str) -> str:
        name = as_name(text, taken=taken)
        taken.add(name)
        return name

    def example(name: str) -> str:
        return next((row[name] or "" for row in rows if row[name]), "")

    columns = [
        GuessedColumn(
            name=name_of(one), source=one, python="str", nullable=False, key=True, example=example(one),
            doc=_doc(structure, one, rows),
        )
        for one in structure.dimensions
    ]  # fmt: skip
    if structure.time:
        texts = [row[structure.time] or "" for row in rows]
        columns.append(_period(name_of("period"), structure.time, texts, of_several_kinds=of_several_kinds))
    marks = tuple(mark for mark in _NO_VALUE if any(row[structure.measure] == mark for row in rows))
    columns.append(
        GuessedColumn(
            name=name_of("value"), source=structure.measure, python="Decimal", nullable=True, precision=38, scale=18,
            missing=marks, example=example(structure.measure),
            doc=_MULTIPLIED if "UNIT_MULT" in structure.attributes else "",
        )
    )  # fmt: skip
    return columns + [
        GuessedColumn(
            name=name_of(one), source=one, python="str", nullable=True, is_optional=True, example=example(one),
            doc=_doc(structure, one, rows) if example(one) else "",
        )
        for one in structure.attributes
    ]  # fmt: skip


def deletions(form: Form) -> GuessedColumn:
    """The column that takes what the office says of a row that it has deleted."""
    return GuessedColumn(
        name="deleted", source="ACTION" if isinstance(form, SdmxCsv) else "action", python="str", nullable=True,
        is_optional=True, is_certain=True, missing=_IS_SO, doc="D or Delete where the office has deleted the row",
    )  # fmt: skip


def _doc(structure: DataStructure, component: str, rows: Sequence[Mapping[str, str | None]]) -> str:
    """What a component is called, and the names of its codes where the sample has few of them."""
    title, names = structure.names.get(component, ""), structure.codes.get(component, {})
    seen = sorted({row[component] or "" for row in rows} - {""})
    told = [f"{code} {names[code]}" for code in seen if names.get(code)]
    codes = ", ".join(told) if told and len(seen) <= _CODES_TOLD_MAX else ""
    return _shortened(f"{title}: {codes}" if title and codes else title or codes)


def _shortened(text: str) -> str:
    return text if len(text) <= _DOC_MAX else text[: _DOC_MAX - 4].rstrip() + " ..."


def _form(payload: bytes) -> tuple[Form, str]:
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


def _reading(form: Form, wanted: Sequence[str]) -> Reading:
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


def _period(name: str, source: str, texts: Sequence[str], *, of_several_kinds: bool) -> GuessedColumn:
    """A date where all periods of the sample are days, months or years; else a text, as one flow may hold several."""
    for pattern, date_format in () if of_several_kinds else _PERIODS.items():
        if all(re.fullmatch(pattern, text) for text in texts):
            kind = {"": "days", "%Y-%m": "months", "%Y": "years"}[date_format]
            return GuessedColumn(
                name=name, source=source, python="dt.date", nullable=False, key=True, row_date=True,
                date_format=date_format, example=texts[0],
                doubts=(f"all periods of the sample are {kind}; a text (str) takes all kinds",),
            )  # fmt: skip
    return GuessedColumn(name=name, source=source, python="str", nullable=False, key=True, example=texts[0])
