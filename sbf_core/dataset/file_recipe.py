"""How a file of the user's, or a folder of them, is read when no plugin code is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import attrs

from sbf_core.dataset.remote_places import RemoteKind, quoted_path, remote_kind, why_no_place
from sbf_core.dataset.series_name import parts_of
from sbf_core.dataset.templates import check_extension, check_template, placeholders
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

#: The part of a file's series that is its name.
NAME = "name"
#: What a pattern of names may hold in the place of letters.
_WILDCARDS = re.compile(r"[*?\[]")
#: What the name of a file ends with, where that is no number and no pattern.
_ENDING = re.compile(r"\.([A-Za-z][A-Za-z0-9]{0,9}(?:\.[Gg][Zz])?)$")
#: A year.
_QUIET_SECONDS_MAX = 366 * 86_400


def _ending(recipe: FileRecipe) -> str:
    """What its path ends with, in small letters; empty where that is no ending as ``json``."""
    match = _ENDING.search(recipe.path.rpartition("/")[2])
    return "" if match is None else match[1].lower()


@attrs.frozen(kw_only=True)
class FileRecipe(Value):
    """One file per request, read as it is; or each file of a folder.

    Attributes:
        path: template as in ``RestRecipe.url``; a relative path stands in the ``files`` folder of the home. With
            ``each`` a pattern instead, with ``*``, ``?`` and ``[...]`` in names, and ``**`` for folders at any depth:
            ``drops/*.csv``.
        extension: what the file is stored and read as: what the path ends with, as ``json`` or ``csv.gz``; to be given
            where it has no such ending, or another.
        mirrors: other addresses that hold the same data; a replay answers from them too.
        each: ``file``: each file that the pattern finds is a series of its own, known by its name, and read once; again
            where its size or the time of its last change is another. What is in it then supersedes what was.
        parts: a regular expression for the whole name of a file, as it is below the folder in which the pattern
            begins. Its named groups are parts of the name: ``source="request.each.day"`` takes the group ``day``. The
            name itself is the part ``name``. A file that it does not match is left out, and a run says so.
        quiet_seconds: a file that changed later than so long ago is left for another run: somebody may still write it.
        options: with ``each`` and a path such as ``s3://bucket/drops/*.csv`` (or ``gs://``, ``az://``), what is to be
            known of the store, by the names that obstore has for it, e.g. ``{"region": "eu-west-1"}``. Of
            ``https://files.example.com/drops/*.csv``, whose folders have lists of their files, headers that are sent;
            of ``sftp://reader@files.example.com/drops/*.csv`` ``host_key`` or ``known_hosts``; of ``ftp://`` and
            ``ftps://`` nothing.
        secrets: the same for what is secret, as names of keys: ``{"secret_access_key": "EXAMPLE_SECRET"}``; headers of
            a web server; ``user`` and ``password`` of the others, of SFTP also ``private_key_file``, the place
            of a key of SSH, and its ``passphrase``.
    """

    path: str
    extension: str = attrs.field(default=attrs.Factory(_ending, takes_self=True))
    mirrors: tuple[str, ...] = attrs.field(default=(), converter=texts)
    each: str = ""
    parts: str = ""
    quiet_seconds: float = 0.0
    options: Mapping[str, str] = attrs.field(factory=dict)
    secrets: Mapping[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if self.each:
            self._check_each()
        else:
            self._check_one()
        if not self.extension:
            what = f"the name of {self.path!r} does not say what the file is"
            fix = 'say it: extension="csv", or json, parquet, xlsx, csv.gz'
            raise UsageError(what, where=self.path, fix=fix, code="RECIPE")
        check_extension(self.extension)

    def _check_one(self) -> None:
        if self.is_remote or self.options or self.secrets:
            what = "a file of another machine is read as each file of a folder"
            raise UsageError(what, where=self.path, fix='each="file", path="s3://bucket/drops/*.csv"', code="RECIPE")
        if self.parts or self.quiet_seconds:
            what = "parts and quiet_seconds belong to each file of a folder"
            raise UsageError(what, where=self.path, fix='each="file"', code="RECIPE")
        for template in (self.path, *self.mirrors):
            check_template(template, what="path")

    def _check_each(self) -> None:
        what, fix, path = "", "", self._path
        if self.each != "file":
            what, fix = f"each {self.each!r} is not known", 'each="file"'
        elif self.is_remote and (not self.store or _WILDCARDS.search(self.store)):
            what = f"{self.path!r} names no {'bucket' if self.remote is RemoteKind.STORE else 'server'}"
            fix = 'path="s3://bucket/drops/*.csv"'
        elif (self.options or self.secrets) and not self.is_remote:
            what = "options and secrets belong to an object store, or another machine"
            fix = 'path="s3://bucket/drops/*.csv"'
        elif odd := next((one for one in self.options if "endpoint" in one and not _is_address(self.options[one])), ""):
            what, fix = f"the option {odd!r} is no address", '"endpoint": "https://storage.example.com"'
        elif not all(isinstance(one, str) for one in (*self.options.values(), *self.secrets.values())):
            what, fix = "options and secrets are texts", 'options={"skip_signature": "true"}'
        elif set(self.options) & set(self.secrets):
            what, fix = f"{min(set(self.options) & set(self.secrets))!r} is an option and a secret", "say it once"
        elif not _WILDCARDS.search(path):
            what, fix = "each file of a folder is found by a pattern, and the path is none", 'path="drops/*.csv"'
        elif path.endswith(("/", "**")) or "//" in path or "\\" in path:
            what, fix = f"the pattern {self.path!r} ends with no name of a file", 'path="drops/**/*.csv"'
        elif any("**" in step and step != "**" for step in path.split("/")) or ".." in path.split("/"):
            what, fix = f"** and .. are no part of a name in {self.path!r}", 'path="drops/**/*.csv"'
        elif self.mirrors:
            what, fix = "a file has no mirrors", "leave them out"
        elif self.is_remote and all(
            why_no_place(self.path, self.store, self.options, self.secrets, self.quiet_seconds)
        ):
            what, fix = why_no_place(self.path, self.store, self.options, self.secrets, self.quiet_seconds)
        elif not 0 <= self.quiet_seconds <= _QUIET_SECONDS_MAX:
            what, fix = f"quiet_seconds is 0 to {_QUIET_SECONDS_MAX:,}", "quiet_seconds=60"
        if what:
            raise UsageError(what, where=self.path, fix=fix, code="RECIPE")
        names = list(compiled(self.parts, where=self.path).groupindex)
        if NAME in names or any(name != name.lower() for name in names):
            what = f"parts names a group {NAME!r}, which is the whole name, or one with capitals"
            raise UsageError(what, where=self.path, fix="call it otherwise: (?P<day>...)", code="RECIPE")

    @property
    def named(self) -> frozenset[str]:
        """The placeholders in its path."""
        return frozenset() if self.each else placeholders(self.path)

    @property
    def is_remote(self) -> bool:
        """Whether its files lie in an object store, or on another machine."""
        return self.remote is not None

    @property
    def remote(self) -> RemoteKind | None:
        """How its files are reached; None where they are on this machine."""
        return remote_kind(self.path)

    @property
    def store(self) -> str:
        """The address of the bucket or server, as ``s3://bucket``; empty where its files are on this machine."""
        scheme, _, rest = self.path.partition("://")
        bucket = rest.partition("/")[0]
        return f"{scheme}://{bucket}" if self.is_remote and bucket else ""

    @property
    def _path(self) -> str:
        """The path, or what of it is below the bucket."""
        return self.path.removeprefix(self.store).removeprefix("/") if self.is_remote else self.path

    @property
    def folder(self) -> str:
        """The folder in which its pattern begins; empty for the ``files`` folder, or the bucket, itself."""
        steps = self._path.split("/")
        fixed = next(place for place, step in enumerate(steps) if _WILDCARDS.search(step))
        return "/".join(steps[:fixed]) or ("/" if fixed else "")

    @property
    def pattern(self) -> tuple[str, ...]:
        """The steps of its pattern, from there."""
        below = self._path.removeprefix(self.folder).removeprefix("/")
        return tuple(below.split("/"))

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts of a file's name; none where it is no folder that is read."""
        return (NAME, *compiled(self.parts, where=self.path).groupindex) if self.each else ()

    def values(self, series: str) -> Mapping[str, str]:
        """The parts of a file's name, out of the name of its series.

        Raises:
            UsageError: the name is none that ``parts`` matches.
        """
        name = self._name(series)
        match = compiled(self.parts, where=self.path).fullmatch(name) if self.parts else None
        lacking = match is not None and None in match.groupdict().values()
        if lacking or (self.parts and match is None):
            what = f"the name {name!r} is none that parts={self.parts!r} matches with all its groups"
            raise UsageError(what, where=self.path, fix="mend the expression", code="FILE_NAME")
        return {NAME: name, **(match.groupdict() if match is not None else {})}

    def _name(self, series: str) -> str:
        name, *more = parts_of(series)
        if more:
            what = f"{series!r} is no name of a file"
            raise UsageError(what, where=self.path, fix="declare it as it was, or ask anew", code="FILE_NAME")
        return name

    def place(self, series: str) -> str:
        """The path, or the address, of the file of a series.

        Raises:
            UsageError: the series is none of a file, as one that another declaration named.
        """
        name = self._name(series)
        folder = f"{self.store}/{self.folder}".rstrip("/") if self.is_remote else self.folder.rstrip("/")
        place = f"{folder}/{name}" if folder or self.folder else name
        if self.remote is not RemoteKind.HTTP:
            return place
        return self.store + quoted_path(place.removeprefix(self.store))


def _is_address(value: object) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


@lru_cache(maxsize=256)
def compiled(expression: str, *, where: str) -> re.Pattern[str]:
    """A regular expression for names. Raises ``UsageError`` for what is none."""
    try:
        return re.compile(expression)
    except re.error as error:
        raise UsageError(f"parts is no regular expression: {error}", where=where, code="RECIPE") from None
