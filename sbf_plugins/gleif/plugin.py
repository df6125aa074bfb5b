"""GLEIF: who stands behind a legal entity identifier (LEI)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sbf_core.api import DataRules, DatasetKeymapEntry, RestRecipe, UsageError, checked_options, column, hookimpl

_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
_ENTITY = "@.attributes.entity."
_REGISTRATION = "@.attributes.registration."


def _of_entity(field: str, doc: str = "") -> Any:
    return column(source=_ENTITY + field, doc=doc)


def _of_registration(field: str, doc: str = "") -> Any:
    return column(source=_REGISTRATION + field, doc=doc)


@attrs.frozen
class Record:
    """What is registered of a legal entity."""

    lei: str = column(key=True, source="@.id")
    legal_name: str = _of_entity("legalName.name")
    legal_name_language: str | None = _of_entity("legalName.language")
    jurisdiction: str | None = _of_entity("jurisdiction", "of the law that it is formed under, e.g. IE, US-DE")
    category: str | None = _of_entity("category", "e.g. GENERAL, FUND, BRANCH")
    sub_category: str | None = _of_entity("subCategory")
    legal_form: str | None = _of_entity("legalForm.id", "code of ISO 20275; 8888: another one, 9999: not told")
    legal_form_other: str | None = _of_entity("legalForm.other", "in words, where no code fits")
    status: str = _of_entity("status", "ACTIVE or INACTIVE: whether the entity exists")
    created: dt.datetime | None = _of_entity("creationDate", "when the entity came to be, UTC")
    expired: dt.datetime | None = _of_entity("expiration.date", "when it ended, UTC")
    expired_why: str | None = _of_entity("expiration.reason")
    successor_lei: str | None = _of_entity("successorEntity.lei")
    associated_lei: str | None = _of_entity("associatedEntity.lei", "e.g. of the manager of a fund")
    legal_city: str | None = _of_entity("legalAddress.city")
    legal_region: str | None = _of_entity("legalAddress.region", "ISO 3166-2")
    legal_country: str | None = _of_entity("legalAddress.country", "two letters; NA is Namibia")
    legal_postal_code: str | None = _of_entity("legalAddress.postalCode")
    headquarters_city: str | None = _of_entity("headquartersAddress.city")
    headquarters_region: str | None = _of_entity("headquartersAddress.region", "ISO 3166-2")
    headquarters_country: str | None = _of_entity("headquartersAddress.country", "two letters")
    headquarters_postal_code: str | None = _of_entity("headquartersAddress.postalCode")
    registered_at: str | None = _of_entity("registeredAt.id", "code of the register; RA999999: none is told")
    registered_as: str | None = _of_entity("registeredAs", "its number in that register")
    registration_status: str = _of_registration("status", "e.g. ISSUED, LAPSED (not renewed in time), RETIRED, MERGED")
    registered: dt.datetime = _of_registration("initialRegistrationDate", "when the LEI was first given, UTC")
    updated: dt.datetime = column(
        source=_REGISTRATION + "lastUpdateDate", known_from=True, doc="of the record, UTC: since then it is known so"
    )
    next_renewal: dt.datetime | None = _of_registration("nextRenewalDate", "UTC; of a lapsed LEI it lies in the past")
    managing_lou: str | None = _of_registration("managingLou", "LEI of who keeps the record")
    corroboration: str | None = _of_registration(
        "corroborationLevel", "FULLY_CORROBORATED, PARTIALLY_CORROBORATED or ENTITY_SUPPLIED_ONLY"
    )
    conformity: str | None = column(source="@.attributes.conformityFlag", doc="CONFORMING or NON_CONFORMING")


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Records of the identifiers that the settings name; none where they name none."""
    leis = checked_options(options, leis=())["leis"]
    wrong = next((lei for lei in leis if not _is_lei(lei)), None)
    if wrong is not None:
        raise UsageError(
            f"{wrong!r} is no LEI",
            where="[options.gleif] leis",
            fix="write its 20 letters and digits; the last two are check digits (ISO 17442)",
            code="OPTION",
        )
    return [_records(leis)] if leis else []


def _is_lei(text: str) -> bool:
    """Whether it has the form of ISO 17442, and its check digits are right (ISO 7064, MOD 97-10)."""
    return _LEI.fullmatch(text) is not None and int("".join(str(int(letter, 36)) for letter in text)) % 97 == 1


def _records(leis: tuple[str, ...]) -> DatasetKeymapEntry:
    return DatasetKeymapEntry(
        domain="reference",
        source="gleif",
        dataset="lei_records",
        scope="per_ticker",
        members=leis,
        silver_table="gleif_lei_record",
        columns=Record,
        rows_at="$.data",
        recipe=RestRecipe(
            url="https://api.gleif.org/api/v1/lei-records/{ticker}",
            headers={"accept": "application/vnd.api+json"},
            limits=("60/minute",),
        ),
        is_data=DataRules(error_fields=("errors",), none_status=(404,)),
        refresh_after_hours=24 * 7,
        opt_in=True,
        title="Records of legal entity identifiers",
        terms="GLEIF, CC0 1.0.",
        source_url="https://www.gleif.org/en/lei-data/gleif-api",
    )
