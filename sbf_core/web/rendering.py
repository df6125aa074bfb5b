"""Templates to pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from sbf_core.counted import counted, noun
from sbf_core.errors import printable
from sbf_core.shell_words import typed
from sbf_core.web.grid import bytes_text, duration_text, number_text
from sbf_core.web.path_masking import PathMasking

_PLACES = (
    ("/", "Overview"),
    ("/runs", "Runs"),
    ("/datasets", "Datasets"),
    ("/catalogue", "Catalogue"),
    ("/gold", "Gold"),
    ("/charts", "Charts"),
    ("/sql", "SQL"),
    ("/plugins", "Plugins"),
)


class Rendering:
    """Makes pages of templates.

    Whatever is put into one is escaped, and says nothing of where the home is on this machine.

    Args:
        home: its name is shown on each page.
    """

    def __init__(self, home: Path) -> None:
        self.masking = PathMasking(home)
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=self._without_ways,
        )
        self._environment.filters.update(
            bytes=bytes_text,
            counted=counted,
            duration=duration_text,
            noun=noun,
            number=number_text,
            printable=lambda value: printable(str(value)),
            typed=typed,
            told=self._told,
        )
        self._environment.globals.update(places=_PLACES, home=printable(self.masking.name))

    def _without_ways(self, value: Any) -> Any:
        """Each value before it is escaped.

        What was escaped already stays: a payload and a question are shown as they are.
        """
        return self.masking.of_home(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def _told(self, value: object) -> str:
        """What sbf or a plugin says of a fault."""
        return printable(self.masking.told(str(value)))

    def text(self, template: str, **content: Any) -> str:
        """A part of a page."""
        return self._environment.get_template(template).render(**content)

    def page(self, template: str, *, path: str, title: str, status_code: int = 200, **content: Any) -> HTMLResponse:
        """A page; ``path`` says which place of the menu it belongs to."""
        return HTMLResponse(self.text(template, path=path, title=printable(title), **content), status_code=status_code)
