"""A new plugin for a flow of an SDMX service."""

from __future__ import annotations

import attrs

from sbf_core.scaffold.address import Template
from sbf_core.scaffold.proposal import Proposal, Sampled, Words
from sbf_core.scaffold.sdmx_rows import sdmx_columns, sdmx_rows
from sbf_core.scaffold.sdmx_structure import DataStructure


def propose_sdmx(
    words: Words, sample: Sampled, structure: DataStructure, *, template: Template | None, where: str
) -> Proposal:
    """A plugin for the observations of one SDMX message, whose components its data structure tells.

    Args:
        words: what the author says; a title that is not said is that of the flow.
        sample: the message.
        structure: what its rows are made of.
        template: the address; None for a file.
        where: the address or file, for messages.

    Raises:
        UsageError: the message is none of this structure.
    """
    found_rows = sdmx_rows(sample.payload, structure, where=where)
    columns = sdmx_columns(structure, found_rows.rows)
    return Proposal(
        words=words if words.title else attrs.evolve(words, title=structure.title),
        kind="csv" if template is None else "rest",
        template=template,
        found=found_rows,
        columns=tuple(columns),
        samples=(sample,),
    )
