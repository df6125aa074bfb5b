"""Every bundled plugin passes the conformance kit."""

from __future__ import annotations

from sbf_core.testing.suite import conformance

test_bls = conformance("bls")
test_ecb = conformance("ecb")
test_eod = conformance("eod")
test_iso4217 = conformance("iso4217")
test_sec = conformance("sec")
test_star = conformance("star", recording="sample")
