"""The default of the hook ``fetch``: every address that a recipe means by one request."""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar, Unpack
from urllib.parse import quote, urlsplit

import attrs

from sbf_core.dataset.cursor import CursorBy
from sbf_core.dataset.day_texts import day_text
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import Filling, RequestBody, quoting_for
from sbf_core.dataset.series_name import EACH, unescaped
from sbf_core.errors import PayloadRefused, PluginFault, UsageError
from sbf_core.failures import FailureKind
from sbf_core.http.addresses import origin
from sbf_core.http.session import Asking, AskingSession, FetchSession
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.dataset.for_each import ForEach

_T = TypeVar("_T")
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
    return _with_values(
        template, {name: quote(value, safe=between if name == "ticker" else "") for name, value in values.items()}
    )


def _with_values(template: str, values: Mapping[str, str]) -> str:
    if f"{{{EACH}" in template:
        return _FILLER.vformat(template, (), values)
    return template.format_map(values)  # ten times as fast


def filled_body(
    recipe: RestRecipe, request: RunRequest, *, period: str = "", for_each: ForEach | None = None
) -> RequestBody:
    """The body of a recipe that is asked by POST, with the request's values in it."""
    values = _values(request, recipe, period, for_each)
    several = recipe.tickers_per_request > 1
    each = None
    if several:
        written = _as_vendor_writes(request, recipe, for_each)
        parts = [{} if for_each is None else for_each.values(ticker) for ticker in request.tickers]
        each = [
            {"ticker": ticker, **{f"{EACH}{name}": part for name, part in own.items()}}
            for ticker, own in zip(written, parts, strict=True)
        ]
    filling = Filling(values=values, each=each)
    if recipe.json is not None:
        return RequestBody.of_json(filling.json(recipe.json), secrets=recipe.secret_body)
    if recipe.form is not None:
        return RequestBody.of_form(filling.form(recipe.form), secrets=recipe.secret_body)
    text = filling.text(recipe.body, quoting_for(recipe.content_type))
    return RequestBody(text=text, content_type=recipe.content_type)


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


def file_places(entry: DatasetKeymapEntry, recipe: FileRecipe, request: RunRequest) -> list[str]:
    """The path of the file that a recipe means by a request, and the mirrors of it.

    Raises:
        UsageError: what a vendor calls a row, or a ticker, leads out of the folder that is declared.
    """
    if recipe.each:
        return [recipe.place(request.ticker or "")]
    templates = (recipe.path, *recipe.mirrors)
    places = [filled(template, request, quoting=False, for_each=entry.for_each) for template in templates]
    for template, place in zip(templates, places, strict=True):
        if _leads_elsewhere(PurePath(place)) and not _leads_elsewhere(PurePath(template)):
            what = f"{request.ticker!r} would lead to another folder: {place}"
            raise UsageError(what, where=f"dataset {entry.id}", fix="leave it out", code="FILE_NAME")
    return places


def _leads_elsewhere(path: PurePath) -> bool:
    return bool(path.anchor) or ".." in path.parts


def fetch_by_recipe(entry: DatasetKeymapEntry, request: RunRequest, session: FetchSession) -> list[RunResult]:
    """The default of the hook ``fetch``: what the recipe says.

    Returns:
        One result, or those of all pages, periods and halves, which belong together; one that failed stands for all.

    Raises:
        PluginFault: the dataset has no recipe.
    """
    recipe = entry.recipe
    if isinstance(recipe, RestRecipe):
        return _at_once(RecipeWalk(entry, recipe, _Blocking(session)).results(request))
    if isinstance(recipe, FileRecipe):
        path, *mirrors = file_places(entry, recipe, request)
        return [session.read(request, path, extension=recipe.extension, mirrors=tuple(mirrors))]
    if recipe is not None:
        from sbf_core.http.other_answers import address_of  # few datasets ask a database, or run a program

        return [session.read(request, address_of(entry, recipe, request), extension=recipe.extension)]
    raise PluginFault("has neither a recipe nor the hook fetch", where=f"dataset {entry.id}")


@attrs.frozen
class _Blocking(Value):
    """A session whose answers are there when it is asked."""

    session: FetchSession

    async def ask(self, request: RunRequest, url: str, **asking: Unpack[Asking]) -> RunResult:
        return self.session.get(request, url, **asking)


def _at_once(steps: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that waits for nothing."""
    try:
        steps.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    raise RuntimeError("a blocking session waits for a loop")


@attrs.frozen
class RecipeWalk(Value):
    """All the addresses that a recipe means by one request."""

    entry: DatasetKeymapEntry
    recipe: RestRecipe
    session: AskingSession

    async def results(self, request: RunRequest) -> list[RunResult]:
        """Everything, or the one result that failed."""
        answers: list[RunResult] = []
        for period in self.recipe.periods or ("",):
            part = await self._stretch(request, request, period)
            if not part[-1].ok:
                return [part[-1]]
            answers += part
        if self.entry.reads_items:
            from sbf_core.http.items import judged_items  # few answers have them

            answers = judged_items(self.entry, answers)
            failed = next((one for one in answers if not one.ok), None)
            answers = answers if failed is None else [failed]
        return self._with_token(answers)

    def _with_token(self, answers: list[RunResult]) -> list[RunResult]:
        """The answers, if the last one says what to come back with, where it has to."""
        cursor, last = self.recipe.cursor, answers[-1]
        if cursor is None or cursor.by is not CursorBy.TOKEN or not last.payload:
            return answers
        from sbf_core.payload.token import token_of

        try:
            token_of(last.payload, cursor.at)
        except PayloadRefused as error:
            return [attrs.evolve(last, payload=b"", kind=FailureKind.NO_CURSOR, error=error.what)]
        return answers

    async def _stretch(self, request: RunRequest, days: RunRequest, period: str) -> list[RunResult]:
        """The answers for a stretch of days; one as long as the vendor's cap is asked for again in halves."""
        results = await self._pages(request, days, period)
        if self.recipe.rows_max and results[-1].kind == FailureKind.NOT_RECORDED:
            return await self._recorded_halves(request, days, period, results)
        if not self.recipe.rows_max or not results[-1].ok or results[-1].not_modified or results[-1].is_none:
            return results
        from sbf_core.http.pages import PageReader  # the reading of JSON, which a run with nothing due need not load

        reader = PageReader(entry=self.entry, extension=self.recipe.extension)
        try:
            longest = max(reader.count(result.payload) for result in results)
        except ValueError as why:
            return [attrs.evolve(results[0], payload=b"", kind=FailureKind.NOT_DATA, error=f"it cannot be read: {why}")]
        if longest < self.recipe.rows_max:
            return results
        halves = self._halves(days)
        if not halves:
            error = (
                f"the answer has {longest} rows, the most that the vendor sends: it is not whole, and cannot be split"
            )
            return [attrs.evolve(results[0], payload=b"", kind=FailureKind.ROW_CAP, error=error)]
        return await self._of_halves(request, halves, period)

    async def _of_halves(self, request: RunRequest, halves: Sequence[RunRequest], period: str) -> list[RunResult]:
        answers: list[RunResult] = []
        for half in halves:
            part = await self._stretch(request, half, period)
            if not part[-1].ok:
                return [part[-1]]
            answers += part
        return answers

    async def _recorded_halves(
        self, request: RunRequest, days: RunRequest, period: str, lacking: list[RunResult]
    ) -> list[RunResult]:
        """The answers of two halves, where a recording lacks the whole, as it does where that was too long; else what
        it lacks.
        """
        halves = self._halves(days)
        answers = await self._of_halves(request, halves, period) if halves else lacking
        return answers if answers[-1].ok else lacking

    def _halves(self, days: RunRequest) -> tuple[RunRequest, ...]:
        if (
            not {"from_date", "to_date"} <= self.recipe.named
            or days.from_date is None
            or days.to_date is None
            or days.from_date >= days.to_date
        ):
            return ()
        middle = days.from_date + (days.to_date - days.from_date) // 2
        return attrs.evolve(days, to_date=middle), attrs.evolve(days, from_date=middle + dt.timedelta(days=1))

    async def _pages(self, request: RunRequest, days: RunRequest, period: str) -> list[RunResult]:
        recipe = self.recipe
        each = self.entry.for_each
        url, *mirrors = (
            filled(address, days, quoting=True, recipe=recipe, period=period, for_each=each)
            for address in (recipe.url, *recipe.mirrors)
        )
        body = filled_body(recipe, days, period=period, for_each=each) if recipe.is_post else None

        async def ask(address: str, fields: Mapping[str, object] | None = None) -> RunResult:
            # else the vendor chose the place, as with a redirect
            is_own = address == url or origin(address) == origin(url)
            asking = Asking(
                extension=recipe.extension,
                headers=recipe.headers,
                secrets=recipe.secrets if is_own else {},
                secret_headers=recipe.secret_headers if is_own else {},
                mirrors=tuple(mirrors),
            )
            if body is not None:
                here = body.with_fields(fields or {})
                asking["body"] = here if is_own else attrs.evolve(here, secrets={})
            return await self.session.ask(request, address, **asking)

        if recipe.pages is None:
            return [await ask(url)]
        from sbf_core.http.pages import PageReader, walk_pages

        hosts = {urlsplit(url).hostname or "", *recipe.redirect_hosts}
        hidden = {*recipe.hidden_parameters, *recipe.secret_body}  # a vendor may repeat what the body held
        reader = PageReader(entry=self.entry, extension=recipe.extension, items_at=recipe.pages.items_at)
        return await walk_pages(ask, url, recipe.pages, reader, hosts=hosts, hidden=hidden)
