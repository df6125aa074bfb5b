"""Something that a user should look at."""

from __future__ import annotations

import attrs

from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class Way(Value):
    """A way out: ``to`` says what one wants by it, ``command`` is what to type."""

    to: str
    command: str


@attrs.frozen(kw_only=True)
class Problem(Value):
    """Something that a user should look at.

    Attributes:
        what: what is wrong.
        detail: the reason, as far as it is known.
        fix: a command that mends it, or that says more.
        href: the page that says more; empty for none.
        ways: every way out, where there are several; ``fix`` is one of them.
    """

    what: str
    detail: str
    fix: str
    href: str = ""
    ways: tuple[Way, ...] = ()

    @property
    def ways_out(self) -> tuple[Way, ...]:
        """What to type, with what for."""
        return self.ways or (Way(to="", command=self.fix),)

    @property
    def told_ways(self) -> str:
        """The same in words, with commands between backticks."""
        if not self.ways:
            return f"go on with `{self.fix}`"
        return ", or ".join(f"{way.to} `{way.command}`" for way in self.ways)
