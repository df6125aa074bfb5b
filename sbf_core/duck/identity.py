"""SQL of the identities that rows of the ledger hold, for whoever fills or checks them; all others read the columns."""

from __future__ import annotations

#: ``dataset_id`` as ``DatasetId`` writes it, of a row with a domain.
DATASET_ID = "concat(domain, '/', source, '/', dataset, CASE WHEN discriminator <> '' THEN '@' || discriminator END)"
#: ``series_key``.
SERIES_KEY = f"concat({DATASET_ID}, '/' || ticker)"
#: A condition: a row has an identity that its other columns do not give.
IDENTITY_DIFFERS = (
    f"domain IS NOT NULL AND (dataset_id IS DISTINCT FROM {DATASET_ID} OR series_key IS DISTINCT FROM {SERIES_KEY})"
)
