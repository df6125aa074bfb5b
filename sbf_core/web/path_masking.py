"""What a page says of places on this machine: those in the home from there on, others by their name.

Whoever reads pages from elsewhere, or gets one forwarded, need not know who works on the machine and how it is
arranged.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from pathlib import Path

_END = r"(?![\w.-])"
#: Where a path ends in a sentence.
_PART = r"[^\s/\\'\"<>;,:()`]+"


class PathMasking:
    """Takes the way to places out of texts.

    Args:
        home: of the warehouse.
    """

    def __init__(self, home: Path) -> None:
        self.name = home.name or "warehouse"
        homes = {str(home), str(home.absolute()), str(home.resolve())}
        homes |= {Path(one).as_posix() for one in homes}
        self._homes = [
            re.compile(re.escape(one.rstrip("/\\")) + rf"(?:([/\\])|{_END})")
            for one in sorted(homes, key=len, reverse=True)
            if len(Path(one).parts) > 1
        ]
        own = (
            Path.home(),
            Path(sys.prefix),
            Path(sys.base_prefix),
            Path(__file__).parents[2],
            Path(sysconfig.get_path("purelib")),
            home.resolve().parent,
        )
        above = sorted(
            {str(each) for one in own for each in (one, one.resolve()) if len(each.parts) > 2}, key=len, reverse=True
        )
        self._above = (
            re.compile("|".join(re.escape(one) + rf"(?:[/\\](?:{_PART}[/\\])*|{_END})" for one in above))
            if above
            else None
        )
        tops = "|".join(re.escape(name) for name in _tops())
        posix = rf"(?<![\w.:/\\~-])(?:file://)?/(?:{tops})/(?:{_PART}/)*(?={_PART})" if tops else r"(?!)"
        self._any = re.compile(
            posix if os.name == "posix" else rf"(?<![\w])(?:file:///)?[A-Za-z]:[/\\](?:{_PART}[/\\])*(?={_PART})"
        )

    def of_home(self, text: str) -> str:
        """A text without the ways to the home, to sbf and to who works here; what else stands in it stays as it is."""
        if "/" not in text and "\\" not in text:
            return text
        for home in self._homes:
            text = home.sub(lambda match: "" if match[1] else self.name, text)
        return text if self._above is None else self._above.sub(_named, text)

    def told(self, text: str) -> str:
        """The same for what sbf itself or a plugin says, where every path is one of this machine."""
        return self._any.sub("", self.of_home(text))


def _named(match: re.Match[str]) -> str:
    """Nothing of a folder above; the name of one that stands alone."""
    return "" if match[0].endswith(("/", "\\")) else re.split(r"[/\\]", match[0])[-1]


def _tops() -> list[str]:
    """The folders that this machine begins with."""
    if os.name != "posix":
        return []
    try:
        return sorted(one.name for one in os.scandir("/") if one.is_dir())
    except OSError:
        return []
