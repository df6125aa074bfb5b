"""Commands that a person is told to type: each word stays one word in a shell, whatever a path or a name holds."""

from __future__ import annotations

import os
import re
import shlex

#: Commands of ours that take no home.
HOMELESS = frozenset(("plugins new",))
#: A command of ours with the words that name it, and a command within a sentence.
_COMMAND = re.compile(r"sbf ((?:(?:plugins|schedule) )?[a-z]+)(?![^ ])")
_TOLD = re.compile(r"`(sbf [^`]+)`")
#: What no shell of Windows takes for anything else.
_PLAIN = re.compile(r"[\w.:/\\+-]+")


def typed(word: object, *, windows: bool = os.name == "nt") -> str:
    """A word of a command as a shell takes it for one: as POSIX shells quote, or between double quotes on Windows."""
    text = str(word)
    if not windows:
        return shlex.quote(text)
    if _PLAIN.fullmatch(text):
        return text
    quotes_escaped = text.replace('"', '\\"')
    return f'"{quotes_escaped}"'


def home_option(home: object) -> str:
    """The option that names a home, as it is typed."""
    return f"--home {typed(home)}"


def of_home(command: str, option: str) -> str:
    """A command of ours with the option that names the home, where it takes one and has none."""
    match = _COMMAND.match(command)
    if not option or match is None or match[1] in HOMELESS or "--home" in command:
        return command
    return f"{match[0]} {option}{command[match.end() :]}"


def told_of_home(text: str, option: str) -> str:
    """A sentence whose commands, each between backticks, reach the home; see ``of_home``."""
    return _TOLD.sub(lambda match: f"`{of_home(match[1], option)}`", text)
