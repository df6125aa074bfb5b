"""Checks of what a plugin says about itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata
from urllib.parse import parse_qsl, urlsplit

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.errors import SbfError
from sbf_core.plugin import hookspecs
from sbf_core.plugin.offer import Offer
from sbf_core.plugin.offers import checked_offers
from sbf_core.reports.how_to_have import declared, with_offer
from sbf_core.testing.outcome import Note, Problem
from sbf_core.testing.subject import Subject
from sbf_core.universe.members import UniverseMember

#: Before what ``sbf plugins new`` did not know.
UNSURE = "# unsure: "
_HOOKS = ("datasets", "fetch", "promote", "build_gold", "offers", "universe_members")
#: What vendors call a key in an address. A value that stands there is in the journal of every user.
_USUAL_KEYS = re.compile(
    r"(?:x-)?(?:api|app|access|auth|secret|client|subscription|registration)?[_-]?"
    r"(?:key|token|secret|id_token|password|apikey)",
    re.IGNORECASE,
)
#: A name and a value in a text, as XML, JSON and forms write them; a placeholder or a variable is no value.
_KEY_IN_TEXT = re.compile(r"([\w-]+)[\"']?\s*(?:[:=]\s*[\"']?|>\s*)[^\s\"'<>&{$]")


def declaration(subject: Subject) -> Iterator[Problem | Note]:
    """It loads, and what it declares can be fetched and read.

    A dataset needs a recipe or the hook ``fetch``; XML and text need a ``format`` or the hook ``promote``; an address
    with ``{from_date}`` needs a column with ``row_date=True``, else every fetch would start at ``first_date``; a path
    must not be of one machine.
    """
    if not subject.record.loaded:
        yield Problem(f"the plugin is {subject.record.state}: {subject.record.reason}")
        return
    if not subject.entries and not subject.models:
        yield Problem("it has neither datasets nor gold models")
    for owned, error in subject.registry.unread.values():
        if owned.plugin is subject.record:
            yield Problem(f"{error.what}; {error.fix}", owned.entry.id)
    for entry in subject.entries:
        if entry.recipe is None and not entry.reads and not subject.has("fetch"):
            yield Problem("there is no recipe, and the plugin has no hook fetch", entry.id)
        has_reader = entry.format is not None or subject.has("promote")
        if entry.recipe is not None and entry.recipe.extension in ("xml", "txt") and not has_reader:
            yield Problem(f"{entry.recipe.extension} needs a format= that is declared, or the hook promote", entry.id)
        path = getattr(entry.recipe, "path", "")  # of files, also of a database
        if re.match(r"[A-Za-z]:|[/\\]", path):
            yield Problem(f"the path {path!r} is of one machine", entry.id)
        is_asked = entry.recipe is not None and not isinstance(entry.recipe, FileRecipe)
        if is_asked and entry.is_asked_since and entry.row_date_column is None:
            what = "address" if isinstance(entry.recipe, RestRecipe) else "query"
            yield Problem(
                f"the {what} has {{from_date}}, and no column is the row_date: every fetch would start at first_date",
                entry.id,
            )


def nothing_is_unsure(subject: Subject) -> Iterator[Problem | Note]:
    """No line of its module is marked ``# unsure``.

    ``sbf plugins new`` marks what it could not know, such as whether there are further pages. Look at each, mend it or
    not, and take the mark out. ``sbf plugins check NAME --draft`` tells of them and passes.
    """
    module = subject.module if subject.record.loaded else None
    try:
        source = inspect.getsource(module if inspect.ismodule(module) else type(module))
    except (OSError, TypeError):  # it has none that could be read
        source = ""
    for number, line in enumerate(source.splitlines(), start=1):
        _, mark, doubt = line.partition(UNSURE)
        if mark and doubt.strip():
            told = f"line {number} is unsure: {doubt.strip()}"
            yield Note(told) if subject.is_draft else Problem(f"{told}; settle it and take the mark out")


def _template(entry: DatasetKeymapEntry) -> str:
    return entry.recipe.url if isinstance(entry.recipe, RestRecipe) else ""


def _fields_of_body(template: object) -> Iterator[tuple[str, object]]:
    """Names and values in the template of a body, at any depth."""
    if isinstance(template, Mapping):
        for name, value in template.items():
            yield str(name), value
            yield from _fields_of_body(value)
    elif isinstance(template, (list, tuple)):
        for item in template:
            yield from _fields_of_body(item)


def hooks(subject: Subject) -> Iterator[Problem | Note]:
    """Hooks are marked, and answer what they should.

    A function with the name of a hook that is not marked with ``@hookimpl`` is never called, which nobody notices.
    """
    for name in _HOOKS:
        function = getattr(subject.module, name, None)
        if inspect.isroutine(function) and not hasattr(function, f"{hookspecs.PROJECT}_impl"):
            yield Problem(f"{name}() is not marked with @hookimpl, so it is never called")
    if subject.record.loaded and subject.has("universe_members"):
        members = subject.manager.call(subject.record, "universe_members", doing="its universe", safe="")
        if not all(isinstance(member, UniverseMember) for member in members):
            yield Problem("universe_members gave something else than UniverseMember")
    if subject.record.loaded and subject.has("offers"):
        yield from _offers(subject)


def _offers(subject: Subject) -> Iterator[Problem | Note]:
    """Each offer can be had by the options that it says."""
    record, manager = subject.record, subject.manager
    given = manager.call(record, "offers", doing="its offers", safe="", words="", options=record.options)
    for one in checked_offers(given, where="the hook offers"):
        if isinstance(one, Offer) and one.options:
            try:
                made = declared(manager, record, with_offer({}, one))
            except SbfError as error:
                yield Problem(f"the offer {one.id!r} cannot be had: {error}")
            else:
                if not made:
                    yield Problem(f"the offer {one.id!r} gives no dataset")


def docs(subject: Subject) -> Iterator[Problem | Note]:
    """A reader learns what it is, from whom, and on what terms.

    ``title``, ``terms`` and ``source_url`` of each dataset, ``unit`` or ``doc`` of each number, ``doc`` of each gold
    model, a docstring of the module, README and licence of the package.
    """
    for entry in subject.entries:
        for name, what in (
            ("title", "what it is"),
            ("terms", "its terms of use"),
            ("source_url", "where it is described"),
        ):
            if not getattr(entry, name).strip():
                yield Problem(f"{name} is empty: say {what}", entry.id)
        for column in entry.columns:
            if (
                column.type not in ("VARCHAR", "DATE", "BOOLEAN", "TIMESTAMP")
                and not column.key
                and not (column.unit or column.doc)
            ):
                yield Problem(f"the number {column.name!r} has neither unit nor doc", entry.id)
    for model in subject.models:
        if not model.doc.strip():
            yield Problem(f"gold.{model.name} has no doc: say what a row is")
    module = subject.module
    if not (inspect.getdoc(module if inspect.ismodule(module) else type(module)) or "").strip():
        yield Problem("the module has no docstring")
    if subject.record.distribution:
        yield from _package(subject.record.distribution)


def _package(name: str) -> Iterator[Problem | Note]:
    said = {field.lower(): value for field, value in metadata(name).json.items() if value}
    if not str(said.get("description", "")).strip():
        yield Problem(f'the package {name} has no README: readme = "README.md" in its pyproject.toml')
    if not (said.get("license_expression") or said.get("license")):
        yield Problem(f"the package {name} names no licence")


def secrets_in_addresses(entry: DatasetKeymapEntry) -> Iterator[Problem]:
    """Keys that stand in an address or a body as they are, instead of being declared."""
    for name, value in parse_qsl(urlsplit(_template(entry)).query):
        if _USUAL_KEYS.fullmatch(name) and value and not value.startswith("{"):
            yield Problem(
                f"the address holds a value of {name!r}; declare it: secrets={{{name!r}: 'NAME_OF_A_VARIABLE'}}",
                entry.id,
            )
    for name, given in _fields_of_body([getattr(entry.recipe, "json", None), getattr(entry.recipe, "form", None)]):
        if _USUAL_KEYS.fullmatch(name) and isinstance(given, str) and given and not given.startswith("{"):
            yield Problem(
                f"the body holds a value of {name!r}; declare it: secret_body={{{name!r}: 'NAME_OF_A_VARIABLE'}}",
                entry.id,
            )
    sign_in = getattr(entry.recipe, "sign_in", None)
    for name, given in _fields_of_body([getattr(sign_in, name, None) for name in ("json", "form", "extra")]):
        if _USUAL_KEYS.fullmatch(name) and isinstance(given, str) and given:
            yield Problem(f"sign_in holds a value of {name!r}; declare the name of a key in its place", entry.id)
    for match in _KEY_IN_TEXT.finditer(getattr(entry.recipe, "body", "")):
        if _USUAL_KEYS.fullmatch(match[1]) and match[1].lower() != "key":  # which is a word of many queries
            yield Problem(
                f"the body holds a value of {match[1]!r}; use json or form with secret_body, or secret_headers",
                entry.id,
            )
    for name in getattr(entry.recipe, "headers", {}):
        if _USUAL_KEYS.fullmatch(name) or name.lower() in ("authorization", "cookie"):
            yield Problem(f"the header {name!r} is written in the declaration; use secret_headers", entry.id)
