"""GLEIF: who stands behind a legal entity identifier (LEI)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sbf_core.api import Column, DataRules, DatasetKeymapEntry, RestRecipe, UsageError, checked_options, hookimpl

#: What is fetched where the settings name none: the record of GLEIF itself.
USUAL = ("506700GE1G29325QX363",)
_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")

#: What is registered of a legal entity.
RECORD = (
    Column(name="lei", type="VARCHAR", key=True, source="@.id"),
    Column(name="legal_name", type="VARCHAR", source="@.attributes.entity.legalName.name"),
    Column(name="legal_name_language", type="VARCHAR", nullable=True, source="@.attributes.entity.legalName.language"),
    Column(
        name="jurisdiction",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.jurisdiction",
        doc="of the law that it is formed under, e.g. IE, US-DE",
    ),
    Column(
        name="category",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.category",
        doc="e.g. GENERAL, FUND, BRANCH",
    ),
    Column(name="sub_category", type="VARCHAR", nullable=True, source="@.attributes.entity.subCategory"),
    Column(
        name="legal_form",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.legalForm.id",
        doc="code of ISO 20275; 8888: another one, 9999: not told",
    ),
    Column(
        name="legal_form_other",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.legalForm.other",
        doc="in words, where no code fits",
    ),
    Column(
        name="status",
        type="VARCHAR",
        source="@.attributes.entity.status",
        doc="ACTIVE or INACTIVE: whether the entity exists",
    ),
    Column(
        name="created",
        type="TIMESTAMP",
        nullable=True,
        source="@.attributes.entity.creationDate",
        doc="when the entity came to be, UTC",
    ),
    Column(
        name="expired",
        type="TIMESTAMP",
        nullable=True,
        source="@.attributes.entity.expiration.date",
        doc="when it ended, UTC",
    ),
    Column(name="expired_why", type="VARCHAR", nullable=True, source="@.attributes.entity.expiration.reason"),
    Column(name="successor_lei", type="VARCHAR", nullable=True, source="@.attributes.entity.successorEntity.lei"),
    Column(
        name="associated_lei",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.associatedEntity.lei",
        doc="e.g. of the manager of a fund",
    ),
    Column(name="legal_city", type="VARCHAR", nullable=True, source="@.attributes.entity.legalAddress.city"),
    Column(
        name="legal_region",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.legalAddress.region",
        doc="ISO 3166-2",
    ),
    Column(
        name="legal_country",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.legalAddress.country",
        doc="two letters; NA is Namibia",
    ),
    Column(
        name="legal_postal_code", type="VARCHAR", nullable=True, source="@.attributes.entity.legalAddress.postalCode"
    ),
    Column(
        name="headquarters_city", type="VARCHAR", nullable=True, source="@.attributes.entity.headquartersAddress.city"
    ),
    Column(
        name="headquarters_region",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.headquartersAddress.region",
        doc="ISO 3166-2",
    ),
    Column(
        name="headquarters_country",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.headquartersAddress.country",
        doc="two letters",
    ),
    Column(
        name="headquarters_postal_code",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.headquartersAddress.postalCode",
    ),
    Column(
        name="registered_at",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.registeredAt.id",
        doc="code of the register; RA999999: none is told",
    ),
    Column(
        name="registered_as",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.entity.registeredAs",
        doc="its number in that register",
    ),
    Column(
        name="registration_status",
        type="VARCHAR",
        source="@.attributes.registration.status",
        doc="e.g. ISSUED, LAPSED (not renewed in time), RETIRED, MERGED",
    ),
    Column(
        name="registered",
        type="TIMESTAMP",
        source="@.attributes.registration.initialRegistrationDate",
        doc="when the LEI was first given, UTC",
    ),
    Column(
        name="updated",
        type="TIMESTAMP",
        known_from=True,
        source="@.attributes.registration.lastUpdateDate",
        doc="of the record, UTC: since then it is known so",
    ),
    Column(
        name="next_renewal",
        type="TIMESTAMP",
        nullable=True,
        source="@.attributes.registration.nextRenewalDate",
        doc="UTC; of a lapsed LEI it lies in the past",
    ),
    Column(
        name="managing_lou",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.registration.managingLou",
        doc="LEI of who keeps the record",
    ),
    Column(
        name="corroboration",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.registration.corroborationLevel",
        doc="FULLY_CORROBORATED, PARTIALLY_CORROBORATED or ENTITY_SUPPLIED_ONLY",
    ),
    Column(
        name="conformity",
        type="VARCHAR",
        nullable=True,
        source="@.attributes.conformityFlag",
        doc="CONFORMING or NON_CONFORMING",
    ),
)


@hookimpl
def datasets(options: Mapping[str, Any]) -> Sequence[DatasetKeymapEntry]:
    """Records of the identifiers that the settings name."""
    leis = checked_options(options, leis=USUAL)["leis"]
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
        columns=RECORD,
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
        region="world",
        frequency="irregular",
        cost="free",
        terms="GLEIF, CC0 1.0.",
        source_url="https://www.gleif.org/en/lei-data/gleif-api",
    )
