"""``DatasetId``: which dataset a declaration, a request or a payload is of."""

from __future__ import annotations

from functools import lru_cache

import attrs

from sbf_core.value import Value


@attrs.frozen
class DatasetId(Value):
    """The identity of a dataset.

    Attributes:
        domain: what it is about, as ``prices``.
        source: who publishes it.
        dataset: its name there.
        discriminator: tells datasets of one name apart; usually empty.
    """

    domain: str
    source: str
    dataset: str
    discriminator: str = ""
    _text: str = attrs.field(init=False, eq=False, repr=False)

    @_text.default
    def _as_text(self) -> str:
        return f"{self.domain}/{self.source}/{self.dataset}{f'@{self.discriminator}' if self.discriminator else ''}"

    def __str__(self) -> str:
        """``domain/source/dataset``, with ``@discriminator`` where there is one; ``dataset_id`` in the ledger."""
        return self._text

    def series(self, ticker: str | None) -> str:
        """The name of one series of fetches: the identity, and the ticker where there is one. ``series_key`` in the
        ledger.
        """
        return self._text if ticker is None else f"{self._text}/{ticker}"

    @classmethod
    def parse(cls, text: str) -> DatasetId:
        """The identity that ``str`` gave. Only the discriminator may hold a ``/`` or ``@``, so there is but one."""
        domain, source, name = text.split("/", maxsplit=2)
        dataset, _, discriminator = name.partition("@")
        return cls(domain, source, dataset, discriminator)


#: One value for all payloads of a dataset: a warehouse has few datasets and many payloads.
dataset_id_of = lru_cache(maxsize=4096)(DatasetId)
