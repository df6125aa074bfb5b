"""One payload of an address, by the client that the plugin will be fetched with."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import attrs

from sbf_core.clock import Clock
from sbf_core.dataset.columns import Column
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.errors import UsageError
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.scaffold.address import Template
from sbf_core.scaffold.asked import first_request
from sbf_core.scaffold.paging import TOTAL_HEADER
from sbf_core.scaffold.proposal import Sampled
from sbf_core.settings.keys import Keys

#: More is too large to be shipped as a sample.
SAMPLE_BYTES_MAX = 16 * 1024**2
_DEADLINE_SECONDS = 60.0


def fetch_once(template: Template, request: RunRequest, *, clock: Clock) -> Sampled:
    """Ask once for the answer to one request.

    Raises:
        UsageError: there is no answer, or an error.
    """
    result = answer_once(template, request, clock=clock)
    if not result.ok or result.is_none:
        raise no_payload(result)
    return sampled(result)


def sampled(result: RunResult) -> Sampled:
    """An answer as the sample."""
    return Sampled(payload=result.payload, fetched_at=result.fetched_at, headers=result.headers)


def no_payload(result: RunResult) -> UsageError:
    """Why there is no sample."""
    return UsageError(
        f"the address gives no payload: {result.error or 'it says that there is nothing'}",
        where=result.address,
        fix="try it with a browser; nothing was written",
        code="URL",
    )


def answer_once(template: Template, request: RunRequest, *, clock: Clock) -> RunResult:
    """Ask once for the answer to one request, which may be a failure."""
    from sbf_core.http.live import LiveSession  # 0.14 s that only this pays
    from sbf_core.http.vendor_session import VendorSession

    asked = template.recipe(extension="txt")
    url, body = first_request(asked, request)
    recipe = attrs.evolve(
        asked, pages=None, limits=(), deadline_seconds=_DEADLINE_SECONDS,
        mebibytes_max=SAMPLE_BYTES_MAX // 1024**2,
    )  # fmt: skip
    columns = (Column(name="line", type="VARCHAR", key=True),)
    entry = DatasetKeymapEntry(
        domain=request.domain,
        source=request.source,
        dataset=request.dataset,
        silver_table=request.dataset,
        columns=columns,
        recipe=recipe,
        is_data=DataRules(may_be_empty=True),  # the content is looked at afterwards, with all that can be said about it
    )
    with tempfile.TemporaryDirectory() as folder:
        live = LiveSession(
            clock, files=Path(folder), keys=Keys(Path(folder), environment={**os.environ, **template.values})
        )
        try:
            session = VendorSession(
                live, entry, as_declared=False, may_ask_for_changes=False, also_kept=("link", TOTAL_HEADER)
            )
            result = session.get(
                request, url, extension="txt",
                headers=recipe.headers, secrets=recipe.secrets, secret_headers=recipe.secret_headers,
                body=body,
            )  # fmt: skip
        finally:
            live.close()
    return result
