"""The header ``Set-Cookie``: a name, a value, and how long it lives (RFC 6265, sections 4.1 and 5.2)."""

from __future__ import annotations

import datetime as dt
import email.utils
import re

import attrs

from sbf_core.value import Value

_SECONDS = re.compile(r"-?\d{1,15}")


@attrs.frozen(kw_only=True)
class SetCookie(Value):
    """A cookie that a vendor sets.

    Attributes:
        name, value: as they are sent back.
        max_age: seconds that it lives; None: not said.
        expires_at: when it ends, aware; None: not said, or no date.
    """

    name: str
    value: str = attrs.field(repr=False)
    max_age: int | None
    expires_at: dt.datetime | None

    def lives_seconds(self, now: dt.datetime) -> float | None:
        """How long it lives from now on; None: until the vendor ends it. ``Max-Age`` goes before ``Expires``."""
        if self.max_age is not None:
            return max(float(self.max_age), 0.0) or None
        if self.expires_at is None:
            return None
        return max((self.expires_at - now).total_seconds(), 0.0) or None


def read_cookie(header: str) -> SetCookie:
    """One value of ``Set-Cookie``; without a name where it has none."""
    pair, *attributes = header.split(";")
    name, _, value = pair.partition("=")
    told = {key.strip().lower(): text.strip() for key, _, text in (each.partition("=") for each in attributes)}
    age = told.get("max-age", "")
    return SetCookie(
        name=name.strip(),
        value=value.strip(),
        max_age=int(age) if _SECONDS.fullmatch(age) else None,
        expires_at=_moment(told.get("expires", "")),
    )


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
