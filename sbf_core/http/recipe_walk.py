"""The default of the hook ``fetch``: every address that a recipe means by one request."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeVar, Unpack
from urllib.parse import urlsplit

import attrs

from sbf_core.dataset.cursor import CursorBy
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import PayloadRefused, PluginFault, UsageError
from sbf_core.failures import FailureKind
from sbf_core.http.addresses import origin
from sbf_core.http.questions import Part, filled, halves_at, parts_of, question_of
from sbf_core.http.session import Asking, AskingSession, FetchSession
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.value import Value

_T = TypeVar("_T")


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
    #: How many cells the vendor refused, the fewest of them last.
    refused: list[int] = attrs.field(factory=list, eq=False)

    async def results(self, request: RunRequest) -> list[RunResult]:
        """Everything, or the one result that failed."""
        answers: list[RunResult] = []
        for part in parts_of(self.recipe, request):
            found = await self._stretch(request, part)
            if not found[-1].ok:
                return [found[-1]]
            answers += found
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
            token_of(last.payload, cursor.at, as_json=self.recipe.keeps_json)
        except PayloadRefused as error:
            return [attrs.evolve(last, payload=b"", kind=FailureKind.NO_CURSOR, error=error.what)]
        return answers

    async def _stretch(self, request: RunRequest, part: Part) -> list[RunResult]:
        """The answers for a part; one as long as the vendor's cap is asked for again in halves of its days, and what
        asks for too much in halves of its largest dimension.
        """
        if self.recipe.cells is not None and self.recipe.cells.may_be_halved:
            from sbf_core.http.cell_halves import CellHalves  # few vendors say so

            return await CellHalves(self.recipe, self._capped, self.refused).answers(request, part)
        return await self._capped(request, part)

    async def _capped(self, request: RunRequest, part: Part) -> list[RunResult]:
        results = await self._pages(request, part)
        if self.recipe.rows_max and results[-1].kind == FailureKind.NOT_RECORDED:
            return await self._recorded_halves(request, part, results)
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
        halves = self._halves(part)
        if not halves:
            error = (
                f"the answer has {longest} rows, the most that the vendor sends: it is not whole, and cannot be split"
            )
            return [attrs.evolve(results[0], payload=b"", kind=FailureKind.ROW_CAP, error=error)]
        return await self._of_halves(request, halves)

    async def _of_halves(self, request: RunRequest, halves: Sequence[Part]) -> list[RunResult]:
        answers: list[RunResult] = []
        for half in halves:
            found = await self._stretch(request, half)
            if not found[-1].ok:
                return [found[-1]]
            answers += found
        return answers

    async def _recorded_halves(self, request: RunRequest, part: Part, lacking: list[RunResult]) -> list[RunResult]:
        """The answers of two halves, where a recording lacks the whole, as it does where that was too long; else what
        it lacks.
        """
        halves = self._halves(part)
        answers = await self._of_halves(request, halves) if halves else lacking
        return answers if answers[-1].ok else lacking

    def _halves(self, part: Part) -> tuple[Part, ...]:
        days = part.days
        if (
            not {"from_date", "to_date"} <= self.recipe.named
            or days.from_date is None
            or days.to_date is None
            or days.from_date >= days.to_date
        ):
            return ()
        middle = days.from_date + (days.to_date - days.from_date) // 2
        return halves_at(part, middle)

    async def _pages(self, request: RunRequest, part: Part) -> list[RunResult]:
        recipe = self.recipe
        asked = question_of(self.entry, recipe, part)
        url, body = asked.url, asked.body

        async def ask(address: str, fields: Mapping[str, object] | None = None) -> RunResult:
            # else the vendor chose the place, as with a redirect
            is_own = address == url or origin(address) == origin(url)
            asking = Asking(
                extension=recipe.extension,
                headers=recipe.headers,
                secrets=recipe.secrets if is_own else {},
                secret_headers=recipe.secret_headers if is_own else {},
                mirrors=asked.mirrors,
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
