"""What a dataset is called: its identity, those that it had, and its tables."""

from __future__ import annotations

from sbf_core.dataset_id import DatasetId, dataset_id_of


class DatasetNames:
    """What follows from the names in a declaration."""

    __slots__ = ()

    domain: str
    source: str
    dataset: str
    discriminator: str
    renamed_from: tuple[str, ...]
    _payloads_of: tuple[str, ...]

    @property
    def identity(self) -> DatasetId:
        """Which dataset it declares."""
        return dataset_id_of(self.domain, self.source, self.dataset, self.discriminator)

    @property
    def id(self) -> str:
        """The identity as text: ``domain/source/dataset`` with ``@discriminator`` where there is one."""
        return str(self.identity)

    @property
    def ids(self) -> tuple[str, ...]:
        """Its identity and those that it had, whose payloads are its own."""
        return (self.id, *(name for name in self.renamed_from if "/" in name))

    @property
    def payloads_of(self) -> tuple[str, ...]:
        """All identities that the dataset in ``reads`` had: known, and given, once all plugins are loaded."""
        return self._payloads_of

    @property
    def payload_ids(self) -> tuple[str, ...]:
        """The identities of the payloads that its rows are of."""
        return self.payloads_of or self.ids

    @property
    def former_tables(self) -> tuple[str, ...]:
        """Silver tables, without schema, that it filled before."""
        return tuple(name.removeprefix("silver.") for name in self.renamed_from if "/" not in name)

    def key(self, ticker: str | None) -> str:
        """The name of one series of fetches: the identity, and the ticker where there is one."""
        return self.identity.series(ticker)
