"""The identity of a dataset, as a value and as a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sbf_core.dataset_id import DatasetId

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


@given(NAMES, NAMES, NAMES, st.text(max_size=12))
def test_an_identity_comes_back_from_its_text(domain: str, source: str, dataset: str, discriminator: str) -> None:
    identity = DatasetId(domain, source, dataset, discriminator)
    assert DatasetId.parse(str(identity)) == identity
    assert identity.series(None) == str(identity)
    assert identity.series("A/B") == f"{identity}/A/B"


def test_the_text_of_an_identity() -> None:
    assert str(DatasetId("prices", "fake", "eod")) == "prices/fake/eod"
    assert str(DatasetId("prices", "fake", "eod", "D.USD/X@1")) == "prices/fake/eod@D.USD/X@1"
