"""What the client costs, beside the bare library, in one run: ``python client.py``.

Two jobs on loopback: 200 requests to a vendor that takes 50 ms for each, with 8 connections (seconds), and 5,000
requests of 2 kB to one that takes no time (processor time of this process a request, in milliseconds).
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import attrs

from sbf_core.api import DatasetKeymapEntry, RestRecipe, RunRequest, column
from sbf_core.clock import SystemClock
from sbf_core.http.live import LiveSession
from sbf_core.http.vendor_session import VendorSession

CONNECTIONS = 8
VENDOR = r"""
import asyncio, sys
body = b"[" + b"1, " * 680 + b"1]"
head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(float(sys.argv[1]))
            writer.write(head + body)
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

Ask = Callable[[str], Awaitable[object]]


@attrs.frozen
class Row:
    """What the payload would hold."""

    day: str = column(key=True)


async def eight_at_once(ask: Ask, url: str, requests: int) -> tuple[float, float]:
    """Seconds of the wall and of the processor for so many requests, after one that connects."""
    left = iter(range(requests))

    async def worker() -> None:
        for _ in left:
            await ask(url)

    await ask(url)
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    now = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter() - began, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


async def bare(url: str, requests: int) -> tuple[float, float]:
    """The library alone."""
    async with aiohttp.ClientSession() as client:

        async def ask(address: str) -> object:
            async with client.get(address) as answer:
                return await answer.read()

        return await eight_at_once(ask, url, requests)


def ours(url: str, requests: int) -> tuple[float, float]:
    """A session of sbf, with all its rules."""
    with tempfile.TemporaryDirectory() as folder:
        live = LiveSession(SystemClock(), files=Path(folder))
        entry = DatasetKeymapEntry(
            domain="prices", source="odd", dataset="eod", silver_table="px", columns=Row, recipe=RestRecipe(url=url)
        )
        session = VendorSession(live, entry)
        request = RunRequest(run_id="r", domain="prices", source="odd", dataset="eod")

        async def ask(address: str) -> object:
            result = await session.ask(request, address)
            assert result.ok, result.error
            return result

        try:
            return live.loop.result(eight_at_once(ask, url, requests))
        finally:
            live.close()


def main() -> int:
    """Both jobs, five times each, in turns."""
    for delay, requests in (("0.05", 200), ("0", 5000)):
        with subprocess.Popen([sys.executable, "-c", VENDOR, delay], stdout=subprocess.PIPE, text=True) as vendor:
            assert vendor.stdout is not None
            url = f"http://127.0.0.1:{vendor.stdout.readline().strip()}/"
            found: dict[str, list[tuple[float, float]]] = {"sbf": [], "aiohttp": []}
            for _ in range(5):
                found["sbf"].append(ours(url, requests))
                found["aiohttp"].append(asyncio.run(bare(url, requests)))
            vendor.kill()
        for name, times in found.items():
            wall, used = (statistics.median(column) for column in zip(*times, strict=True))
            print(
                f"{requests} requests, {delay} s each: {name:8} {wall:.2f} s, "
                f"{used / requests * 1000:.3f} ms of processor time a request"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
