"""A new plugin for one operation of a service that is described by OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.guess import GuessedColumn
from sbf_core.scaffold.openapi_document import Description, Operation
from sbf_core.scaffold.openapi_paging import paging_of
from sbf_core.scaffold.openapi_request import Asked, asked_of, parameters_of
from sbf_core.scaffold.openapi_sample import example_of, made_up
from sbf_core.scaffold.openapi_schema import Field, Rows, rows_of
from sbf_core.scaffold.paging import Paging
from sbf_core.scaffold.proposal import Proposal, Sampled, Words
from sbf_core.value import Value

_LISTED_MAX = 60
_WIDER = {("int", "float"), ("int", "Decimal"), ("float", "Decimal")}
_LEFT_OUT_MAX = 20


@attrs.frozen(kw_only=True)
class Listed(Value):
    """An operation that answers a list, and where its rows are."""

    operation: Operation
    rows_at: str


class NoOperation(UsageError):
    """Nobody has said which operation is meant.

    Args:
        listed: those that answer lists.
    """

    def __init__(self, what: str, *, listed: Sequence[Listed], where: str, fix: str) -> None:
        super().__init__(what, where=where, fix=fix, code="OPENAPI")
        self.listed = tuple(listed)


def chosen_operation(description: Description, wanted: str) -> Operation:
    """The operation that is wanted; where none is named, the only one that answers a list.

    Raises:
        NoOperation: there are several, or none, or none is called so.
    """
    operations = list(description.operations())
    if wanted:
        named = {one.id: one for one in operations} | {f"{one.method.upper()} {one.path}": one for one in operations}
        if wanted not in named:
            fix = nearest(wanted, named) or "leave --operation out: those that answer lists are then listed"
            raise NoOperation(f"there is no operation {wanted!r}", listed=(), where=description.where, fix=fix)
        return named[wanted]
    listed = []
    for one in operations:
        rows = rows_of(description, description.answer(one)[0].get("schema"))
        if rows.rows_at is not None:
            listed.append(Listed(operation=one, rows_at=rows.rows_at))
    if len(listed) == 1:
        return listed[0].operation
    what = f"{len(listed)} operations answer a list" if listed else "no operation answers a list of objects as JSON"
    fix = "name one with --operation" if listed else "begin with --from-url and an address of it"
    raise NoOperation(what, listed=listed[:_LISTED_MAX], where=description.where, fix=fix)


def propose_openapi(
    words: Words,
    description: Description,
    operation: Operation,
    *,
    ticker: str,
    given: Sampled | None,
    url: str,
    now: Any,
    known: Mapping[str, Any],
) -> Proposal:
    """A plugin for one operation.

    Args:
        words: what the author says.
        description: of the service.
        operation: what is asked.
        ticker: one that the author knows.
        given: a payload of it that the author has; None: the example of the description, else one that is made up.
        url: the address that gave it, if it came from one.
        now: the moment of a sample that is not fetched.
        known: ``rows_at``, ``key`` and ``row_date``, as far as the author says them.

    Raises:
        UsageError: the operation answers no list, or the sample does not fit.
    """
    media, answer = description.answer(operation)
    rows = rows_of(description, media.get("schema"))
    if rows.rows_at is None and known.get("rows_at") is None:
        what = f"{operation.id} answers no list of objects as JSON"
        fix = "name another with --operation, or say where the rows are with --rows-at"
        raise UsageError(what, where=description.where, fix=fix, code="OPENAPI")
    parameters = parameters_of(description, operation)
    paging, taken = paging_of(description, parameters, media.get("schema"), answer)
    asked = asked_of(description, operation, name=words.name, ticker=ticker, paging=taken if not url else (), url=url)
    example = None if given is not None else example_of(description, media)
    sample = given or Sampled(
        payload=example or made_up(description, media.get("schema"), ticker=asked.template.ticker), fetched_at=now
    )
    template = asked.template
    if given is None:
        how = "that of the description" if example is not None else "made up by the schema"
        doubt = f"sample: the recording is {how}, and no answer of the service: record one"
        template = attrs.evolve(template, doubts=(*template.doubts, doubt))
    proposal = propose(
        _completed(words, description, operation), sample, template=template, where=description.where,
        **{"rows_at": rows.rows_at, **{name: value for name, value in known.items() if value}},
    )  # fmt: skip
    columns = [_described(column, rows) for column in proposal.columns]
    return attrs.evolve(
        proposal,
        columns=(*columns, *_lacking(columns, rows)),
        found=attrs.evolve(proposal.found, doubts=tuple(dict.fromkeys((*rows.doubts, *proposal.found.doubts)))),
        paging=proposal.paging if url else paging if paging != Paging() else proposal.paging,
        notes=_notes(operation, asked),
    )


def _completed(words: Words, description: Description, operation: Operation) -> Words:
    info = description.resolved(description.document.get("info"))
    docs = description.resolved(description.document.get("externalDocs"))
    title = f"{description.title}: {operation.title}" if operation.title else description.title
    return attrs.evolve(
        words,
        title=words.title or title,
        terms=words.terms or str(info.get("termsOfService") or ""),
        source_url=words.source_url or str(docs.get("url") or ""),
    )


def _described(column: GuessedColumn, rows: Rows) -> GuessedColumn:
    """A column of the sample with what the description says of its field."""
    field = next((one for one in rows.fields if one.source == column.source), None)
    if field is None:
        if column.source.startswith(("request.", "$", "@^", "@~")):
            return column
        return attrs.evolve(column, doubts=(*column.doubts, "the description does not name it"))
    doubts = list(field.doubts)
    python, fits = _type(column, field)
    if not fits:
        doubts.append(f"the description says {field.python}, and the sample has {column.example!r}")
        doubts += column.doubts
    is_open = field.nullable or field.optional
    keeps = python == column.python
    more: dict[str, Any] = (
        {} if keeps else {"date_format": "", "zone": "", "epoch": "", "resolution": "", "missing": (), "trim": False}
    )
    if python == "Decimal" and not column.precision:
        more |= {"precision": 18, "scale": 6}
        doubts.append("at most 6 decimals; more would be rejected")
    roles = [one for one in column.doubts if one.startswith(("the key is", "part of the key", "the date of"))]
    return attrs.evolve(
        column,
        python=python,
        nullable=not column.key and (is_open or (column.nullable and not fits)),
        is_optional=field.optional and not column.key,
        doc=field.doc,
        doubts=tuple(dict.fromkeys([*doubts, *roles])),
        **more,
    )


def _type(column: GuessedColumn, field: Field) -> tuple[str, bool]:
    """The type, and whether description and sample agree."""
    if not column.example or column.python == field.python:
        return field.python, True
    if (column.python, field.python) in _WIDER or field.python == "str":  # 1 is a number, and 2024 a text, too
        is_time = field.python == "str" and column.is_time
        return (column.python, True) if is_time else (field.python, True)
    if field.python == "float" and column.python == "Decimal":
        return "Decimal", True
    return column.python, False


def _lacking(columns: Sequence[GuessedColumn], rows: Rows) -> list[GuessedColumn]:
    """Fields of the description that the sample has not, as comments."""
    known = {column.source for column in columns}
    taken = {column.name for column in columns}
    from sbf_core.scaffold.naming import as_name

    lacking = []
    for field in rows.fields:
        if field.source not in known:
            name = as_name("_".join(field.words), taken=taken)
            taken.add(name)
            lacking.append(
                GuessedColumn(
                    name=name, source=field.source, python=field.python, nullable=True, is_optional=True,
                    precision=18 if field.python == "Decimal" else 0, scale=6 if field.python == "Decimal" else 0,
                    doc=field.doc, doubts=("the description has it, and the sample has not",),
                )
            )  # fmt: skip
    return lacking


def _notes(operation: Operation, asked: Asked) -> str:
    lines = [f"Made of the operation `{operation.id}` (`{operation.method.upper()} {operation.path}`)."]
    if asked.left_out:
        more = "" if len(asked.left_out) <= _LEFT_OUT_MAX else f" and {len(asked.left_out) - _LEFT_OUT_MAX} more"
        named = ", ".join(f"`{one}`" for one in asked.left_out[:_LEFT_OUT_MAX])
        lines.append(f"Optional parameters that are not sent: {named}{more}.")
    return "## The description\n\n" + " ".join(lines)
