"""A folder of a web server, by the lists that it makes of its folders."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from sbf_core.clock import SystemClock
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.remote_places import quoted_path
from sbf_core.errors import DatasetFailure
from sbf_core.http.attempts import Deferred, with_attempts
from sbf_core.http.coding import SizeCaps
from sbf_core.http.first_hop import first_hop
from sbf_core.http.http_listing import listed_in
from sbf_core.http.remote_folder import Listed, StoredFile, walked
from sbf_core.http.wire_answer import WireAnswer, WireFault
from sbf_core.settings.keys import Keys

if TYPE_CHECKING:
    from sbf_core.http.wire import Wire

_SECONDS_MAX = 120.0
_CAPS = SizeCaps(wire_bytes=64 * 1024**2, decoded_bytes=64 * 1024**2)
_REDIRECTS = (301, 302, 303, 307, 308)


class HttpFolder:
    """The folder of a web server in which a recipe's pattern begins.

    Args:
        recipe: of files of a web server.
        keys: gives what is secret.
        wire: connections of others; None: of its own.
    """

    def __init__(self, recipe: FileRecipe, keys: Keys, wire: Wire | None = None) -> None:
        self._recipe = recipe
        self._where = recipe.place("")
        self._address = f"{self._where.rstrip('/')}/"
        self._hop = first_hop(keys, self._address, recipe.options, {}, recipe.secrets, None)
        self._shared = wire
        self._wire = wire

    async def files(self) -> list[StoredFile]:
        """The files that the pattern finds; each says what the list says of it."""
        return await walked(self.listed, self._recipe.pattern, where=self._where)

    async def listed(self, prefix: str) -> list[Listed]:
        """What is in a folder, by its name below the pattern's own. Raises ``DatasetFailure``."""
        address = f"{self._address}{quoted_path(prefix)}"
        try:
            answer = await with_attempts(
                lambda: self._asked(address), deadline=time.monotonic() + _SECONDS_MAX, now=_now
            )
        except Deferred as error:
            what = f"the server allows the next request in {error.seconds:.0f} s only"
            raise DatasetFailure(what, where=address, fix="run again after that") from None
        if isinstance(answer, WireFault):
            raise DatasetFailure(answer.what, where=address)
        if answer.status_code in _REDIRECTS:
            to = answer.headers.get("location", "nowhere")
            what = f"the list of the folder is elsewhere: HTTP {answer.status_code} to {to:.200}"
            raise DatasetFailure(what, where=address, fix="name that folder in path")
        if answer.status_code != 200:
            raise DatasetFailure(f"HTTP {answer.status_code}", where=address, fix="look at path, options and secrets")
        return listed_in(answer.body, address, answer.headers.get("content-type", ""))

    async def _asked(self, address: str) -> WireAnswer:
        if self._wire is None:
            from sbf_core.http.wire import Wire

            self._wire = Wire()
        deadline = time.monotonic() + _SECONDS_MAX
        return await self._wire.get(address, self._hop.headers, deadline=deadline, caps=_CAPS, public_only=False)

    async def read(self, name: str, *, bytes_max: int) -> tuple[Any, StoredFile]:
        """Nothing: files are asked for as all addresses are, see ``HttpFiles``."""
        raise NotImplementedError

    def leave(self) -> None:
        """Nothing: what is awaited is given up with its loop."""

    async def close(self) -> None:
        """Close the connections, where they are its own."""
        if self._wire is not None and self._shared is None:
            await self._wire.close()


def _now() -> dt.datetime:
    return SystemClock().now()
