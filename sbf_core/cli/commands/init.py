"""``sbf init``."""

from __future__ import annotations

from typing import Any

from sbf_core.cli import options as opt
from sbf_core.duck.home_folder import check_place
from sbf_core.errors import EnvironmentFault, UsageError
from sbf_core.settings.setting import SETTINGS
from sbf_core.settings.settings import Settings
from sbf_core.shell_words import typed


def init(home_folder: opt.HomeFolder = None) -> None:
    """Make a home: the folder, and a commented sbf.toml to fill in.

    Example: sbf init --home ~/warehouse
    """
    settings = Settings(home_folder)
    folder = settings.home
    check_place(settings.config, settings.config.database)
    if settings.file.exists():
        raise UsageError("there is a home already", where=str(settings.file), fix="edit that file", code="HOME")
    try:
        (folder / "files").mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.file.write_text(_template(), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(
            f"the home cannot be made: {error.strerror}",
            where=str(folder),
            fix="choose another --home or mend its permissions",
        ) from error
    print(f"Made {folder}")
    print()
    print("Try next:")
    print(f"  edit {typed(settings.file)}")
    print(f"  sbf run --home {typed(folder)} --replay sample")


def _template() -> str:
    lines = ["# Settings of this home. A flag wins over SBF_*, which wins over this file.", ""]
    section = ""
    for setting in SETTINGS:
        head, _, key = setting.name.partition(".")
        if head != section:
            lines += ([""] if section else []) + [f"[{head}]"]
            section = head
        default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
        lines += [f"# {setting.doc}", f"# {key} = {_toml(default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)
