"""What is known of the series that are asked, so that bytes that are there already are not kept again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sbf_core.bronze.file_reader import check_payload
from sbf_core.dataset.former_names import under_present_names
from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import DamageFound
from sbf_core.ops.latest_payloads import LatestPayload
from sbf_core.ops.service import OpsService
from sbf_core.plan.planned import PlannedRequest

#: The payloads that series ended with, by series and address; under an empty address the last of all.
Known = Mapping[tuple[str, str], LatestPayload]


def known_payloads(
    ops: OpsService, config: DuckDbConfig, planned: Sequence[PlannedRequest], *, documents: Collection[str]
) -> Known:
    """The payloads that the series of some datasets ended with. One that failed because its file is not what was
    recorded counts as none, so that its bytes are asked for, and kept, again.

    Args:
        ops: the facade.
        config: where Bronze is.
        planned: requests of these datasets.
        documents: identities of those that are fetched by a hook, which may give several documents.
    """
    ids = {item.entry.id: item.entry.ids for item in planned}.values()
    several = {name for group in ids if group[0] in documents for name in group}
    known = ops.latest_payloads(sorted({name for group in ids for name in group}), documents=sorted(several))
    for row in ops.recorded.failed():
        ended = [known[place] for place in ((row.key, row.address), (row.key, "")) if place in known]
        if any(one.payload_hash == row.payload_hash for one in ended):
            try:
                check_payload(config.bronze, row)
            except DamageFound:
                damaged = (row.key, row.payload_hash)
                known = {place: one for place, one in known.items() if (place[0], one.payload_hash) != damaged}
    return under_present_names(known, ids)
