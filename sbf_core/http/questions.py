"""What a recipe asks by one request: its parts, with an address, and a body where it is a POST, for each."""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from sbf_core.dataset.body_names import DIMENSION
from sbf_core.dataset.day_texts import day_text
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import RequestBody
from sbf_core.dataset.series_name import EACH, unescaped
from sbf_core.runs.request import RunRequest
from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.dataset.cells import Lists
    from sbf_core.dataset.for_each import ForEach

_CLASS = re.compile(r"([A-Z0-9]+)[./-]([A-E])")


def vendor_ticker(ticker: str, class_mark: str, names: Mapping[str, str] | None = None) -> str:
    """A ticker as a vendor writes it: ``BRK.B``, ``BRK-B`` and ``BRK/B`` are one, told apart by the mark before the
    share class.

    Only ``A`` to ``E`` are taken for a class; other endings, as in ``VOD.L``, name an exchange. ``names`` go before
    that.
    """
    if names and ticker in names:
        return names[ticker]
    match = _CLASS.fullmatch(ticker) if class_mark else None
    return f"{match[1]}{class_mark}{match[2]}" if match else ticker


class _Filler(string.Formatter):
    """Takes a name with a dot as it stands."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        return kwargs[field_name], field_name


_FILLER = _Filler()


def filled(
    template: str,
    request: RunRequest,
    *,
    quoting: bool,
    recipe: RestRecipe | None = None,
    period: str = "",
    for_each: ForEach | None = None,
    lists: Lists | None = None,
) -> str:
    """A template with the request's values in it; URL-quoted for addresses."""
    values = _values(request, recipe, period, for_each)
    if not values["cursor"]:
        template = _without_cursor(template)
    if not quoting:
        return _with_values(template, values)
    between = (
        recipe.ticker_separator if recipe is not None and recipe.tickers_per_request > 1 else ""
    )  # most vendors want it as it is
    written = {name: quote(value, safe=between if name == "ticker" else "") for name, value in values.items()}
    for name, several in (lists or {}).items():
        written[name] = _joined(recipe, [quote(value, safe="") for value in several])
    return _with_values(template, written)


def _with_values(template: str, values: Mapping[str, str]) -> str:
    if f"{{{EACH}" in template or f"{{{DIMENSION}" in template:
        return _FILLER.vformat(template, (), values)
    return template.format_map(values)  # ten times as fast


def filled_body(
    recipe: RestRecipe,
    request: RunRequest,
    *,
    period: str = "",
    for_each: ForEach | None = None,
    lists: Lists | None = None,
) -> RequestBody:
    """The body of a recipe that is asked by POST, with the request's values in it. Raises ``UsageError`` where a value
    is none of the type that is declared for it.
    """
    from sbf_core.dataset.body_filling import Filling  # most recipes ask by GET

    values = _values(request, recipe, period, for_each)
    values |= {name: _joined(recipe, several) for name, several in (lists or {}).items()}
    several = recipe.tickers_per_request > 1
    each = None
    if several:
        written = _as_vendor_writes(request, recipe, for_each)
        parts = [{} if for_each is None else for_each.values(ticker) for ticker in request.tickers]
        each = [
            {"ticker": ticker, **{f"{EACH}{name}": part for name, part in own.items()}}
            for ticker, own in zip(written, parts, strict=True)
        ]
    filling = Filling(values=values, each=each, lists=lists or {})
    if recipe.json is not None:
        return RequestBody.of_json(filling.json(recipe.json), secrets=recipe.secret_body)
    if recipe.form is not None:
        return RequestBody.of_form(filling.form(recipe.form), secrets=recipe.secret_body)
    return RequestBody.of_text(recipe.body, content_type=recipe.content_type, values=values, secrets=recipe.secret_body)


def _joined(recipe: RestRecipe | None, values: Sequence[str]) -> str:
    return (recipe.cells.separator if recipe is not None and recipe.cells is not None else "").join(values)


def _values(request: RunRequest, recipe: RestRecipe | None, period: str, for_each: ForEach | None) -> dict[str, str]:
    """What stands for each placeholder."""
    date_format = recipe.date_format if recipe is not None else "%Y-%m-%d"
    is_one = recipe is None or recipe.tickers_per_request == 1
    parts = for_each.values(request.ticker or "") if for_each is not None and is_one else {}
    return {
        "ticker": (recipe.ticker_separator if recipe is not None else "").join(
            _as_vendor_writes(request, recipe, for_each)
        ),
        **{f"{EACH}{name}": part for name, part in parts.items()},
        "discriminator": request.discriminator,
        "from_date": day_text(request.from_date, date_format, is_last=False) if request.from_date else "",
        "to_date": day_text(request.to_date, date_format, is_last=True) if request.to_date else "",
        "year": str(request.from_date.year) if request.from_date else "",
        "period": period,
        "cursor": recipe.cursor.sent(request.cursor) if recipe is not None and recipe.cursor is not None else "",
    }


def _without_cursor(template: str) -> str:
    """A template without the query parameter of a cursor that is not there yet."""
    head, mark, query = template.partition("?")
    kept = [part for part in query.split("&") if not part.endswith("={cursor}")]
    return head + mark * bool(kept) + "&".join(kept)


def _as_vendor_writes(request: RunRequest, recipe: RestRecipe | None, for_each: ForEach | None) -> list[str]:
    """The tickers of a request, or the one that it has, as its vendor writes them."""
    is_one = recipe is None or recipe.tickers_per_request == 1
    tickers = [request.ticker or ""] if is_one else request.tickers
    if for_each is not None:
        tickers = [unescaped(ticker) for ticker in tickers]
    if recipe is None:
        return list(tickers)
    return [vendor_ticker(ticker, recipe.class_mark, recipe.ticker_names) for ticker in tickers]


@attrs.frozen(kw_only=True)
class Part(Value):
    """One of the answers that a request wants, but for its pages.

    Attributes:
        days: the request, with the days that this part is for.
        period: the value of ``{period}``.
        lists: the values of each dimension, by ``dim.NAME``.
    """

    days: RunRequest
    period: str = ""
    lists: Lists = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Question(Value):
    """How a part is asked for: by POST where there is a body. ``mirrors`` hold the same, for replays."""

    url: str
    mirrors: tuple[str, ...] = ()
    body: RequestBody | None = None


def parts_of(recipe: RestRecipe, request: RunRequest) -> Iterator[Part]:
    """The parts that make up a request, in the order in which they are asked for."""
    for period in recipe.periods or ("",):
        if recipe.cells is None:
            yield Part(days=request, period=period)
            continue
        periods = recipe.cells.periods(request.from_date, request.to_date)
        for lists in recipe.cells.pieces(tickers=tickers_of(recipe, request), periods=periods):
            yield Part(days=request, period=period, lists=lists)


def halves_at(part: Part, middle: dt.date) -> tuple[Part, Part]:
    """A part in two, of days up to one and after it."""
    early, late = attrs.evolve(part.days, to_date=middle), attrs.evolve(part.days, from_date=middle + dt.timedelta(1))
    return attrs.evolve(part, days=early), attrs.evolve(part, days=late)


def tickers_of(recipe: RestRecipe, request: RunRequest) -> int:
    """How many tickers a request names, 1 at least."""
    return max(1, len(request.tickers)) if recipe.tickers_per_request > 1 else 1


def question_of(entry: DatasetKeymapEntry, recipe: RestRecipe, part: Part) -> Question:
    """How a part is asked for. Raises ``UsageError`` where a value cannot be sent as it is declared."""
    each, days, period = entry.for_each, part.days, part.period
    url, *mirrors = (
        filled(address, days, quoting=True, recipe=recipe, period=period, for_each=each, lists=part.lists)
        for address in (recipe.url, *recipe.mirrors)
    )
    body = filled_body(recipe, days, period=period, for_each=each, lists=part.lists) if recipe.is_post else None
    return Question(url=url, mirrors=tuple(mirrors), body=body)
