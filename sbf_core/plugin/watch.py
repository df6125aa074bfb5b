"""Whether a hook that ran in the process of sbf used the database, which nobody gave to it.

The ledger cannot be locked against code in the same process. But each transaction has a number, so that a hook after
which the next number is not the next one is found out; what a checksum of the ledger would say costs more than a query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sbf_core.errors import PluginFault
from sbf_core.ops.service import OpsService


@contextmanager
def watched(ops: OpsService, *, where: str) -> Iterator[None]:
    """Call a hook inside; no other thread may use the database meanwhile.

    Raises:
        PluginFault: somebody began a transaction.
    """
    before = ops.transaction_number()
    yield
    if ops.transaction_number() != before + 1:
        raise PluginFault("used the database by itself", where=where, fix="run `sbf verify`, and do not use this plugin before it is mended")
