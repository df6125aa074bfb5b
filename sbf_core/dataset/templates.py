"""Templates of addresses, paths and bodies: which names in braces they may hold; and what a payload is stored as."""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from functools import lru_cache

from sbf_core.dataset.series_name import EACH
from sbf_core.errors import UsageError

#: What a template may hold.
PLACEHOLDERS = frozenset({"ticker", "from_date", "to_date", "discriminator", "year", "period", "cursor"})
_PART = re.compile(re.escape(EACH) + "[a-z][a-z0-9_]*")
#: What a payload can be stored as. The ending decides how it is read, where the dataset declares no format.
_EXTENSION = re.compile(r"[a-z0-9]{1,10}(\.gz)?")


@lru_cache(maxsize=4096)  # a large universe asks for those of the same address for each of its tickers
def placeholders(template: str) -> frozenset[str]:
    """Names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


def check_template(template: str, *, what: str, dimensions: Collection[str] = ()) -> None:
    """Raise ``UsageError`` where a template of an address or a path holds a name that stands for nothing; of those of
    ``dimensions`` each stands for its values.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"{what} {template!r}: {error}", fix="write {{ for a brace", code="RECIPE") from None
    told = next((name for _, name, form, shown in parts if name is not None and (form or shown)), None)
    if told is not None:
        raise UsageError(
            f"{what} {template!r} says how {{{told}}} is written",
            fix=f"write {{{told}}}; date_format says how days are written",
            code="RECIPE",
        )
    unknown = unknown_in(placeholders(template), dimensions)
    if unknown:
        raise UsageError(
            f"{what} {template!r} holds {{{unknown[0]}}}",
            fix="placeholders are " + ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS)),
            code="RECIPE",
        )


def unknown_in(named: Collection[str], dimensions: Collection[str] = ()) -> list[str]:
    """Those of some names in braces that stand for nothing; which parts of a row there are, the dataset says."""
    known = {*PLACEHOLDERS, *dimensions}
    return sorted(name for name in named if name not in known and not _PART.fullmatch(name))


def check_extension(extension: str) -> None:
    """Raise ``UsageError`` for what no payload can be stored as."""
    if not _EXTENSION.fullmatch(extension):
        raise UsageError(
            f"extension {extension!r} is none",
            fix="write it as json, csv, csv.gz, zip, xlsx: small letters and digits",
            code="RECIPE",
        )
