"""Results that are kept for an object that cannot be hashed, such as a declaration: thousands of payloads ask the same
of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_KEPT_MAX = 512
_P = ParamSpec("_P")
_T = TypeVar("_T")


def by_identity(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Keep the results of a pure function by the identity of its first argument, which never changes, and the values of
    the others.
    """
    kept: dict[tuple[Any, ...], tuple[Any, _T]] = {}

    @functools.wraps(function)
    def known(*given: _P.args, **named: _P.kwargs) -> _T:
        first, *rest = given
        key = (id(first), *rest, *named.items())
        entry = kept.get(key)
        if entry is not None and entry[0] is first:  # else the identity is that of an object that is gone
            return entry[1]
        result = function(*given, **named)
        if len(kept) >= _KEPT_MAX:
            kept.clear()
        kept[key] = (first, result)
        return result

    return known
