"""Whether ``reads`` of a dataset is one, as far as its own declaration says; see ``reader`` for the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sbf_core.dataset.former_names import is_identity
from sbf_core.errors import UsageError


def check_reads(
    reads: str, payloads_of: Collection[str], *, ids: Collection[str], asks: Mapping[str, bool], where: str
) -> None:
    """Raise ``UsageError`` unless a dataset may read the payloads of another one.

    Args:
        reads: the identity of the other one; empty: it reads its own.
        payloads_of: all that it had, once they are known.
        ids: those of the dataset.
        asks: what would have it asked for by itself, and whether it is declared.
        where: the dataset, for the message.
    """
    if not reads:
        if payloads_of:
            raise UsageError("payloads_of is filled in by sbf", where=where, fix='reads="..."', code="READS")
        return
    if not is_identity(reads):
        fix = 'write "domain/source/dataset", as `sbf datasets` shows it'
        raise UsageError(f"reads {reads!r} is no identity", where=where, fix=fix, code="READS")
    if reads in ids:
        raise UsageError("it reads its own payloads", where=where, fix="leave reads out", code="READS")
    asking = next((name for name, is_declared in asks.items() if is_declared), "")
    if asking:
        raise says_how_asked(asking, reads, where)


def says_how_asked(name: str, reads: str, where: str) -> UsageError:
    """A dataset declares how payloads are asked for that another one fetches."""
    return UsageError(
        f"it reads payloads of {reads}, and {name} says how they are asked for",
        where=where,
        fix=f"leave {name} out: {reads} alone declares it",
        code="READS",
    )
