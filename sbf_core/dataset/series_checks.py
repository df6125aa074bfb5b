"""Of what the series of a dataset are made: one, tickers, names of its own, or rows of a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from sbf_core.dataset.columns import ROW_SOURCE, Column
from sbf_core.dataset.series_name import EACH
from sbf_core.errors import UsageError, nearest
from sbf_core.value import Value
from sbf_core.vocabulary import Scope

if TYPE_CHECKING:
    from sbf_core.dataset.for_each import ForEach


@attrs.frozen(kw_only=True)
class SeriesFacts(Value):
    """What a declaration says of its series; ``named`` are the names in braces of its recipe."""

    where: str
    scope: Scope
    members: Sequence[str]
    for_each: ForEach | None
    parts: Sequence[str]
    is_folder: bool
    named: frozenset[str]
    named_once: frozenset[str]
    columns: Sequence[Column]
    tickers_per_request: int
    is_asked_by_days: bool
    has_recipe: bool
    reads_items: bool
    item_levels: int
    extension: str


def check_series(facts: SeriesFacts) -> None:
    """Raise ``UsageError`` where what is said of the series does not go together."""
    where, for_each = facts.where, facts.for_each
    said = {"members": bool(facts.members), "for_each": for_each is not None, 'each="file"': facts.is_folder}
    given = [name for name, is_given in said.items() if is_given]
    if given and facts.scope is not Scope.PER_TICKER:
        verb = "belong" if given[0] == "members" else "belongs"
        raise _fault(f"{given[0]} {verb} to the scope per_ticker", where, 'scope="per_ticker"')
    if len(given) > 1:
        raise _fault(f"{' and '.join(given)} say both of what its series are", where, "keep one of them")
    asked = {name.removeprefix(EACH): f"{{{name}}}" for name in facts.named if name.startswith(EACH)}
    read = {
        one.source.removeprefix(ROW_SOURCE): one.source for one in facts.columns if one.source.startswith(ROW_SOURCE)
    }
    indexed = {one.index_of.removeprefix(EACH): one.index_of for one in facts.columns if one.index_of}
    whole = indexed.pop("tickers", "")
    unknown = next((name for name in sorted(asked | read | indexed) if name not in facts.parts), None)
    if unknown is not None:
        of = "part of a file's name" if facts.is_folder else "column of the key of for_each"
        fix = 'for_each=ForEach(query="SELECT id FROM silver.x", key=("id",))'
        fix = nearest(unknown, facts.parts) or f"name one of: {', '.join(facts.parts)}" if facts.parts else fix
        raise _fault(f"{(indexed | read | asked)[unknown]} is no {of}", where, fix)
    if whole and len(facts.parts) > 1:
        what = f"index_of={whole!r} is all of ({', '.join(facts.parts)})"
        raise _fault(what, where, f'name a part: index_of="{EACH}{facts.parts[0]}"')
    if facts.reads_items and (not facts.item_levels or facts.scope is not Scope.PER_TICKER):
        what = "items for each ticker want the scope per_ticker, and a rows_at with a wildcard for them"
        raise _fault(what, where, 'rows_at="$[*].data[*]"')
    if facts.reads_items and facts.extension != "json":
        what = f"items for each ticker are counted in json, not in {facts.extension}"
        raise _fault(what, where, 'extension="json"')
    if for_each is not None:
        _check_for_each(facts, for_each, asked, read)


def _check_for_each(facts: SeriesFacts, for_each: ForEach, asked: dict[str, str], read: dict[str, str]) -> None:
    where = facts.where
    takes = next((one.name for one in facts.columns if one.source == "request.ticker"), "")
    named = "{ticker}" if "ticker" in facts.named else f"request.ticker, of column {takes}," if takes else ""
    once = {name.removeprefix(EACH) for name in facts.named_once} & asked.keys()
    if facts.tickers_per_request > 1 and (once or read or (len(for_each.key) > 1 and "ticker" in facts.named)):
        what = "tickers_per_request asks for several rows, and a part of one stands where there can be one only"
        fix = 'a list in json: [{"id": "{each.id}"}], and column(source="@^~", index_of="each.id")'
        raise _fault(what, where, fix)
    if len(for_each.key) > 1 and named:
        what = f"{named} is all of ({', '.join(for_each.key)})"
        raise _fault(what, where, f"name a part: {{{EACH}{for_each.key[0]}}} or {ROW_SOURCE}{for_each.key[0]}")
    if facts.has_recipe and not asked and "ticker" not in facts.named:
        what = "for_each asks the same for each row: none of its key is in the address or the body"
        raise _fault(what, where, f"write {{{EACH}{for_each.key[0]}}}")
    if for_each.changed and facts.has_recipe and facts.is_asked_by_days:
        what = "for_each asks anew for a row that changed, and the recipe asks for days"
        raise _fault(what, where, "leave out changed, or {from_date}, {to_date} and {year}")


def _fault(what: str, where: str, fix: str) -> UsageError:
    return UsageError(what, where=where, fix=fix, code="DATASET")
