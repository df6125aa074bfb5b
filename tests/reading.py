"""A vendor whose answers two datasets read: one fetches them, and the other reads what stands beside."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from warehouse import FakeVendor, Warehouse

from sbf_core.api import DatasetKeymapEntry, column
from sbf_core.care.digest import digest_tables
from sbf_core.care.rebuild import rebuild
from sbf_core.care.verify import Verification


@attrs.frozen
class Bond:
    """A bond in the list of an auction."""

    isin: str = column(key=True)
    rate: Decimal = column(precision=9, scale=4)
    auctioned: dt.date = column(row_date=True)


@attrs.frozen
class Bid:
    """What one bidder bid for it, in the same answer."""

    isin: str = column(key=True)
    bidder: str = column(key=True)
    amount: int = column()


def bonds(**changes: Any) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(**{
        "domain": "bonds", "source": "odd", "dataset": "auctions", "silver_table": "bonds", "columns": Bond,
        "rows_at": "bonds", **changes,
    })  # fmt: skip


def bids(**changes: Any) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(**{
        "domain": "bonds", "source": "odd", "dataset": "bids", "silver_table": "bids", "columns": Bid,
        "rows_at": "bids", "reads": "bonds/odd/auctions", **changes,
    })  # fmt: skip


def answer(*rates: str, bid: Sequence[tuple[str, str, object]] = (), name: str = "Odd Plc") -> str:
    listed = [{"isin": f"X{place}", "rate": rate, "auctioned": "2024-01-01"} for place, rate in enumerate(rates)]
    given = [{"isin": isin, "bidder": bidder, "amount": amount} for isin, bidder, amount in bid]
    return json.dumps({"bonds": listed, "bids": given, "issuer": {"name": name, "seen": len(rates)}})


BIDS = (("X0", "ann", 5), ("X0", "bob", 7), ("X1", "ann", 1))


def two(tmp_path: Path, *more: DatasetKeymapEntry, **changes: Any) -> tuple[Warehouse, FakeVendor]:
    """A vendor whose answers two datasets read."""
    vendor = FakeVendor(bonds(), bids(**changes), *more)
    warehouse = Warehouse(tmp_path / "home", vendor)
    vendor.says(answer("1.5", "2.5", bid=BIDS), dataset="auctions")
    return warehouse, vendor


def digests(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.open() as cursor:
        return {one.table: one.sha256 for one in digest_tables(cursor, keys={})}


def is_sound(warehouse: Warehouse) -> None:
    """Files, journals, ledger and tables agree; made again they are the same."""
    report = Verification(warehouse.opened()).run()
    assert report.findings == []
    before = digests(warehouse)
    done = rebuild(warehouse.opened())
    assert done.lost == ()
    assert done.context.errors == []
    assert digests(warehouse) == before
    assert Verification(warehouse.opened()).run().findings == []


def bid_with_note() -> type:
    @attrs.frozen
    class WithNote(Bid):
        note: str | None = column()

    return WithNote
