"""The hooks: what sbf asks a plugin, and when.

A plugin is a module, named under the entry-point group ``sbf.plugins``, with functions marked ``@hookimpl``. A hook
may take fewer arguments than its specification. The number ``HOOK_API`` in the module says which version of these
specifications it was written for; 1 if it is absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.gold.model import GoldModel
from sbf_core.http.session import FetchSession
from sbf_core.plugin.deprecations import Deprecation
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.silver.reading import PromotionBatch, PromotionPlan
from sbf_core.universe.members import UniverseMember

if TYPE_CHECKING:
    from sbf_core.plugin.offer import Offer, VendorSearch

PROJECT = "sbf"
#: The version of the specifications below, and the versions that this core accepts. A plugin that names none was
#: written for the first.
HOOK_API = 1
HOOK_API_SUPPORTED = range(1, 2)
HOOK_API_FIRST = 1
#: What works, and should not be used any more; see docs/how-to/keep-up-with-versions.md.
DEPRECATED: tuple[Deprecation, ...] = ()

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry] | None:
    """Asked once, when the plugin is loaded: which datasets are there?

    A plugin without this hook has no datasets of its own; it may still give gold models or a universe.

    Args:
        options: what ``[options.NAME]`` in ``sbf.toml`` says to the plugin; ``checked_options`` reads it.
    """


@hookspec(firstresult=True)
def fetch(entry: DatasetKeymapEntry, request: RunRequest, http: FetchSession) -> RunResult | Sequence[RunResult] | None:
    """Asked for each due request, in worker threads: what comes back?

    Without this hook the recipe of the dataset is followed. A set of pages is a list of results; if one of them
    holds an error, none is kept.

    Args:
        entry: the dataset.
        request: what to fetch, with ``from_date`` and ``to_date``.
        http: gets addresses and reads files; in a replay it answers from the recording.
    """


@hookspec(firstresult=True)
def promote(entry: DatasetKeymapEntry, batch: PromotionBatch) -> PromotionPlan | None:
    """Asked for each batch of payloads: how do they become rows?

    Without this hook, and where it answers None, payloads are read as the format and the columns of the dataset say.
    Else answer ``SelectRows`` (SQL over the relation ``batch``) or ``ParseRows`` (Python over the bytes of a payload).

    Args:
        entry: the dataset.
        batch: the payloads, and the fields of the relation ``batch``.
    """


@hookspec(firstresult=True)
def build_gold(options: Mapping[str, Any]) -> Sequence[GoldModel] | None:
    """Asked once a run, before gold is built: which gold tables are there?

    Args:
        options: as for ``datasets``.
    """


@hookspec(firstresult=True)
def offers(words: str, options: Mapping[str, Any]) -> Sequence[Offer | VendorSearch] | None:
    """Asked by ``sbf datasets --search`` and the page of the catalogue alone: what could there be, if the settings said
    so, and who could be asked for more?

    Answer from what is shipped with the plugin: a ``VendorSearch`` is asked only where a user names it.

    Args:
        words: what is looked for; which offers they find is the core's to say. Empty: all are wanted.
        options: as for ``datasets``.
    """


@hookspec(firstresult=True)
def universe_members() -> Sequence[UniverseMember] | None:
    """Asked when the settings name the plugin as the source of the universe: who belongs to it, and when?"""
