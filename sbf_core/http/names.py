"""Names of hosts to addresses."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

from sbf_core.http.public_addresses import is_public

_SECONDS_MAX = 30.0


class AddressRefused(OSError):
    """A name leads to an address that a redirect must not reach."""


class NameResolver(AbstractResolver):
    """Looks names up as the system does, in threads that may be left behind: the system's own look-up knows no timeout.

    Args:
        public_only: refuse names that lead to a private address, because a vendor and not the user chose them.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self._public_only = public_only

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name, in the order in which the system names them.

        Raises:
            AddressRefused: one of them is not public.
            OSError: there is none.
        """
        try:
            addresses = await asyncio.wait_for(_looked_up(host, port, family), _SECONDS_MAX)
        except TimeoutError:
            raise OSError(f"{host} was not found in time") from None
        refused = next((address for address in addresses if self._public_only and not is_public(address)), None)
        if refused is not None:
            raise AddressRefused(f"{host} leads to {refused}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address, kind in addresses.items()
        ]

    async def close(self) -> None:
        """Nothing is kept."""


async def _looked_up(host: str, port: int, family: socket.AddressFamily) -> dict[str, int]:
    """The addresses of a name, with the family of each."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[dict[str, int]] = loop.create_future()

    def tell(addresses: dict[str, int] | None) -> None:
        if answer.done():  # nobody waits for it any more
            return
        if addresses is None:
            answer.set_exception(OSError(f"{host} is not known"))
        else:
            answer.set_result(addresses)

    def look_up() -> None:
        addresses: dict[str, int] | None = None
        with suppress(OSError, UnicodeError):
            addresses = {
                str(address[0]): int(kind)
                for kind, _, _, _, address in socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
            }
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, addresses)

    threading.Thread(target=look_up, name="sbf-names", daemon=True).start()
    return await answer
