"""Something that a user should look at."""

from __future__ import annotations

import attrs

from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Problem(Value):
    """Something that a user should look at.

    Attributes:
        what: what is wrong.
        detail: the reason, as far as it is known.
        fix: a command that mends it, or that says more.
        href: the page that says more; empty for none.
    """

    what: str
    detail: str
    fix: str
    href: str = ""
