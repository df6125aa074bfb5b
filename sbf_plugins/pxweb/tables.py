"""A table as a user writes it: ``SSB/07221?Region=TOTAL+001&ContentsCode=Boligindeks&Tid=*``.

OFFICE/TABLE, and behind a question mark each dimension that the answer has, with the codes that are wanted: ``+``
between them, ``*`` for all, ``top:8`` for the last eight. A ``+``, ``&``, ``=`` or ``%`` in a code is written as in an
address: ``1%2B2``. ``as=NAME`` names the dataset. A dimension that is left out is one that the office sums up; where it
does not, rows have one key and are rejected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from math import prod
from typing import Any, NoReturn
from urllib.parse import quote, unquote

import attrs

from sbf_core.api import Column, DatasetKeymapEntry, JsonStat, RestRecipe, UsageError
from sbf_plugins.pxweb.offices import OFFICES, Office

EXAMPLE = '"SSB/07221?Region=TOTAL+001&ContentsCode=Boligindeks&Tid=*"'
_TABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TOP = re.compile(r"top:([1-9][0-9]{0,4})")
_TAKEN = ("value", "status", "updated")
_ALL = "*"


@attrs.frozen(kw_only=True)
class Table:
    """What one text asks for.

    Attributes:
        office: word of the office.
        table: its path there.
        name: what the dataset is called, with the office before it.
        dimensions: by id the codes; ``("*",)`` for all, ``("top:8",)`` for the last.
    """

    office: str
    table: str
    name: str
    dimensions: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def service(self) -> Office:
        """The office that has it."""
        return OFFICES[self.office]

    @property
    def has_window(self) -> bool:
        """Whether the selection moves: what an answer lacks may be older than it."""
        return any(_TOP.fullmatch(codes[0]) for _, codes in self.dimensions)

    @property
    def cells(self) -> int:
        """How many cells are asked for at least."""
        return prod(_count(codes) for _, codes in self.dimensions)


def _count(codes: Sequence[str]) -> int:
    top = _TOP.fullmatch(codes[0])
    return int(top[1]) if top is not None else len(codes)


def table_of(text: str) -> Table:
    """What a text asks for.

    Raises:
        UsageError: it is none, with what to write.
    """
    head, _, tail = text.partition("?")
    office, _, table = head.partition("/")
    if office not in OFFICES:
        _refuse(text, f"there is no office {office!r}", f"use one of {', '.join(OFFICES)}")
    if not _TABLE.fullmatch(table) or ".." in table:
        _refuse(text, f"{table!r} is no table", f"write its path as in the address of the office, e.g. {EXAMPLE}")
    parts = [part.partition("=") for part in tail.split("&")] if tail else []
    names = [value for name, _, value in parts if name == "as"]
    dimensions = tuple((unquote(name), _codes(text, unquote(name), value)) for name, _, value in parts if name != "as")
    if not dimensions:
        _refuse(text, "names no dimension", f"write those that the answer has, with their codes: {EXAMPLE}")
    made = Table(office=office, table=table, name=_name(text, office, table, names), dimensions=dimensions)
    _check(text, made)
    return made


def _codes(text: str, name: str, value: str) -> tuple[str, ...]:
    codes = tuple(unquote(code) for code in value.split("+"))
    if not name or not all(codes) or len(set(codes)) < len(codes):
        _refuse(text, f"dimension {name!r} is not said as NAME=CODE+CODE, each once", f"write e.g. {EXAMPLE}")
    if len(codes) > 1 and any(code == _ALL or _TOP.fullmatch(code) for code in codes):
        _refuse(text, f"dimension {name!r} has codes beside * or top:", "keep the codes, or the other alone")
    return codes


def _name(text: str, office: str, table: str, names: Sequence[str]) -> str:
    last = table.rpartition("/")[2].removesuffix(".px")
    name = names[-1] if names else re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")
    full = f"{office.lower()}_{name}"
    if len(names) > 1 or not _NAME.fullmatch(full):
        _refuse(text, f"{name!r} can be no name of a dataset", "add as=NAME, with small letters, digits and _")
    return full


def _check(text: str, table: Table) -> None:
    ours = [column_name(name) for name, _ in table.dimensions]
    twice = next((name for name in ours if ours.count(name) > 1 or f"{name}_name" in ours), None)
    if twice is not None:
        _refuse(text, f"two dimensions would be the column {twice!r}", "name each once")
    most = table.service.cells_max
    if most and table.cells > most:
        what = f"asks for {table.cells:,} cells, and {table.service.title} answers {most:,} at most"
        _refuse(text, what, "ask for fewer codes, or in several tables, with as=NAME each")
    if table.service.kind != "px" and table.has_window:
        _refuse(text, f"{table.service.title} knows no top:", "name the codes, or * for all")


def _refuse(text: str, what: str, fix: str) -> NoReturn:
    raise UsageError(f"{text!r}: {what}", where="[options.pxweb] tables", fix=fix, code="OPTION")


def column_name(dimension: str) -> str:
    """The column of a dimension: its id in small letters without accents; ``dim_`` before what can be none."""
    plain = unicodedata.normalize("NFKD", dimension).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if _NAME.fullmatch(name) and name not in _TAKEN else f"dim_{name or len(dimension)}"


def entry(table: Table) -> DatasetKeymapEntry:
    """The dataset of a table."""
    columns = []
    for dimension, _ in table.dimensions:
        name = column_name(dimension)
        columns += [
            Column(name=name, type="VARCHAR", key=True, source=dimension, doc="the code of the office"),
            Column(
                name=f"{name}_name", type="VARCHAR", nullable=True, source=f"{dimension}.label", doc="what it means"
            ),
        ]
    columns += [
        Column(
            name="value", type="DECIMAL(28,10)", nullable=True, unit="that of the table", doc="NULL: none, see status"
        ),
        Column(name="status", type="VARCHAR", nullable=True, optional=True, doc="the mark of the office, e.g. .. or p"),
        Column(name="updated", type="TIMESTAMP", nullable=True, optional=True, zone="UTC", doc="of the whole table"),
    ]
    office = table.service
    return DatasetKeymapEntry(
        domain="macro",
        source="pxweb",
        dataset=table.name,
        silver_table=f"pxweb_{table.name}",
        columns=columns,
        format=JsonStat(),
        recipe=RestRecipe(limits=("3/second",), connections=1, **_asked(table)),
        # what a whole answer lacks is gone; what the last few periods lack is older
        semantics="upsert" if table.has_window else "snapshot",
        refresh_after_hours=24,
        opt_in=True,
        tags=("macro",),
        title=f"Table {table.table} of {office.title}",
        terms=office.terms,
        source_url=office.about,
    )


def _asked(table: Table) -> dict[str, Any]:
    """Address and body of the request."""
    url = table.service.url.replace("{table}", table.table)
    if table.service.kind == "get":
        wanted = [(name, code) for name, codes in table.dimensions for code in codes if code != _ALL]
        return {"url": url + "".join(f"&{quote(name)}={quote(code)}" for name, code in wanted)}
    if table.service.kind == "statbank":
        variables = [{"code": name, "values": list(codes)} for name, codes in table.dimensions]
        return {"url": url, "json": {"table": table.table, "format": "JSONSTAT", "lang": "en", "variables": variables}}
    query = [{"code": name, "selection": _selection(codes)} for name, codes in table.dimensions]
    return {"url": url, "json": {"query": query, "response": {"format": "json-stat2"}}}


def _selection(codes: Sequence[str]) -> dict[str, Any]:
    top = _TOP.fullmatch(codes[0])
    if top is not None:
        return {"filter": "top", "values": [top[1]]}
    return {"filter": "all" if codes == (_ALL,) else "item", "values": list(codes)}
