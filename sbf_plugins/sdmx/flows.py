"""A flow as a user writes it: ``ECB/EXR/D.CURRENCY=USD+GBP.EUR.SP00.A?since=2000&attributes=TITLE``.

OFFICE/FLOW/KEY, and behind a question mark what is not as usual, NAME=VALUE with ``&`` between. A key has the parts of
the office, in its order, with dots between. A part is one code, which is only sent; or DIMENSION=CODES, with ``+``
between them and none for all: then the dimension is a column of the key. A part that lets several codes through has to
be named, since without it their rows could not be told apart. What is wrong is refused with what to write.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping
from typing import NoReturn

import attrs

from sbf_core.api import UsageError
from sbf_plugins.sdmx.offices import OFFICES, Asked, Office

EXAMPLE = '"ECB/EXR/D.CURRENCY=USD+GBP.EUR.SP00.A"'
_FLOW = re.compile(r"(?:[A-Za-z][A-Za-z0-9_.-]*,)?[A-Za-z0-9_@$-]+(?:,[0-9]+(?:\.[0-9]+)*)?")
PART = re.compile(r"(?:([A-Za-z][A-Za-z0-9_-]*)=)?([A-Za-z0-9_@$*-]+(?:\+[A-Za-z0-9_@$*-]+)*)?")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SINCE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?")
#: What each option may be; an empty tuple: anything that its own check takes.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "as": (),
    "ask": ("whole", "changes"),
    "attributes": (),
    "format": ("csv", "xml", "json"),
    "key": (),
    "labels": ("yes",),
    "lookback": (),
    "periods": ("days", "months", "years"),
    "since": (),
    "time": (),
    "value": ("decimal", "double", "text"),
}


@attrs.frozen(kw_only=True)
class Flow:
    """What one text asks for.

    Attributes:
        office: the word of the office.
        flow: the dataflow as it is sent, e.g. ``OECD.SDD.NAD,DSD_NAAG@DF_NAAG_I``.
        key: the key as it is sent; ``all`` where its only part lets all through.
        dimensions: ids of those that are columns of the key, in the order of the office's key; behind them attributes
            that the user wants there, for offices that tell rows apart by an attribute.
        time: id of the dimension that is the period.
        name: what the dataset is called; the table is called OFFICE_NAME.
        attributes: ids of further columns.
        format: ``csv``, ``xml`` or ``json``.
        labels: whether names of codes are columns, too.
        periods: ``days``, ``months`` or ``years``: all periods are such, and become dates; empty: they stay texts.
        lookback_days: asked since so many days before the newest row; None: whole, or for changes.
        ask_changes: asked for what changed since the last answer.
        since: the first period that is asked for, as it is sent; empty: from the beginning.
        value: the type of values.
    """

    office: str
    flow: str
    key: str
    dimensions: tuple[str, ...]
    time: str = "TIME_PERIOD"
    name: str
    attributes: tuple[str, ...] = ()
    format: str
    labels: bool = False
    periods: str = ""
    lookback_days: int | None = None
    ask_changes: bool = False
    since: str = ""
    value: str = "decimal"

    @property
    def service(self) -> Office:
        """The office that has it."""
        return OFFICES[self.office]

    @property
    def asked(self) -> Asked:
        """How the office is asked for it."""
        return self.service.formats[self.format]

    @property
    def table(self) -> str:
        """The silver table, without its schema."""
        return f"{self.office.lower()}_{self.name}"

    @property
    def first_date(self) -> dt.date:
        """The first day that is asked for; where changes are, the moment since which they are."""
        if self.ask_changes:
            return dt.date(1970, 1, 2)
        parts = [int(part) for part in self.since.split("-") if part]
        return dt.date(*(*parts, 1, 1)[:3]) if parts else dt.date(1800, 1, 1)

    @property
    def is_series(self) -> bool:
        """Whether it is asked for in parts, so that another key has to be asked for from the beginning."""
        return self.ask_changes or self.lookback_days is not None


def flow_of(text: str) -> Flow:
    """What a text asks for. Raises ``UsageError`` with what to write instead."""
    head, _, tail = text.partition("?")
    office, flow, key = head_of(text, head)
    if not key:
        fix = f'name its dimensions in their order, "{office}/{flow}/DIMENSION=.DIMENSION="; they are listed at '
        _refuse(text, "has no key", fix + structure_address(office, flow))
    options = options_of(text, tail)
    kind = format_of(text, OFFICES[office], options)
    asked = OFFICES[office].formats[kind]
    lookback = _lookback(text, options)
    time = _ids(text, options, "time", ())
    if len(time) > 1:
        _refuse(text, "time names several dimensions", "write the one that is the period, as time=PER")
    taken = (*_dimensions(text, office, flow, key), *time)
    in_key = _ids(text, options, "key", taken)
    dimensions = tuple(one for one in (*taken, *in_key) if one not in time)
    attributes = _ids(text, options, "attributes", (*taken, *in_key))
    if "labels" in options and not asked.has_labels:
        _refuse(text, f"the {kind} of {office} holds no labels", _with_labels(OFFICES[office]))
    return Flow(
        office=office,
        flow=flow,
        key=".".join(part.rpartition("=")[2] for part in key.split(".")) or "all",
        dimensions=dimensions,
        time=time[0] if time else "TIME_PERIOD",
        name=_name(text, office, flow, options.get("as", "")),
        attributes=attributes,
        format=kind,
        labels="labels" in options,
        periods=options.get("periods", ""),
        lookback_days=lookback,
        ask_changes=_ask_changes(text, OFFICES[office], asked, options, lookback),
        since=since_of(text, options.get("since", "")),
        value=options.get("value", "decimal"),
    )


def structure_address(office: str, flow: str) -> str:
    """Where an office lists the dimensions of a flow."""
    service = OFFICES[office]
    parts = flow.split(",")
    named = len(parts) > 1 and not parts[1][:1].isdigit()
    agency, name = (parts[0], parts[1]) if named else (service.agency, parts[0])
    return service.structure.format(agency=agency, flow=name)


def _refuse(text: str, what: str, fix: str) -> NoReturn:
    raise UsageError(f"{text!r}: {what}", where="[options.sdmx] flows", fix=fix, code="OPTION")


def head_of(text: str, head: str) -> tuple[str, str, str]:
    """Office, flow and key of a text; the key may be empty. Raises ``UsageError`` with what to write instead."""
    parts = head.split("/")
    if len(parts) not in (2, 3) or not all(parts[:2]):
        _refuse(text, "is no OFFICE/FLOW/KEY", f"write e.g. {EXAMPLE}")
    office, flow, key = (*parts, "")[:3]
    if office not in OFFICES:
        meant = [word for word, each in OFFICES.items() if office.upper() in (word, each.agency)]
        fix = f"write {meant[0]}" if meant else f"use one of {', '.join(OFFICES)}"
        _refuse(text, f"there is no office {office!r}", fix)
    if not _FLOW.fullmatch(flow):
        _refuse(text, f"{flow!r} is no flow", 'write "EXR", "ECB,EXR" or "ECB,EXR,1.0": agency, flow and version')
    return office, flow, key


def _dimensions(text: str, office: str, flow: str, key: str) -> tuple[str, ...]:
    named: list[str] = []
    for place, part in enumerate(key.split("."), start=1):
        match = PART.fullmatch(part)
        if match is None:
            _refuse(text, f"part {place} of the key, {part!r}, is no DIMENSION=CODE+CODE", f"write e.g. {EXAMPLE}")
        name, codes = match[1], match[2] or ""
        if name:
            named.append(name)
        elif not codes or "+" in codes or "*" in codes:
            told = f"{codes!r}" if codes else "every code"
            fix = f'name it, as "DIMENSION={codes}"; the dimensions are listed at {structure_address(office, flow)}'
            _refuse(text, f"part {place} of the key lets {told} through, and no column would tell which", fix)
    folded = [name.lower().replace("-", "_") for name in named]
    twice = next((name for name in named if folded.count(name.lower().replace("-", "_")) > 1), None)
    if twice is not None:
        _refuse(text, f"names the dimension {twice} twice", "write each once")
    return tuple(named)


def options_of(text: str, tail: str) -> dict[str, str]:
    """What stands behind the question mark. Raises ``UsageError`` with what to write instead."""
    options: dict[str, str] = {}
    for part in tail.split("&") if tail else ():
        name, mark, value = part.partition("=")
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            _refuse(text, f"there is no {name!r}", f"write {near[0]}=" if near else f"use {', '.join(OPTIONS)}")
        if not mark or not value or name in options:
            _refuse(text, f"{part!r} is not said once, as {name}=VALUE", f"write {name}= and what it is, once")
        if OPTIONS[name] and value not in OPTIONS[name]:
            _refuse(text, f"{name} is {value!r}", f"write {name}={'|'.join(OPTIONS[name])}, one of them")
        options[name] = value
    return options


def format_of(text: str, office: Office, options: Mapping[str, str]) -> str:
    """The format that is asked for. Raises ``UsageError`` where the office does not give it."""
    kind = options.get("format", next(iter(office.formats)))
    if kind not in office.formats:
        _refuse(text, f"{office.title} gives no {kind}", f"write format={'|'.join(office.formats)}, one of them")
    return kind


def _with_labels(office: Office) -> str:
    kinds = [kind for kind, asked in office.formats.items() if asked.has_labels]
    return f"add format={kinds[0]}" if kinds else "leave labels out"


def _ids(text: str, options: Mapping[str, str], option: str, taken: tuple[str, ...]) -> tuple[str, ...]:
    """The ids that an option lists; each is a column that is not there yet."""
    value = options.get(option, "")
    names = tuple(value.split("+")) if value else ()
    columns = [name.lower().replace("-", "_") for name in (*taken, *names)]
    for name in names:
        if not _ID.fullmatch(name) or columns.count(name.lower().replace("-", "_")) > 1:
            fix = f"write ids with + between them, each once, as {option}=TARIFFTYPE+NOMENCODE"
            _refuse(text, f"{option} has {name!r}, which is no id, or a column already", fix)
    return names


def _lookback(text: str, options: Mapping[str, str]) -> int | None:
    value = options.get("lookback")
    if value is None:
        return None
    if not re.fullmatch("[1-9][0-9]{0,4}", value):
        _refuse(text, f"lookback is {value!r}", "write a number of days, as lookback=45")
    if "periods" not in options:
        fix = "say what its periods are, periods=days|months|years; leave lookback out where they are something else"
        _refuse(text, "lookback counts days, and a period that is a text is of no day", fix)
    return int(value)


def _ask_changes(text: str, office: Office, asked: Asked, options: Mapping[str, str], lookback: int | None) -> bool:
    wish = options.get("ask")
    if lookback is not None:
        if wish is not None:
            _refuse(text, "lookback and ask say both what is asked for", "keep one of them")
        return False
    can = office.knows_updated_after and asked.shows_deletions
    if wish == "changes" and not office.knows_updated_after:
        fix = "leave ask out; periods= and lookback= ask for the last days alone"
        _refuse(text, f"{office.title} cannot be asked for what changed", fix)
    if wish == "changes" and not can:
        kinds = [kind for kind, each in office.formats.items() if each.shows_deletions]
        _refuse(text, "this format does not say what was deleted", f"add format={kinds[0]}")
    return can and (wish == "changes" or (wish is None and asked is next(iter(office.formats.values()))))


def since_of(text: str, value: str) -> str:
    """The first period that is asked for. Raises ``UsageError`` with what to write instead."""
    match = _SINCE.fullmatch(value)
    if value and match is None:
        _refuse(text, f"since is {value!r}", "write a year, a month or a day: 2010, 2010-01 or 2010-01-31")
    if match is not None and match[3]:
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            _refuse(text, f"since is {value!r}, which is no day", "write a day that there is, as 2010-01-31")
    return value


def _name(text: str, office: str, flow: str, wish: str) -> str:
    parts = flow.split(",")
    name = parts[1] if len(parts) > 1 and not parts[1][:1].isdigit() else parts[0]
    name = wish or re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    name = name if wish or name[:1].isalpha() else f"flow_{name}"
    if not _NAME.fullmatch(name) or len(f"{office}_{name}") > 48:
        fix = "add as=NAME, with small letters, digits and underscores, 48 at most with the office"
        _refuse(text, f"{name!r} can be no name of a dataset", fix)
    return name
