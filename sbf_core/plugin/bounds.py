"""Which installed package wants which versions: what does not fit, and who holds back what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, version

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sbf_core.value import Value

#: Operators that keep newer versions out (https://packaging.python.org/en/latest/specifications/version-specifiers/).
_UPPER = ("<", "<=", "==", "===", "~=")
_SBF = "sbf"


@attrs.frozen(kw_only=True)
class Bound(Value):
    """What one package wants of another.

    Attributes:
        holder: the package that wants it.
        package: the package that is wanted.
        wanted: the versions, e.g. ``<2.0``.
        installed: the version that is there; empty if it is not.
        fits: whether that is one of those.
        holds_back: whether newer versions are kept out that sbf itself allows.
    """

    holder: str
    package: str
    wanted: str
    installed: str
    fits: bool
    holds_back: bool

    @property
    def text(self) -> str:
        """For readers."""
        if not self.fits:
            state = f"{self.installed} is installed" if self.installed else "it is not installed"
            return f"wants {self.package}{self.wanted}, and {state}"
        return f"holds {self.package} at {self.wanted}"


def bounds(holders: Iterable[str]) -> list[Bound]:
    """What packages of plugins want that does not fit, and what they hold back.

    Args:
        holders: their names.
    """
    own = {canonicalize_name(requirement.name): requirement.specifier for requirement in _requirements(_SBF)}
    listed = []
    for holder in sorted(set(holders) - {_SBF, ""}):
        for requirement in _requirements(holder):
            name = canonicalize_name(requirement.name)
            installed = _installed(requirement.name)
            fits = bool(installed) and requirement.specifier.contains(installed, prereleases=True)
            holds = (name in own or name == _SBF) and _is_tighter(requirement.specifier, own.get(name))
            if not fits or holds:
                listed.append(
                    Bound(
                        holder=holder,
                        package=requirement.name,
                        wanted=str(requirement.specifier),
                        installed=installed,
                        fits=fits,
                        holds_back=holds,
                    )
                )
    return listed


def _requirements(name: str) -> Iterator[Requirement]:
    """What a package needs here: no extras, and markers of this system only."""
    try:
        told = distribution(name).requires or ()
    except PackageNotFoundError:
        return
    for text in told:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # pip would have refused it
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _is_tighter(wanted: SpecifierSet, own: SpecifierSet | None) -> bool:
    """Whether there is an upper end that sbf itself does not have."""
    known = {str(part) for part in own or ()}
    return any(part.operator in _UPPER and str(part) not in known for part in wanted)
