"""Who signs in as it is declared."""

from __future__ import annotations

from sbf_core.dataset.sign_in import SignIn
from sbf_core.dataset.signature import Signature
from sbf_core.http.signer import Shared, Signer
from sbf_core.http.signing import Signing
from sbf_core.http.tokens import Tokens


def signer_of(shared: Shared, source: str, declared: SignIn) -> Signer:
    """Who signs in with a vendor."""
    if isinstance(declared, Signature):
        return Signing(shared, declared)
    return Tokens(shared, source, declared)
