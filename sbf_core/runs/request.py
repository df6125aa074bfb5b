"""``RunRequest``: one thing to fetch."""

from __future__ import annotations

import datetime as dt

import attrs

from sbf_core.dataset_id import DatasetId, dataset_id_of
from sbf_core.value import Value

#: Between the tickers of a request for several; no ticker holds it.
TICKER_SEPARATOR = ","
_SHOWN = 60


@attrs.frozen(kw_only=True)
class RunRequest(Value):
    """One thing to fetch, as the planner decided it.

    Attributes:
        run_id: the run that asks.
        domain, source, dataset, discriminator: the dataset's identity.
        ticker: the ticker, or None for a global dataset; where one request asks for several, all of them with ``,``
            between them.
        from_date, to_date: the days asked for, both included; None where the dataset knows no dates.
        cursor: where the last answer ended, for a dataset with a cursor: a token, or a moment as ISO 8601 in UTC; empty
            where there is none yet.
    """

    run_id: str
    domain: str
    source: str
    dataset: str
    discriminator: str = ""
    ticker: str | None = None
    from_date: dt.date | None = None
    to_date: dt.date | None = None
    cursor: str = ""

    def of_days(self, first: dt.date, last: dt.date) -> RunRequest:
        """The same for other days; a tenth of the time of ``attrs.evolve``, for hundreds of thousands of them."""
        return RunRequest(
            run_id=self.run_id,
            domain=self.domain,
            source=self.source,
            dataset=self.dataset,
            discriminator=self.discriminator,
            ticker=self.ticker,
            from_date=first,
            to_date=last,
            cursor=self.cursor,
        )

    @property
    def identity(self) -> DatasetId:
        """Which dataset it asks for."""
        return dataset_id_of(self.domain, self.source, self.dataset, self.discriminator)

    @property
    def dataset_id(self) -> str:
        """The identity as text, as ``DatasetKeymapEntry.id``."""
        return str(self.identity)

    @property
    def key(self) -> str:
        """The name of the series of fetches it belongs to, as ``DatasetKeymapEntry.key``."""
        return self.identity.series(self.ticker)

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers that are asked for; none for a global dataset."""
        return () if self.ticker is None else tuple(self.ticker.split(TICKER_SEPARATOR))

    @property
    def shown_ticker(self) -> str | None:
        """``ticker`` for readers: of many the first and their number."""
        tickers = self.tickers
        return (
            self.ticker
            if self.ticker is None or len(self.ticker) <= _SHOWN
            else f"{tickers[0]} and {len(tickers) - 1} more"
        )
