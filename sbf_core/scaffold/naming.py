"""Names that a new plugin may have."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from pathlib import Path

from sbf_core.dataset.former_names import taken_ending
from sbf_core.errors import UsageError
from sbf_core.plugin.manager import PluginManager
from sbf_core.plugin.registry import DatasetRegistry
from sbf_core.vocabulary import check_name


def check_new_name(name: str, *, into: Path, manager: PluginManager) -> Path:
    """The folder of a new plugin's package, once it is clear that nothing else has its name.

    Raises:
        UsageError: it cannot be a name in Python, in SQL or on a disk, or something has it already.
    """
    check_name(name, what="plugin")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in sys.stdlib_module_names:
        raise UsageError(
            f"plugin {name!r} has a name of Python's own", fix="choose another name, e.g. add the source's", code="NAME"
        )
    if taken_ending(name):
        raise UsageError(
            f"a table cannot end in {taken_ending(name)}, and {name!r} would be one",
            fix="choose another name",
            code="NAME",
        )
    if name in manager.records:
        record = manager.records[name]
        raise UsageError(
            f"there is a plugin {record.label} already", fix="choose another name, or uninstall it", code="TAKEN"
        )
    for owned in DatasetRegistry(manager).datasets.values():
        if owned.entry.silver_table == name:
            raise UsageError(
                f"the table silver.{name} belongs to {owned.entry.id} of plugin {owned.plugin.label}",
                fix="choose another name",
                code="TAKEN",
            )
    if importlib.util.find_spec(package_of(name)) is not None:
        raise UsageError(
            f"there is a module {package_of(name)!r} already", fix="choose another name, or uninstall it", code="TAKEN"
        )
    folder = into / f"sbf-{name.replace('_', '-')}"
    if folder.exists():
        raise UsageError(
            "there is something already",
            where=str(folder),
            fix="choose another name, or --into another folder",
            code="TAKEN",
        )
    if not into.is_dir():
        raise UsageError(
            "there is no such folder", where=str(into), fix="make it, or name another with --into", code="FOLDER"
        )
    return folder


def package_of(name: str) -> str:
    """The module of a plugin."""
    return f"sbf_{name}"


def class_of(name: str) -> str:
    """``oil_price`` as ``OilPrice``."""
    return "".join(part.capitalize() for part in name.split("_"))


def as_name(text: str, *, taken: set[str] | None = None, other: str = "field") -> str:
    """A vendor's word as a name in SQL: ``weightedAverageShsOut`` as ``weighted_average_shs_out``, ``3 Mo`` as
    ``n3_mo``.

    Args:
        text: the vendor's word.
        taken: names that are given already; a number is put behind a second one.
        other: what it is called if nothing of it can be kept.
    """
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    plain = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or other
    plain = (plain if plain[0].isalpha() else f"n{plain}")[:40].strip("_")
    plain = plain if _is_free(plain) else f"{plain}_value"
    name, number = plain, 2
    while name in (taken or ()):
        name, number = f"{plain}_{number}", number + 1
    return name


def _is_free(name: str) -> bool:
    try:
        check_name(name, what="column")
    except UsageError:
        return False
    return not keyword.iskeyword(name)
