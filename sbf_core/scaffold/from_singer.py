"""A new plugin for one stream of an installed Singer tap: its SCHEMA message says the columns and the key
(https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import attrs

from sbf_core.clock import Clock
from sbf_core.dataset.columns import Column
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.errors import PayloadRefused, UsageError
from sbf_core.http.live import LiveSession
from sbf_core.http.tap_answers import TapAnswers
from sbf_core.payload.json_text import minified
from sbf_core.payload.singer import messages
from sbf_core.runs.request import RunRequest
from sbf_core.scaffold.fetch_once import SAMPLE_BYTES_MAX
from sbf_core.scaffold.from_payload import propose
from sbf_core.scaffold.naming import as_name
from sbf_core.scaffold.openapi_document import Description
from sbf_core.scaffold.openapi_schema import fields_of
from sbf_core.scaffold.proposal import Declared, Proposal, Sampled, Words
from sbf_core.scaffold.schema_columns import described, lacking
from sbf_core.settings.keys import Keys

#: Fields of a configuration that hold a key.
_SECRET = re.compile(r"(?:.*_)?(?:key|token|secret|password|passwd|pwd|credentials?|passphrase)", re.IGNORECASE)
_ROWS_SHOWN_MAX = 20_000
_DEADLINE_SECONDS = 300.0
#: What no stream is called: a tap that is asked for it names those that it has.
_NO_STREAM = "?"


def propose_singer(words: Words, tap: str, *, config: str, stream: str, key: tuple[str, ...], clock: Clock) -> Proposal:
    """A plugin for one stream. The tap is run once, and what it says is the recording.

    Args:
        words: what the author says.
        tap: the program, with arguments if it has any.
        config: the file with its configuration; empty: it has none.
        stream: what is wanted; empty: the tap says what it has.
        key: the columns that make a row unique, where the author knows them.
        clock: for the moment of the sample.

    Raises:
        UsageError: there is no such program or stream, the tap failed, or its records cannot be declared.
    """
    command = tuple(shlex.split(tap))
    if not command:
        raise UsageError("--from-singer names no program", fix="write --from-singer tap-github", code="USAGE")
    facts, secrets, values = _config_of(config, words.name)
    declared = (PurePath(command[0]).name, *command[1:])
    recipe = SingerRecipe(command=declared, stream=stream or _NO_STREAM, config=facts, secrets=secrets)
    payload = _payload(words, attrs.evolve(recipe, command=command), values, clock, wants_name=not stream)
    schema, names, records = _said(payload, stream, tap)
    description = Description(document=schema, where=tap)
    doubts: list[str] = []
    # taps name no required fields: one that may not be null is there
    fields = tuple(
        attrs.evolve(field, optional=field.optional and (field.nullable or field.source.startswith("@")))
        for field in fields_of(description, schema, doubts)
    )
    sample = Sampled(payload=records, fetched_at=clock.now())
    named = tuple(name for name in names if any(field.source == name for field in fields))
    proposal = propose(words, sample, template=None, where=f"{tap} {stream}", key=key or named)
    columns = [described(column, fields) for column in proposal.columns]
    columns = [attrs.evolve(column, row_date=column.row_date and column.key) for column in columns]
    if not names:
        doubts.append("key: the tap names no key_properties")
    if declared != command:
        doubts.append(f"command: {declared[0]} has to be in PATH, or its place has to stand here")
    return attrs.evolve(
        proposal,
        columns=(*columns, *lacking(columns, fields)),
        samples=(Sampled(payload=payload, fetched_at=sample.fetched_at),),
        found=attrs.evolve(proposal.found, extension="jsonl", doubts=tuple(doubts), rows_at="", format=None),
        asks=recipe,
        source_name=as_name(declared[0].removesuffix(".exe")),
        also=(Declared(name="is_data", value=DataRules(may_be_empty=True)),),
    )


def _config_of(place: str, name: str) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """The configuration without keys, names of variables by field, and the keys by variable."""
    if not place:
        return {}, {}, {}
    try:
        config = json.loads(Path(place).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config cannot be read: {error.strerror}", where=place, code="FILE") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--config is no JSON: {error}", where=place, fix="give the tap's config.json") from error
    if not isinstance(config, dict):
        raise UsageError("--config is no JSON object", where=place, fix="give the tap's config.json", code="USAGE")
    facts: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    values: dict[str, str] = {}
    for field, value in config.items():
        if _SECRET.fullmatch(field) and isinstance(value, str) and value:
            secrets[field] = f"{name}_{as_name(field)}".upper()
            values[secrets[field]] = value
        else:
            inner = _key_within(value, field)
            if inner:
                fix = (
                    "a key can be declared at the top of the configuration only: sign in otherwise, or write it by hand"
                )
                raise UsageError(f"the configuration holds a key in {inner}", where=place, fix=fix, code="SECRET")
            facts[field] = value
    return facts, secrets, values


def _key_within(value: Any, place: str) -> str:
    """Where an object or a list within a configuration holds what is called as a key; empty where it does not."""
    if isinstance(value, dict):
        for name, one in value.items():
            if _SECRET.fullmatch(str(name)) and one:
                return f"{place}.{name}"
            if inner := _key_within(one, f"{place}.{name}"):
                return inner
    for one in value if isinstance(value, list) else ():
        if inner := _key_within(one, place):
            return inner
    return ""


def _payload(words: Words, recipe: SingerRecipe, values: Mapping[str, str], clock: Clock, *, wants_name: bool) -> bytes:
    """What the tap says in one run. Raises ``UsageError`` where it fails."""
    if shutil.which(recipe.command[0]) is None:
        fix = "install it in an environment of its own, and write the path of its program"
        raise UsageError(f"there is no program {recipe.command[0]}", fix=fix, code="PROGRAM")
    bounded = attrs.evolve(recipe, deadline_seconds=_DEADLINE_SECONDS, mebibytes_max=SAMPLE_BYTES_MAX // 1024**2)
    entry = DatasetKeymapEntry(
        domain=words.domain, source="tap", dataset=words.name, silver_table=words.name, recipe=bounded,
        columns=(Column(name="id", type="VARCHAR", key=True),), is_data=DataRules(may_be_empty=True),
    )  # fmt: skip
    request = RunRequest(run_id="sample", domain=words.domain, source="tap", dataset=words.name)
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder), environment={**os.environ, **values})
        live = LiveSession(clock, files=Path(folder), keys=keys)
        try:
            result = TapAnswers(entry, bounded, live).read(request, bounded.address("", {}), extension="jsonl")
        finally:
            live.close()
    if not result.ok:
        told = str(result.error).replace(f"{_NO_STREAM!r}; ", "of that name; ")
        fix = "name one with --stream" if wants_name else "try it alone with --discover; nothing was written"
        raise UsageError(told, where=recipe.command[0], fix=fix, code="TAP")
    return bytes(result.payload)


def _said(payload: bytes, stream: str, tap: str) -> tuple[Mapping[str, Any], tuple[str, ...], bytes]:
    """Schema and key of the stream, and its records as a JSON list."""
    schema: Mapping[str, Any] | None = None
    names: tuple[str, ...] = ()
    records: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "messages.jsonl"
        path.write_bytes(payload)
        try:
            for _, message in messages(path):
                if message.get("stream") != stream:
                    continue
                if message["type"] == "SCHEMA" and isinstance(message.get("schema"), dict):
                    schema = json.loads(minified(message["schema"]))
                    listed = message.get("key_properties")
                    names = tuple(map(str, listed)) if isinstance(listed, list) else ()
                elif message["type"] == "RECORD" and len(records) < _ROWS_SHOWN_MAX:
                    records.append(minified(message["record"]))
        except PayloadRefused as error:
            raise UsageError(f"what the tap wrote {error.what}", where=tap, code="TAP") from error
    if schema is None or not records:
        lacks = "no SCHEMA" if schema is None else "no record"
        fix = "configure an earlier start, or declare it by hand: docs/how-to/come-from-elsewhere.md"
        raise UsageError(f"the tap says {lacks} of {stream}", where=tap, fix=fix, code="NO_DATA")
    return schema, names, f"[{','.join(records)}]".encode()
