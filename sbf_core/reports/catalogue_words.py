"""The catalogue in words, for the command line and the pages: how to have something, and what to try instead."""

from __future__ import annotations

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.plugin.offer import Offer
from sbf_core.reports.catalogue import Advice, Wanted
from sbf_core.reports.how_to_have import HowTo
from sbf_core.shell_words import typed


def how_text(how: HowTo) -> str:
    """How to have something, in words; the lines of ``sbf.toml`` stand below it."""
    if how.fault is not None:
        return f"it cannot be had: {how.fault}"
    keys = f"set the key {' and '.join(how.keys)} in the environment or in secrets.toml, " if how.keys else ""
    if not how.lines:
        return f"{keys}`{how.command}`"
    where = f"in sbf.toml, in the place of {how.replaces}" if how.replaces else "append to sbf.toml"
    note = f"; {how.note}" if how.note else ""
    return f"{keys}{where}, then `{how.command}`{note}"


def advice_lines(tried: Advice, wanted: Wanted) -> list[str]:
    """What to try where nothing was found, a line each."""
    lines = []
    if tried.instead:
        lines.append(f"did you mean `sbf datasets --search {typed(tried.instead)}`?")
    if tried.without and wanted != Wanted(words=wanted.words):
        lines.append(f"without the filters there are {tried.without:,}: `sbf datasets --search {typed(wanted.words)}`")
    elif len(tried.alone) + len(tried.unknown) > 1:
        by_count = sorted(tried.alone.items(), key=lambda each: (each[1], each[0]))
        alone = ", ".join(f"{word!r} {count:,}" for word, count in by_count)
        lines.append(f"by itself finds: {alone}" if alone else "none of these words stands anywhere; try others")
    if not lines:
        lines.append("try fewer or other words, or `sbf plugins new NAME` for a source without a plugin")
    return lines


def terms_of(what: DatasetKeymapEntry | Offer) -> str:
    """Terms of use, and where they stand."""
    return f"{what.terms} {what.source_url}".strip()
