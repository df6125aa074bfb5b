"""What the hook ``build_gold`` answered."""

from __future__ import annotations

from sbf_core.gold.model import GoldModel


def sorted_out(answer: object) -> tuple[list[GoldModel], list[str]]:
    """The models in what the hook ``build_gold`` answered, and what is wrong with the rest."""
    given = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    wrong = [
        f"build_gold answered {type(one).__name__} instead of GoldModel"
        + (f" at place {place} of {len(given)}" if len(given) > 1 else "")
        for place, one in enumerate(given, start=1)
        if not isinstance(one, GoldModel)
    ]
    return [model for model in given if isinstance(model, GoldModel)], wrong


def as_values(model: GoldModel) -> GoldModel:
    """The model without what is no part of a build: its charts, and whatever a class of the plugin's own adds."""
    names = ("name", "key", "sql", "kind", "surrogate_key", "date_column", "tests", "doc", "sources")
    return GoldModel(**{name: getattr(model, name) for name in names})
