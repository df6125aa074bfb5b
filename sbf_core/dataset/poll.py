"""How an answer is waited for that a vendor makes ready first: an export, a report, a job."""

from __future__ import annotations

import attrs

from sbf_core.dataset.json_path import value_path
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

SECONDS_MAX = 3600.0


@attrs.frozen(kw_only=True)
class Poll(Value):
    """An answer that says where to ask again, until what was asked for is ready.

    Attributes:
        at: where the answer in JSON holds the address to ask, e.g. ``links.status``; relative to its own.
        header: the header that holds it instead, e.g. ``Location``.
        status_at: where an answer holds how far it is, e.g. ``job.status``. Without it the status 202 says that it is
            not ready, and 200 that it is.
        done: what stands there when it is ready, e.g. ``("COMPLETED",)``.
        failed: what stands there when it never will be.
        result_at: where the answer that is ready holds the address of the data; empty: it is the data.
        every_seconds: how long to wait between two looks; a vendor's ``Retry-After`` goes before it.
        most_seconds: how long to wait in all.
    """

    at: str = ""
    header: str = ""
    status_at: str = ""
    done: tuple[str, ...] = attrs.field(default=(), converter=texts)
    failed: tuple[str, ...] = attrs.field(default=(), converter=texts)
    result_at: str = ""
    every_seconds: float = 2.0
    most_seconds: float = 600.0

    def __attrs_post_init__(self) -> None:
        what, fix = "", ""
        if bool(self.at) == bool(self.header):
            what, fix = "the address to ask stands in the answer or in a header", 'Poll(header="Location")'
        elif bool(self.status_at) != bool(self.done):
            what, fix = "status_at and done belong together", 'status_at="job.status", done=("COMPLETED",)'
        elif self.failed and not self.status_at:
            what, fix = "failed is one of the states at status_at", 'status_at="job.status", done=("COMPLETED",)'
        elif set(self.done) & set(self.failed):
            what, fix = f"{min(set(self.done) & set(self.failed))!r} is done and failed", "keep one"
        elif not 0 <= self.every_seconds <= self.most_seconds or not 0 < self.most_seconds <= SECONDS_MAX:
            what = f"every_seconds and most_seconds lie between 0 and {SECONDS_MAX:g}, in this order"
            fix = "every_seconds=2, most_seconds=600"
        if what:
            raise UsageError(f"poll: {what}", fix=fix, code="RECIPE")
        for place in (self.at, self.status_at, self.result_at):
            value_path(place)
