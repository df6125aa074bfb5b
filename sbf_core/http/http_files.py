"""Files of a web server as answers: what a ``FileRecipe`` asks for where its folder is listed by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future

import attrs

from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.series_name import parts_of
from sbf_core.errors import DatasetFailure
from sbf_core.failures import FailureKind
from sbf_core.http.http_folder import HttpFolder
from sbf_core.http.http_mark import HttpMark
from sbf_core.http.live import LiveSession
from sbf_core.http.local_files import Moments
from sbf_core.http.loop import LoopClosed
from sbf_core.http.session import AskingSession
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult

#: So many files are on their way while one is looked at; they are answered in their order all the same.
_AHEAD = 8


class HttpFiles:
    """Reads the files of one dataset.

    Args:
        recipe: its recipe.
        live: keys, clock, connections and their loop.
        session: asks for addresses.
    """

    def __init__(self, recipe: FileRecipe, live: LiveSession, session: AskingSession) -> None:
        self._recipe = recipe
        self._live = live
        self._moments = Moments(live.clock)
        self._session = session
        self._folder: HttpFolder | None = None
        self._coming: dict[str, Future[RunResult]] = {}
        self._expected: list[str] = []
        self._listings: dict[str, asyncio.Task[dict[str, str]]] = {}

    def expect(self, series: Sequence[str]) -> None:
        """These will be asked for, in this order: some are fetched ahead."""
        self._expected = list(reversed(series))

    def close(self) -> None:
        """No more is asked for, and what is under way is not waited for."""
        self._expected = []
        for one in list(self._coming.values()):
            one.cancel()

    def read(self, request: RunRequest, path: str, *, extension: str, in_place: bool = False) -> RunResult:
        """See ``LocalFiles.read``; nothing is read in place."""
        del in_place
        series = request.ticker or ""
        wanted = [] if series in self._coming else [series]
        while self._expected and len(self._coming) + len(wanted) < _AHEAD:
            one = self._expected.pop()
            wanted += [one] if one not in wanted and one not in self._coming else []
        try:
            for one in wanted:
                asked = attrs.evolve(request, ticker=one)
                self._coming[one] = self._live.loop.start(self._asked(asked, extension))
            result = self._coming.pop(series).result()
        except (CancelledError, LoopClosed):
            return RunResult(
                request=request, address=path, extension=extension, fetched_at=self._moments.next(),
                error=f"{path}: the session is closed", kind=FailureKind.CLOSED,
            )  # fmt: skip
        return attrs.evolve(result, request=request, fetched_at=self._moments.next())

    async def _asked(self, request: RunRequest, extension: str) -> RunResult:
        recipe, series = self._recipe, request.ticker or ""
        name, *_ = parts_of(series)
        listing = await self._listing(name)
        address = recipe.place(series)
        result = await self._session.ask(
            request, address, extension=extension, headers=recipe.options, secret_headers=recipe.secrets
        )
        mark = HttpMark.read(listing, result.headers, result.fetched_at)
        return attrs.evolve(result, headers={**result.headers, "etag": mark.text})

    async def _listing(self, name: str) -> str:
        """What the list says of a file now, before it is read: what changes later than that looks changed."""
        prefix = name[: name.rfind("/") + 1]
        if prefix not in self._listings:  # several files of it are asked for at once
            self._listings[prefix] = asyncio.ensure_future(self._listed(prefix))
        return (await self._listings[prefix]).get(name.removeprefix(prefix), "")

    async def _listed(self, prefix: str) -> dict[str, str]:
        folder = self._folder = self._folder or HttpFolder(self._recipe, self._live.keys, self._live.wire)
        try:
            return {one.file.name: one.file.listing for one in await folder.listed(prefix)}
        except DatasetFailure:  # then they are asked for again in the next run, and only if they changed
            return {}
