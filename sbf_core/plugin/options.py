"""What a user may say to a plugin in ``[options.NAME]`` of ``sbf.toml``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sbf_core.errors import UsageError, nearest


def checked_options(options: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """Options by name, each of the kind of its default; lists of texts come as tuples.

    Args:
        options: what the settings say.
        **defaults: every option that there is, with its value where the settings are silent.

    Raises:
        UsageError: an option that is not known, or of another kind.
    """
    checked = dict(defaults)
    for name, value in options.items():
        if name not in defaults:
            raise UsageError(
                f"there is no option {name!r}",
                fix=nearest(name, defaults) or "options are " + ", ".join(defaults),
                code="OPTION",
            )
        wanted = defaults[name]
        if isinstance(wanted, tuple):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise UsageError(
                    f"option {name} is no list of texts", fix=f'write {name} = ["...", "..."]', code="OPTION"
                )
            value = tuple(value)
        elif type(value) is not type(wanted):
            raise UsageError(
                f"option {name} is {type(value).__name__} {value!r}, expected {type(wanted).__name__}", code="OPTION"
            )
        checked[name] = value
    return checked


def checked_words(given: Sequence[str], known: Collection[str], *, what: str, where: str) -> tuple[str, ...]:
    """The words that a user chose in a list, each once, in their order.

    Args:
        given: what the settings say.
        known: all words that there are.
        what: what each names, e.g. ``report``.
        where: the option, e.g. ``[options.cftc] reports``.

    Raises:
        UsageError: one names nothing that there is.
    """
    unknown = next((word for word in given if word not in known), None)
    if unknown is not None:
        raise UsageError(
            f"there is no {what} {unknown!r}", where=where, fix=f"use some of {', '.join(known)}", code="OPTION"
        )
    return tuple(dict.fromkeys(given))
