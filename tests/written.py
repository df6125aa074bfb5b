"""What the module of a new plugin declares."""

from __future__ import annotations

import sys
from types import ModuleType
from unittest import mock

from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.scaffold.code import plugin_text
from sbf_core.scaffold.proposal import Proposal


def entry_of(proposal: Proposal) -> DatasetKeymapEntry:
    """The dataset that the written module declares."""
    module = ModuleType("written")
    with mock.patch.dict(sys.modules, {"written": module}):  # type hints are looked up there
        exec(compile(plugin_text(proposal), "plugin.py", "exec"), module.__dict__)
        found: list[DatasetKeymapEntry] = module.datasets()
    return found[0]
