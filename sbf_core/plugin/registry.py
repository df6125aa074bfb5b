"""Which plugin owns which dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.reader import as_reader
from sbf_core.errors import SbfError, UsageError, nearest
from sbf_core.failures import Failure, FailureKind
from sbf_core.plugin.manager import GROUP, PluginManager
from sbf_core.plugin.record import PluginRecord
from sbf_core.value import Value
from sbf_core.vocabulary import Scope


@attrs.frozen(kw_only=True)
class OwnedDataset(Value):
    """A dataset and the plugin that declares it."""

    entry: DatasetKeymapEntry
    plugin: PluginRecord


class DatasetRegistry:
    """The datasets of all loaded plugins; no two with one identity or one silver table.

    Args:
        manager: the plugins; one whose declarations are not sound becomes ``refused``.

    Raises:
        UsageError: two plugins declare one dataset, or fill one silver table, or one dataset is called like a series of
            another; both are named.

    Attributes:
        datasets: by identity; one that reads another's payloads as these are asked for.
        unread: why datasets are left out that read payloads which nobody declares, or otherwise than they can; by
            identity.
    """

    def __init__(self, manager: PluginManager) -> None:
        self._manager = manager
        self.datasets: dict[str, OwnedDataset] = {}
        self.unread: dict[str, tuple[OwnedDataset, UsageError]] = {}
        tables: dict[str, OwnedDataset] = {}
        for record in manager.selected(None):
            for entry in self._declared(record):
                owned = OwnedDataset(entry=entry, plugin=record)
                self._refuse_twins("dataset", entry.id, self.datasets.get(entry.id), owned)
                self._refuse_twins("silver table", entry.silver_table, tables.get(entry.silver_table), owned)
                self.datasets[entry.id] = tables[entry.silver_table] = owned
        for owned in self.datasets.values():
            for name in owned.entry.renamed_from:
                table = name.removeprefix("silver.")
                other = self.datasets.get(name) or tables.get(table) or tables.get(table.removesuffix("_history"))
                if other is not owned:
                    self._refuse_twins("former name", name, other, owned)
        self._refuse_series_of_another()
        self._find_payloads()

    def _find_payloads(self) -> None:
        """Give each dataset that reads another's payloads what decides how they are read."""
        by_name = {name: owned.entry for owned in self.datasets.values() for name in owned.entry.ids}
        for name, owned in [item for item in self.datasets.items() if item[1].entry.reads]:
            try:
                entry = as_reader(owned.entry, self._read(owned.entry, by_name))
            except UsageError as error:
                del self.datasets[name]
                self.unread[name] = owned, error
            except Exception as error:  # a plugin may declare anything, and much of it is looked at here first
                del self.datasets[name]
                what = f"cannot be read as it is declared: {type(error).__name__}: {error}"
                fix = "declare is_data, format and columns as docs/reference/declaration.md says"
                self.unread[name] = owned, UsageError(what, where=f"dataset {name}", fix=fix, code="READS")
            else:
                self.datasets[name] = attrs.evolve(owned, entry=entry)

    @staticmethod
    def _read(entry: DatasetKeymapEntry, by_name: Mapping[str, DatasetKeymapEntry]) -> DatasetKeymapEntry:
        if entry.reads not in by_name:
            raise UsageError(
                f"reads {entry.reads}, which no loaded plugin declares",
                where=f"dataset {entry.id}",
                fix=nearest(entry.reads, by_name) or "install its plugin, or name it: see `sbf plugins list`",
                code="READS",
            )
        return by_name[entry.reads]

    def _refuse_series_of_another(self) -> None:
        """``x@A/B`` is a dataset, and the series of the ticker B in ``x@A``: the ledger could not tell them apart."""
        for name, owned in self.datasets.items():
            for place, letter in enumerate(name):
                other = self.datasets.get(name[:place]) if letter == "/" else None
                if other is not None and other.entry.scope is Scope.PER_TICKER:
                    raise UsageError(
                        f"the identity of dataset {name!r} is that of a series of {other.entry.id!r}",
                        where=f"plugins {other.plugin.label} and {owned.plugin.label}",
                        fix="write another letter than / in its discriminator, and the identity of now in renamed_from",
                        code="TWICE",
                    )

    def _declared(self, record: PluginRecord) -> Sequence[DatasetKeymapEntry]:
        if not self._manager.has(record, "datasets"):
            return ()
        try:
            answer = self._manager.call(
                record, "datasets", doing="its declarations", safe="nothing was written", options=record.options
            )
            entries = list(answer)
            wrong = next((entry for entry in entries if not isinstance(entry, DatasetKeymapEntry)), None)
            if wrong is not None:
                raise UsageError(
                    f"datasets() gave {type(wrong).__name__} instead of DatasetKeymapEntry", code="DATASET"
                )
            other = next((entry for entry in entries if entry.source != record.name), None)
            if other is not None and record.wants_name and not record.options:
                raise UsageError(
                    f"{other.id} is not of source {record.name!r}: nobody would load it again for its payloads",
                    fix=f"give it that source, or bring the plugin under {GROUP!r}",
                    code="DATASET",
                )
        except (SbfError, TypeError) as error:
            record.refuse(error)
            return ()
        return entries

    @staticmethod
    def _refuse_twins(what: str, name: str, first: OwnedDataset | None, second: OwnedDataset) -> None:
        if first is not None:
            raise UsageError(
                f"{what} {name!r} is declared twice",
                where=f"plugins {first.plugin.label} and {second.plugin.label}",
                fix="block or uninstall one of them",
                code="TWICE",
            )

    def check_whole(self) -> None:
        """For whoever judges a home by what is declared: raise what the machine lacked for a plugin that was left out.

        Raises:
            EnvironmentFault, OutOfMemory: what was lacking.
        """
        lacked = next((record.lacked for record in self._manager.records.values() if record.lacked is not None), None)
        if lacked is not None:
            raise lacked

    def of(self, plugins: Sequence[PluginRecord]) -> list[OwnedDataset]:
        """The datasets of some plugins."""
        names = {record.name for record in plugins}
        return [owned for owned in self.datasets.values() if owned.plugin.name in names]

    def unread_of(self, plugins: Sequence[PluginRecord]) -> list[Failure]:
        """Why datasets of some plugins are left out whose payloads cannot be read."""
        names = {record.name for record in plugins}
        return [
            Failure(
                kind=FailureKind.DECLARATION, what=error.what, dataset=name, where=f"plugin {owned.plugin.label}",
                fix=f"{error.fix}; the others go on",
            )
            for name, (owned, error) in self.unread.items()
            if owned.plugin.name in names
        ]  # fmt: skip

    def get(self, dataset_id: str) -> OwnedDataset | None:
        """The dataset with an identity, or None."""
        return self.datasets.get(dataset_id)
