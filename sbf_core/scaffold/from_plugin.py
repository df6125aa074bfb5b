"""A new plugin for what an installed one proposes: its address is known, and where SDMX is spoken its columns, too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs

from sbf_core.clock import Clock
from sbf_core.dataset.formats import Csv, Json
from sbf_core.dataset.proposed import ProposedDataset
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import UsageError, nearest
from sbf_core.failures import FailureKind
from sbf_core.runs.result import RunResult
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.fetch_once import answer_once, fetch_once, no_payload, sampled
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.literals import given
from sbf_core.scaffold.proposal import Declared, Proposal, Words, sample_request
from sbf_core.scaffold.sdmx_rows import Form, deletions, sdmx_columns, sdmx_rows
from sbf_core.scaffold.sdmx_structure import DataStructure, structure_of

#: A moment before which nothing has changed: services take a day of 1969 for a mistake.
_FIRST_DAY = dt.date(1970, 1, 2)
_TOO_LARGE = frozenset({FailureKind.TOO_LARGE, FailureKind.DEADLINE})
_CODES_SHOWN_MAX = 40
_FREQUENCIES = ("FREQ", "FREQUENCY")


def propose_from_plugin(words: Words, offered: ProposedDataset, *, clock: Clock) -> Proposal:
    """A plugin for a dataset that another plugin proposes.

    Args:
        words: what the author says; what he does not say is as proposed.
        offered: the proposal.
        clock: for the moment of the fetch.

    Raises:
        UsageError: there is no answer, the key does not fit the structure, or the rows are none of it.
    """
    structure = _structure(words, offered, clock) if offered.structure is not None else None
    template, answer, doubts = _asked(words, offered, clock)
    template = attrs.evolve(template, doubts=(*template.doubts, *doubts))
    words = _completed(words, offered, structure)
    sample = sampled(answer)
    if structure is None:
        proposal = propose(words, sample, template=template, where=answer.address)
        if isinstance(offered.format, (Csv, Json)):
            proposal = attrs.evolve(proposal, found=attrs.evolve(proposal.found, format=offered.format))
        return attrs.evolve(proposal, also=_also(offered))
    form = offered.format if isinstance(offered.format, Form) else None
    found = sdmx_rows(sample.payload, structure, where=answer.address, form=form, extension=offered.recipe.extension)
    columns = sdmx_columns(structure, found.rows, of_several_kinds=_is_frequency_open(structure, offered.key))
    if offered.tells_deletions and isinstance(found.format, Form):
        columns.append(deletions(found.format))
    return Proposal(
        words=words,
        kind="rest",
        template=template,
        found=found,
        columns=tuple(columns),
        samples=(sample,),
        also=(*_also(offered), Declared(name="horizon", value="any")),
        notes=_codes_seen(structure, found.rows),
    )


def _structure(words: Words, offered: ProposedDataset, clock: Clock) -> DataStructure:
    assert offered.structure is not None
    template = _template(offered.structure, offered)
    request = sample_request(words, template, source=offered.source)
    structure = structure_of(fetch_once(template, request, clock=clock).payload, where=template.url)
    _check_key(offered.key, structure)
    return structure


def _check_key(key: str, structure: DataStructure) -> None:
    """Raise ``UsageError`` where a key has another number of parts than there are dimensions, or a code is none."""
    if not key:
        return
    parts, dimensions = key.split("."), structure.dimensions
    order = ".".join(dimensions)
    if len(parts) != len(dimensions):
        what = f"the key {key!r} has {len(parts)} parts, and {structure.id} has {len(dimensions)} dimensions: {order}"
        fix = "write them in this order, nothing for all of one, e.g. " + ".".join(
            parts[place] if place < len(parts) else "" for place in range(len(dimensions))
        )
        raise UsageError(what, where="--from-sdmx", fix=fix, code="SDMX")
    for part, dimension in zip(parts, dimensions, strict=True):
        known = structure.codes.get(dimension, {})
        odd = next((code for code in part.split("+") if code and known and code not in known), None)
        if odd is not None:
            fix = nearest(odd, known) or f"its codes are {', '.join(list(known)[:_CODES_SHOWN_MAX])}"
            raise UsageError(f"{dimension} has no code {odd!r}", where="--from-sdmx", fix=fix, code="SDMX")


def _is_frequency_open(structure: DataStructure, key: str) -> bool:
    """Whether a key lets several frequencies through, so that a sample need not show all kinds of periods."""
    parts = key.split(".") if key else [""] * len(structure.dimensions)
    return any(
        dimension in _FREQUENCIES and (not part or "+" in part)
        for part, dimension in zip(parts, structure.dimensions, strict=True)
    )


def _template(recipe: RestRecipe, offered: ProposedDataset) -> Template:
    further: dict[str, Any] = given(recipe)
    for name in ("url", "extension", "date_format", "secrets"):
        further.pop(name, None)
    begins = dt.datetime.combine(_FIRST_DAY, dt.time(), dt.UTC).isoformat(timespec="microseconds")
    return Template(
        url=recipe.url,
        date_format=recipe.date_format,
        secrets=dict(recipe.secrets),
        ticker=offered.member if "ticker" in recipe.named else "",
        further=further,
        cursor_place=begins if recipe.cursor is not None else "",
        source_name=offered.source,
    )


def _asked(words: Words, offered: ProposedDataset, clock: Clock) -> tuple[Template, RunResult, list[str]]:
    """The first answer that has something and is no larger than a sample may be: from the whole to less of it, or the
    other way where less of it has nothing.
    """
    recipes = [offered.recipe, *offered.narrower]
    place, seen, failed = int(offered.begins_narrow), set[int](), None
    while place in range(len(recipes)) and place not in seen:
        seen.add(place)
        template = _template(recipes[place], offered)
        answer = answer_once(template, sample_request(words, template, source=offered.source), clock=clock)
        if answer.ok and not answer.is_none and answer.payload:
            narrow = f"url: only a part is asked for, as the whole is too large for a sample: {offered.recipe.url}"
            return template, answer, [narrow] if place else []
        failed = answer
        place += 1 if answer.kind in _TOO_LARGE else -1
    assert failed is not None
    if failed.kind in _TOO_LARGE:
        what = f"the answer is too large for a sample: {failed.error}"
        fix = "let less through: name codes in the key, or since="
        raise UsageError(what, where=failed.address, fix=fix, code="TOO_LARGE")
    raise no_payload(failed)


def _completed(words: Words, offered: ProposedDataset, structure: DataStructure | None) -> Words:
    title = offered.title or ("" if structure is None else structure.title)
    return attrs.evolve(
        words,
        domain=offered.domain if words.domain == attrs.fields(Words).domain.default else words.domain,
        title=words.title or title,
        terms=words.terms or offered.terms,
        source_url=words.source_url or offered.source_url,
    )


def _also(offered: ProposedDataset) -> tuple[Declared, ...]:
    facts: dict[str, Any] = {
        "members": (offered.member,) if offered.member else (),
        "semantics": offered.semantics,
        "first_date": _FIRST_DAY if offered.recipe.cursor is not None else None,
        "is_data": offered.is_data if given(offered.is_data) else None,
    }
    return tuple(Declared(name=name, value=value) for name, value in facts.items() if value)


def _codes_seen(structure: DataStructure, rows: tuple[Mapping[str, Any], ...]) -> str:
    """A table of the codes of each component in the sample, as far as their names are known."""
    lines = []
    for one in (*structure.dimensions, *structure.attributes):
        known = structure.codes.get(one, {})
        seen = sorted({str(row[one]) for row in rows if row.get(one)})
        named = [code for code in seen if known.get(code)]
        title = structure.names.get(one, one)
        lines += [f"| {title} (`{one}`) | `{code}` | {known[code]} |" for code in named[:_CODES_SHOWN_MAX]]
        if len(named) > _CODES_SHOWN_MAX:
            lines.append(f"| {title} (`{one}`) | ... | {len(named) - _CODES_SHOWN_MAX} more |")
    return (
        "\n".join(["## Codes in the sample", "", "| what | code | name |", "| --- | --- | --- |", *lines])
        if lines
        else ""
    )
