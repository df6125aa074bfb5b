"""Any dataflow of the statistics offices that speak SDMX, chosen in ``sbf.toml``: a table for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sbf_core.api import DatasetKeymapEntry, UsageError, checked_options, hookimpl

if TYPE_CHECKING:
    from sbf_core.api import Offer, VendorSearch


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """One dataset a flow; none where the settings name no flow."""
    chosen = checked_options(options, flows=(), hosts=())
    texts = chosen["flows"]
    if not texts:
        return []
    from sbf_plugins.sdmx.entries import entry_of  # nobody else has to load the offices
    from sbf_plugins.sdmx.flows import flow_of
    from sbf_plugins.sdmx.offices import hosts_of

    flows = [flow_of(text) for text in texts]
    tables = [flow.table for flow in flows]
    twice = next((table for table in tables if tables.count(table) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two flows fill silver.{twice}",
            where="[options.sdmx] flows",
            fix="let one text let all of it through, or add as=NAME to one of them",
            code="OPTION",
        )
    hosts = hosts_of(chosen["hosts"])
    return [entry_of(flow, hosts) for flow in flows]


@hookimpl
def offers(words: str) -> Sequence[Offer | VendorSearch]:
    """Flows of the offices, and the offices themselves, who can be asked for all of theirs."""
    from sbf_plugins.sdmx.offers import offers as offered

    return list(offered(words))
