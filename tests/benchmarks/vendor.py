"""A vendor of end-of-day prices on loopback: ``python vendor.py DATA``, where :func:`made` has written DATA.

``/eod/{ticker}?from=DAY`` answers the whole history of a ticker, newest day first, or from the day on which the last
load ended its five new days and the two before them with other values. All answers are bytes that lie ready, so that
the vendor is faster than any client. It prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import mmap
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from shapes import Size

NEW, REVISED = 5, 2
LAST = dt.date(2025, 6, 30)


def made(folder: Path, size: Size) -> Path:
    """The folder of the answers, written where it is not there; ``meta.json`` says what the tables must hold."""
    target, making = folder / f"vendor-{size.label}", folder / f"making-{size.label}"
    if target.exists():
        return target
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    longest = max(size.rows_of(place) for place in range(size.payloads))
    days = [day.isoformat() for day in _weekdays(LAST, -1, longest)]
    new = [day.isoformat() for day in _weekdays(LAST + dt.timedelta(days=1), 1, NEW)]
    symbols = [size.symbol(place) for place in range(size.payloads)]
    places: dict[str, list[int]] = {}
    cold, increment = [0, 0], [0, 0]
    with (making / "answers").open("wb") as out:
        for place, symbol in enumerate(symbols):
            chance = random.Random(f"{size.seed}/{place}")
            whole = [_row(symbol, day, chance) for day in days[: size.rows_of(place)]]
            revised = [_row(symbol, day, chance) for day in days[: min(REVISED, len(whole))]]
            day = [*(_row(symbol, each, chance) for each in reversed(new)), *revised]
            for total, rows in ((cold, whole), (increment, day + whole[len(revised) :])):
                total[0] += len(rows)
                total[1] += sum(int(row["volume"]) for row in rows)
            for rows in (whole, day):
                text = json.dumps(rows, separators=(",", ":")).encode()
                places.setdefault(symbol, []).extend((out.tell(), len(text)))
                out.write(text)
    (making / "tickers.txt").write_text("\n".join(symbols) + "\n")
    meta = {"day_from": days[min(REVISED, size.rows) - 1], "cold": cold, "increment": increment, "places": places}
    (making / "meta.json").write_text(json.dumps(meta))
    return making.rename(target)


def _weekdays(start: dt.date, step: int, wanted: int) -> Iterator[dt.date]:
    while wanted:
        if start.weekday() < 5:
            wanted -= 1
            yield start
        start += dt.timedelta(days=step)


def _row(symbol: str, day: str, chance: random.Random) -> dict[str, str | int | float]:
    opened, closed, volume = (
        chance.randrange(1_000, 90_000),
        chance.randrange(1_000, 90_000),
        chance.randrange(9_000_000),
    )
    high, low = max(opened, closed) + volume % 64, min(opened, closed) - volume % 32
    return {
        "symbol": symbol, "date": day, "open": opened / 100, "high": high / 100, "low": low / 100,
        "close": closed / 100, "adjClose": closed / 100, "volume": volume, "change": (closed - opened) / 100,
        "changePercent": round(100 * (closed - opened) / opened, 5), "vwap": (high + low + closed) // 3 / 100,
    }  # fmt: skip


class _Answers(asyncio.Protocol):
    """One connection; requests may come one behind the other."""

    def __init__(self, answers: memoryview, places: dict[bytes, list[int]], day_from: bytes) -> None:
        self.answers, self.places, self.day_from, self.rest = answers, places, day_from, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for request in whole:
            path, _, asked = request.split(b" ", 2)[1].partition(b"?")
            place = self.places.get(path.rpartition(b"/")[2])
            since = asked.partition(b"from=")[2][:10]
            start, length = (0, 0) if place is None else place[2:] if since >= self.day_from else place[:2]
            status = b"404 Not Found" if place is None else b"200 OK"
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, length)
            self.transport.writelines([head, self.answers[start : start + length]])  # type: ignore[attr-defined]


async def _serve(data: Path) -> None:
    meta = json.loads((data / "meta.json").read_text())
    places = {symbol.encode(): place for symbol, place in meta["places"].items()}
    with (data / "answers").open("rb") as file:
        answers = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answers(answers, places, meta["day_from"].encode()), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
