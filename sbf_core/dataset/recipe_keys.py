"""The names of keys of further accounts with a vendor."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from sbf_core.errors import UsageError

_KEY_NAME = re.compile(r"[A-Za-z0-9_]+")


def accounts(values: Iterable[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    """As a tuple; of ``tuple`` itself attrs would ask the signature, which takes 4 ms of each command."""
    return tuple(values)


def check_further_keys(first: Collection[str], further: Collection[Mapping[str, str]], *, where: str) -> None:
    """Raise ``UsageError`` unless each name is that of a key, and stands once.

    Two accounts with one key would be one.

    Args:
        first: the keys of the first account.
        further: which names stand in the place of which.
        where: the recipe.
    """
    if not all(isinstance(one, Mapping) for one in further):
        fix = 'further_keys=({"EXAMPLE_API_KEY": "EXAMPLE_API_KEY_2"},)'
        raise UsageError("further_keys is no list of names for names", where=where, fix=fix, code="RECIPE")
    names = [name for one in further for name in one.values()]
    strays = {name for one in further for name in one} - set(first)
    odd = [name for name in names if not _KEY_NAME.fullmatch(name)]
    is_double = len({*names, *first}) < len(names) + len(set(first))
    if strays or odd or is_double or not all(further):
        raise UsageError(
            f"further_keys: {(sorted(strays) or odd or names or ['nothing'])[0]} is no other name for a key of it",
            where=where,
            fix='further_keys=({"EXAMPLE_API_KEY": "EXAMPLE_API_KEY_2"},), with each name once',
            code="RECIPE",
        )
