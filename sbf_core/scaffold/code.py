"""The module of a new plugin, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sbf_core.duck.identifiers import quoted
from sbf_core.errors import printable
from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.literals import literal, names_in
from sbf_core.scaffold.naming import class_of
from sbf_core.scaffold.proposal import Proposal, terms_of
from sbf_core.scaffold.row_search import FoundRows
from sbf_core.scaffold.wide import Wide

_MARK = "  # unsure: "
#: Longer doubts stand above their line.
_LINE_MAX = 180
_NO_UNIT = "say its unit, or what it counts"


def plugin_text(proposal: Proposal) -> str:
    """``plugin.py``: the columns, the declaration, and the hooks that it needs.

    Lines that a reader must look at end with ``# unsure: ...``.
    """
    body = [*_columns(proposal), "", "", *_declaration(proposal)]
    if proposal.kind == "custom":
        body += ["", "", *_CUSTOM_HOOKS.strip("\n").splitlines()]
    elif proposal.wide is not None:
        body += ["", "", *_wide_hook(proposal, proposal.wide)]
    elif proposal.found.tag:
        body += ["", "", *_XML_HOOKS.replace("ROW_TAG", literal(proposal.found.tag)).strip("\n").splitlines()]
    head = [f'"""{_title(proposal)}, for sbf."""', "", "from __future__ import annotations", ""]
    return "\n".join([*head, *_imports(proposal, body), "", "", *body]) + "\n"


def _title(proposal: Proposal) -> str:
    title = proposal.words.title or proposal.name.replace("_", " ").capitalize()
    return printable(title).replace('"', "'").replace("\\", "/")


def _imports(proposal: Proposal, body: Sequence[str]) -> list[str]:
    types = {column.python for column in proposal.columns}
    hooked = proposal.kind == "custom" or bool(proposal.found.tag)
    standard = []
    if any(re.search(r"\bdt\.date", line) for line in body):
        standard.append("import datetime as dt")
    standard.append(f"from collections.abc import {'Iterator, ' if hooked else ''}Sequence")
    if proposal.wide is not None and proposal.wide.pattern:
        standard.insert(0, "import re")
        standard.sort(key=lambda text: (text.startswith("from"), text))
    if "Decimal" in types:
        standard.append("from decimal import Decimal")
    if proposal.found.tag:
        standard.append("from xml.etree import ElementTree")
    names = {"Cadence"} if proposal.weekdays_only else set()
    names |= {"DatasetKeymapEntry", "column", "hookimpl"}
    names |= set(names_in([proposal.found.format, proposal.recipe, *(one.value for one in proposal.declared)]))
    if hooked:
        names |= {"ParseRows", "PayloadRefused"}
    if proposal.wide is not None:
        names |= {"PromotionBatch", "SelectRows"}
    if proposal.kind == "custom":
        names |= {"FetchSession", "RunRequest", "RunResult"}
    listed = ", ".join(sorted(names, key=lambda name: (name[0].islower(), name)))
    return [*standard, "", "import attrs", f"from sbf_core.api import {listed}"]


def _columns(proposal: Proposal) -> list[str]:
    lines = ["@attrs.frozen", f"class {class_of(proposal.name)}:", '    """One row."""', ""]
    for column in proposal.columns:
        line = (
            f"    {'# ' if column.is_empty else ''}{column.name}: {column.hint} = "
            f"column({', '.join(_arguments(column))})"
        )
        doubts = _doubts(column)
        if doubts and len(line + doubts) > _LINE_MAX:
            lines.append(f"    {doubts.strip()}")
            doubts = ""
        lines.append(line + doubts)
    return lines


def _arguments(column: GuessedColumn) -> Iterator[str]:
    if column.key:
        yield "key=True"
    if column.row_date:
        yield "row_date=True"
    if column.source != column.name:
        yield f"source={literal(column.source)}"
    if column.python == "Decimal":
        yield f"precision={column.precision}, scale={column.scale}"
    for name in ("date_format", "zone", "epoch", "resolution"):
        if getattr(column, name):
            yield f"{name}={literal(getattr(column, name))}"
    if column.is_optional:
        yield "optional=True"
    if column.trim:
        yield "trim=True"
    if column.missing:
        yield f"missing={literal(column.missing)}"
    if column.known_from:
        yield "known_from=True"
    if column.unit:
        yield f"unit={literal(column.unit)}"
    if column.doc or column.lacks_meaning:
        yield f"doc={literal(column.doc or 'not described yet')}"


def _doubts(column: GuessedColumn) -> str:
    doubts = [*column.doubts, *([_NO_UNIT] if column.lacks_meaning else [])]
    return _mark("; ".join(doubts))


def _first_date(proposal: Proposal) -> str:
    template = proposal.template
    day = proposal.request.from_date if template is not None and template.asks_days else None
    if template is not None and template.changes is not None:
        day = template.changes.moment.date()
    if day is None:
        return ""
    return f"dt.date({day.year}, {day.month}, {day.day})"


def _recipe(proposal: Proposal) -> str:
    return literal(proposal.recipe)


def _format(found_rows: FoundRows) -> Iterator[str]:
    """The format as far as it differs from the usual one, and the file in a zip."""
    if found_rows.format is not None:
        marks = "  # the marks in numbers of the rows that parse gives" if found_rows.tag else ""
        yield f"format={literal(found_rows.format)},{marks}"
    if found_rows.member:
        yield f"member={literal(found_rows.member)},"


def _declaration(proposal: Proposal) -> list[str]:
    words, template = proposal.words, proposal.template
    described = words.source_url or (
        template.url.partition("?")[0].partition("{")[0] if template is not None else "https://example.com"
    )
    fields = [
        (
            f"domain={literal(words.domain)}, source={literal(proposal.source)}, dataset={literal(proposal.name)}, "
            f"silver_table={literal(proposal.name)},"
        ),
        f"columns={class_of(proposal.name)}, recipe=recipe,"
        + (f" rows_at={literal(proposal.found.rows_at)}," if proposal.found.rows_at else ""),
        *_format(proposal.found),
    ]
    if proposal.per_ticker:
        fields.append('scope="per_ticker",')
    if _first_date(proposal):
        fields.append(f"first_date={_first_date(proposal)},{_MARK}where does the history begin?")
    has_day = any(column.row_date for column in proposal.columns)
    if template is not None and template.asks_days and _first_date(proposal) and has_day:
        fields.append("lookback_days=7,")
    fields += [f"{one.name}={literal(one.value)},{_mark(one.doubt)}" for one in proposal.declared]
    if proposal.weekdays_only:
        fields.append(f'cadence=Cadence(calendar="weekdays"),{_MARK}no row of a weekend in the sample')
    if template is None and proposal.asks is None:
        fields.append("refresh_after_hours=0,")
    fields += [
        f"title={literal(_title(proposal))},",
        f"terms={literal(terms_of(words))}," + ("" if words.terms else f"{_MARK}may the data be kept and shared?"),
        f"source_url={literal(described)}," + ("" if words.source_url else f"{_MARK}where are the data described?"),
    ]
    return [
        "@hookimpl",
        "def datasets() -> Sequence[DatasetKeymapEntry]:",
        '    """What there is, and how it is fetched."""',
        *(f"    {_mark(doubt).strip()}" for doubt in proposal.recipe_doubts),
        f"    recipe = {_recipe(proposal)}",
        "    return [",
        "        DatasetKeymapEntry(",
        *(f"            {field}" for field in fields),
        "        )",
        "    ]",
    ]


def _mark(doubt: str) -> str:
    """A comment on one line, whatever a vendor's names in it hold: behind a line break would stand code."""
    return f"{_MARK}{printable(doubt)}" if doubt else ""


def _wide_hook(proposal: Proposal, wide: Wide) -> list[str]:
    """A row for each of the columns that are values of one and the same. An empty field is a row without a value: a
    value that the vendor takes back would else stay.
    """
    value = next(column.name for column in reversed(proposal.columns) if not column.source.startswith("request."))
    kept = "".join(f", {quoted(source)} AS {name}" for name, source in wide.kept.items())
    others = literal(tuple(wide.kept.values()))
    which = f"re.fullmatch({literal(wide.pattern)}, name)" if wide.pattern else f"name and name not in {others}"
    select = f"SELECT _file{kept}, {wide.name}, {value} FROM batch UNPIVOT INCLUDE NULLS ({value} FOR {wide.name} IN ("
    return [
        "@hookimpl",
        "def promote(batch: PromotionBatch) -> SelectRows:",
        f'    """From a column for each {wide.name} to a row for each."""',
        f"    wide = ['\"' + name.replace('\"', '\"\"') + '\"' for name in batch.fields if {which}]",
        f'    return SelectRows({select!r} + ", ".join(wide) + "))")',
    ]


_XML_HOOKS = '''
@hookimpl
def promote() -> ParseRows:
    """XML has no reader in SQL."""
    return ParseRows(parse)


def parse(payload: bytes) -> Iterator[dict[str, str | None]]:
    """Rows as text: attributes of an element and of the one around it, its text, and the elements in it. \
Raises ``PayloadRefused`` for other XML."""
    if b"<!ENTITY" in payload:
        raise PayloadRefused("XML with entities is refused")
    rows = [(parent, row) for parent in ElementTree.fromstring(payload).iter() for row in parent if row.tag == ROW_TAG]
    if not rows:
        raise PayloadRefused("no element is a row")
    for parent, row in rows:
        fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() or None for child in row if not len(child)}
        for name, value in (("value", (row.text or "").strip() or None), *row.attrib.items(), *parent.attrib.items()):
            if name.lower() not in {known.lower() for known in fields}:  # DuckDB takes such names for one
                fields[name] = value
        yield fields
'''

_CUSTOM_HOOKS = '''
@hookimpl
def fetch(entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> RunResult:
    """Which address is asked. Only needed where a recipe cannot say it: \
take this hook out if the recipe above is enough."""
    assert isinstance(entry.recipe, RestRecipe)
    return http.get(request, entry.recipe.url, extension=entry.recipe.extension)


@hookimpl
def promote() -> ParseRows:
    """How a payload becomes rows. It may not use the clock, the network or the database."""
    return ParseRows(parse)


def parse(payload: bytes) -> Iterator[dict[str, str | None]]:
    """Rows as text: sbf casts them as declared, and what does not fit is a reject with its reason. \
Raises ``PayloadRefused`` for what is no data."""
    lines = payload.decode("utf-8").splitlines()
    if not lines or lines[0] != "day|place|amount":
        raise PayloadRefused("the first line is not day|place|amount")
    for line in lines[1:]:
        day, place, amount = line.split("|")
        yield {"day": day, "place": place, "amount": amount or None}
'''
