"""A new plugin for one operation of a service that is described by OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.errors import UsageError, nearest
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.openapi_document import Description, Operation
from sbf_core.scaffold.openapi_paging import paging_of
from sbf_core.scaffold.openapi_request import Asked, asked_of, parameters_of
from sbf_core.scaffold.openapi_sample import example_of, made_up
from sbf_core.scaffold.openapi_schema import rows_of
from sbf_core.scaffold.paging import Paging
from sbf_core.scaffold.proposal import Proposal, Sampled, Words
from sbf_core.scaffold.schema_columns import described, lacking
from sbf_core.value import Value

_LISTED_MAX = 60
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
    columns = [described(column, rows.fields) for column in proposal.columns]
    return attrs.evolve(
        proposal,
        columns=(*columns, *lacking(columns, rows.fields)),
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


def _notes(operation: Operation, asked: Asked) -> str:
    lines = [f"Made of the operation `{operation.id}` (`{operation.method.upper()} {operation.path}`)."]
    if asked.left_out:
        more = "" if len(asked.left_out) <= _LEFT_OUT_MAX else f" and {len(asked.left_out) - _LEFT_OUT_MAX} more"
        named = ", ".join(f"`{one}`" for one in asked.left_out[:_LEFT_OUT_MAX])
        lines.append(f"Optional parameters that are not sent: {named}{more}.")
    return "## The description\n\n" + " ".join(lines)
