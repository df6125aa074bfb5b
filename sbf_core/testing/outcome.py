"""What a check of a plugin says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.testing.subject import Subject

PASSED, FAILED, EXEMPT = "passed", "failed", "exempt"


@attrs.frozen
class Problem(Value):
    """Something that is not as it should be.

    Attributes:
        text: what, in one clause.
        dataset: the dataset it was found in; empty for the plugin as a whole.
    """

    text: str
    dataset: str = ""


@attrs.frozen
class Note(Value):
    """Why a check had nothing to look at."""

    text: str


#: Looks at a plugin and says what it finds.
Look = Callable[["Subject"], Iterator[Problem | Note]]


@attrs.frozen
class Check(Value):
    """One check.

    Attributes:
        name: by which a plugin exempts itself from it.
        promise: what holds when it passes, in one clause.
        look: does it.
    """

    name: str
    promise: str
    look: Look


@attrs.frozen(kw_only=True)
class Outcome(Value):
    """How one check went.

    Attributes:
        check: which.
        state: ``passed``, ``failed`` or ``exempt``.
        problems: what was found; of an exempt check, what the exemption is for.
        notes: why there was nothing to look at, and the reasons of exemptions.
    """

    check: Check
    state: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The problems, one a line."""
        return "\n".join(
            f"{problem.dataset}: {problem.text}" if problem.dataset else problem.text for problem in self.problems
        )
