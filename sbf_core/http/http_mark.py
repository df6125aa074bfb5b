"""What is kept with a file of a web server, to tell whether it changed: what the list of its folder said of it, from
when on that can be relied on, and its ETag.

A list tells the time of a change to the minute, in a zone that it does not name: a file that changes twice within a
minute looks the same. The answer itself has both moments of the server, so it is known when that minute is over.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

import attrs

from sbf_core.value import Value

#: What a list does not tell apart, and a second for headers that have none of its parts.
_COARSE = dt.timedelta(seconds=62)
#: That minute was over when the answer came.
_EVER_SURE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NONE = "-"


@attrs.frozen(kw_only=True)
class HttpMark(Value):
    """What was kept.

    Attributes:
        listing: what the list said; empty where it says nothing of changes.
        sure_at: who looked later than that knows that the file did not change since, where the list says the same;
            None where that is never known.
        etag: of the answer; empty where it has none.
    """

    listing: str = ""
    sure_at: dt.datetime | None = None
    etag: str = ""

    @classmethod
    def of(cls, text: str) -> HttpMark:
        """The mark that a text is; an empty one of a text that is none."""
        listing, _, rest = text.partition(" ")
        seconds, _, etag = rest.partition(" ")
        sure_at = None
        with suppress(ValueError, OverflowError, OSError):
            sure_at = dt.datetime.fromtimestamp(int(seconds), dt.UTC)
        return cls(listing="" if listing == _NONE else listing, sure_at=sure_at, etag=etag)

    @classmethod
    def read(cls, listing: str, headers: Mapping[str, str], fetched_at: dt.datetime) -> HttpMark:
        """The mark of an answer that was there at a moment."""
        changed, said = (_moment(headers.get(name, "")) for name in ("last-modified", "date"))
        sure_at = None
        if changed is not None and said is not None:
            left = changed + _COARSE - said
            sure_at = fetched_at + left if left > dt.timedelta() else _EVER_SURE
        return cls(listing=listing, sure_at=sure_at, etag=headers.get("etag", ""))

    @property
    def text(self) -> str:
        """As it is kept in the place of an ETag."""
        seconds = _NONE if self.sure_at is None else str(math.ceil(self.sure_at.timestamp()))
        return f"{self.listing or _NONE} {seconds} {self.etag}".rstrip()


def vendor_conditions(conditions: Mapping[str, str]) -> dict[str, str]:
    """Headers that ask for a file only if it changed, of those with our own mark."""
    etag = HttpMark.of(conditions.get("if-none-match", "")).etag
    other = {name: value for name, value in conditions.items() if name != "if-none-match"}
    return {**({"if-none-match": etag} if etag else {}), **other}


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
