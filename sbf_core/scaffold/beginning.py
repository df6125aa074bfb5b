"""What a new plugin begins with: an address, a file, a description of a service, another plugin, a tap, an example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import attrs

from sbf_core.clock import Clock
from sbf_core.errors import UsageError
from sbf_core.scaffold.address import Template, template_of
from sbf_core.scaffold.example import example
from sbf_core.scaffold.fetch_once import SAMPLE_BYTES_MAX, fetch_once
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.proposal import Proposal, Sampled, Words, file_sample, sample_request
from sbf_core.settings.settings import Settings
from sbf_core.value import Value

#: By field of ``Beginning``: the option, each a way to begin.
WAYS: Mapping[str, str] = {
    "url": "--from-url", "file": "--from-file", "kind": "--kind", "plugin": "--from", "openapi": "--from-openapi",
    "singer": "--from-singer",
}  # fmt: skip
#: By field: the ways that it belongs to.
_BELONGS: Mapping[str, tuple[str, ...]] = {
    "post_json": ("url",), "post_form": ("url",), "headers": ("url",), "operation": ("openapi",),
    "config": ("singer",), "stream": ("singer",), "rows_at": ("url", "file", "openapi"),
    "key": ("url", "file", "openapi", "singer"), "row_date": ("url", "file", "openapi"), "ticker": ("url", "openapi"),
}  # fmt: skip


@attrs.frozen(kw_only=True)
class Beginning(Value):
    """What the author gives.

    Attributes:
        url: an address that gives one payload.
        file: a payload that is here.
        kind: an example.
        plugin: ``PLUGIN:WHAT``: what an installed plugin proposes.
        openapi: the description of a service: an address or a file.
        singer: the program of a tap.
        sdmx: the data structure of ``url`` or ``file``: an address or a file.
        post_json, post_form: the body that is posted to ``url``.
        headers: that are sent to it, as ``Name: value``.
        operation: of ``openapi``.
        config, stream: of ``singer``: the file with its configuration, and what is wanted of it.
        ticker, rows_at, key, row_date: what the author knows of the payload.
    """

    url: str = ""
    file: str = ""
    kind: str = ""
    plugin: str = ""
    openapi: str = ""
    singer: str = ""
    sdmx: str = ""
    post_json: str = ""
    post_form: str = ""
    headers: tuple[str, ...] = ()
    operation: str = ""
    config: str = ""
    stream: str = ""
    ticker: str = ""
    rows_at: str | None = None
    key: tuple[str, ...] = ()
    row_date: str = ""

    @property
    def ways(self) -> list[str]:
        """The fields that say how to begin; one of them, where it is sound."""
        return [way for way in WAYS if getattr(self, way)]

    def checked(self) -> Beginning:
        """The same, with the name of an SDMX flow as what the plugin ``sdmx`` proposes.

        Raises:
            UsageError: it has several beginnings, or an option that does not belong to the one that it has.
        """
        begins = self
        is_named = bool(self.sdmx) and not _is_address(self.sdmx) and not Path(self.sdmx).expanduser().is_file()
        if is_named and "/" in self.sdmx and not self.ways:
            begins = attrs.evolve(self, sdmx="", plugin=f"sdmx:{self.sdmx}")
        ways = begins.ways
        if len(ways) == 2 and "openapi" in ways and {"url", "file"} & set(ways):  # a payload of the operation
            ways = ["openapi"]
        if len(ways) > 1:
            told = " and ".join(WAYS[way] for way in ways)
            raise UsageError(f"{told} are two ways to begin", fix="give one", code="USAGE")
        if begins.sdmx:
            begins._check_sdmx(is_named)
        for name, belongs in _BELONGS.items():
            if getattr(begins, name) and ways and not set(ways) & set(belongs):
                option = _option(name)
                wanted = " or ".join(WAYS[way] for way in belongs)
                raise UsageError(f"{option} belongs to {wanted}", fix=f"leave out {option}", code="USAGE")
        return begins

    def _check_sdmx(self, is_named: bool) -> None:
        if is_named and self.ways:
            what = f"--from-sdmx {self.sdmx!r} is neither an address nor a file"
            named = f"the name of a flow, as ECB/EXR, goes without {WAYS[self.ways[0]]}"
            fix = f"write https://... of its data structure; {named}"
            raise UsageError(what, fix=fix, code="URL")
        if self.ways not in (["url"], ["file"]) or self.rows_at is not None or self.key or self.row_date:
            what = "--from-sdmx says what the columns are, of data that --from-url or --from-file gives"
            fix = "give one of them, without --key, --row-date and --rows-at; or the name of a flow alone, as ECB/EXR"
            raise UsageError(what, fix=fix, code="USAGE")


def begun(words: Words, given: Beginning, *, settings: Settings, clock: Clock) -> Proposal:
    """The new plugin, as it is proposed.

    Args:
        words: what the author says.
        given: what it begins with, checked.
        settings: what they say to the plugin that is asked, whether it is blocked, and how long it may take.
        clock: for moments of fetches.

    Raises:
        UsageError: nothing can be made of it; it says why, and what to do.
    """
    if given.sdmx:
        return _of_structure(words, given, clock)
    if given.plugin:
        from sbf_core.plugin.installed import limits_of
        from sbf_core.plugin.proposals import proposed
        from sbf_core.scaffold.from_plugin import propose_from_plugin

        name, mark, text = given.plugin.partition(":")
        if not mark or not text:
            raise UsageError(f"--from {given.plugin!r} is no PLUGIN:WHAT", fix="write e.g. sdmx:ECB/EXR", code="USAGE")
        offered = proposed(
            name, text, options=settings.options.get(name, {}), today=clock.now().date(),
            block=settings["plugins.block"], limits=limits_of(settings),
        )  # fmt: skip
        return propose_from_plugin(words, offered, clock=clock)
    if given.singer:
        from sbf_core.scaffold.from_singer import propose_singer

        return propose_singer(words, given.singer, config=given.config, stream=given.stream, key=given.key, clock=clock)
    if given.openapi:
        return _of_description(words, given, clock)
    if given.kind:
        return example(given.kind, words, now=clock.now())
    sample, template, where = _sample(words, given, clock)
    known = {"rows_at": given.rows_at, "key": given.key, "row_date": given.row_date}
    return propose(words, sample, template=template, where=where, **known)  # type: ignore[arg-type] # as declared there


def _sample(words: Words, given: Beginning, clock: Clock) -> tuple[Sampled, Template | None, str]:
    """One payload, the address it came from, and where it is, for messages."""
    if given.file:
        path = Path(given.file).expanduser()
        return file_sample(path, now=clock.now(), bytes_max=SAMPLE_BYTES_MAX), None, given.file
    posts = bool(given.post_json or given.post_form or given.headers)
    in_address = given.ticker if not posts or given.ticker in unquote(given.url) else ""
    template = template_of(given.url, name=words.name, ticker=in_address)
    if posts:
        from sbf_core.scaffold.posted import with_request

        template = with_request(
            template, name=words.name, ticker=given.ticker, post_json=given.post_json, post_form=given.post_form,
            headers=given.headers,
        )  # fmt: skip
    request = sample_request(words, template, source=template.source)
    return fetch_once(template, request, clock=clock), template, template.url


def _of_structure(words: Words, given: Beginning, clock: Clock) -> Proposal:
    """The plugin of a flow whose data structure is at an address, or in a file."""
    from sbf_core.scaffold.sdmx_proposal import propose_sdmx  # three more modules
    from sbf_core.scaffold.sdmx_structure import structure_of

    place = Beginning(url=given.sdmx) if _is_address(given.sdmx) else Beginning(file=given.sdmx)
    message, _, where = _sample(words, place, clock)
    structure = structure_of(message.payload, where=where)
    sample, template, where = _sample(words, given, clock)
    return propose_sdmx(words, sample, structure, template=template, where=where)


def _of_description(words: Words, given: Beginning, clock: Clock) -> Proposal:
    """The plugin of an operation of a service, and of a payload of it, where there is one."""
    from sbf_core.scaffold.openapi_document import description_of
    from sbf_core.scaffold.openapi_proposal import chosen_operation, propose_openapi

    place = Beginning(url=given.openapi) if _is_address(given.openapi) else Beginning(file=given.openapi)
    message, _, where = _sample(words, place, clock)
    description = description_of(message.payload, where=where)
    operation = chosen_operation(description, given.operation)
    sample = None
    if given.url or given.file:
        sample, _, _ = _sample(words, given, clock)
    return propose_openapi(
        words, description, operation, ticker=given.ticker, given=sample, url=given.url, now=clock.now(),
        known={"rows_at": given.rows_at, "key": given.key, "row_date": given.row_date},
    )  # fmt: skip


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _option(name: str) -> str:
    return "--header" if name == "headers" else "--" + name.replace("_", "-")
