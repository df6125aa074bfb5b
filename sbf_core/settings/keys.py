"""Where keys come from: the environment, ``<home>/secrets.toml``, or the keyring of the system."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from sbf_core.atomic_file import regular_file
from sbf_core.errors import EnvironmentFault, UsageError
from sbf_core.secret import Secret
from sbf_core.shell_words import typed

FILE_NAME = "secrets.toml"
_KEYRING_SERVICE = "sbf"
#: Shorter parts of a value with blanks in it are likely to be words.
_PART_CHARACTERS_MIN = 8


class Keys:
    """The keys of a home, each by the name that a plugin declares.

    Args:
        home: the home; its ``secrets.toml`` may be read by its owner only.
        environment: the variables; those of the process when absent.
    """

    def __init__(self, home: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self._file = home / FILE_NAME
        self._environment = os.environ if environment is None else environment

    def origin(self, name: str) -> str:
        """Where a key would come from, or an empty text. Raises as ``get`` does."""
        return self._found(name)[1]

    def is_set(self, name: str) -> bool:
        """Whether there is anything under a name, be it right or wrong."""
        try:
            return bool(self._found(name)[1])
        except (UsageError, EnvironmentFault):
            return True

    def get(self, name: str, *, blanks: bool = False) -> Secret:
        """A key.

        Args:
            name: as the plugin declares it.
            blanks: it may hold blanks, as a name with a contact does.

        Raises:
            UsageError: it is set nowhere, or not as a key can be; its value is never part of the message.
        """
        value, origin = self._found(name)
        if not origin:
            raise UsageError(
                f"the key {name} is not set",
                fix=f"set the environment variable {name}, or write it to {self._file}",
                code="KEY_MISSING",
            )
        for part in (value, *(part for part in value.split() if len(part) >= _PART_CHARACTERS_MIN)):
            Secret(part)  # a value that is refused must not show either
        text = value.strip()
        if not text or not text.isprintable() or (not blanks and any(char.isspace() for char in text)):
            what = "line breaks" if blanks else "blanks or line breaks"
            raise UsageError(f"the key {name} is empty, or holds {what}", where=origin, fix="set it again", code="KEY")
        return Secret(text, name=name)

    def keep(self, name: str, value: str) -> None:
        """Put a new value in the place of one that lies in the keyring, and see that it is there.

        Raises:
            UsageError: the key comes from another place, which nobody writes to.
            EnvironmentFault: the keyring does not keep it.
        """
        Secret(value, name=name)
        origin = self.origin(name)
        if origin != "keyring":
            raise UsageError(
                f"the key {name} is replaced by the vendor each time it is used, so it must lie in the keyring",
                where=origin,
                fix=f"pip install 'sbf[keyring]', then keyring set {_KEYRING_SERVICE} {name}, and set it nowhere else",
                code="KEY",
            )
        import keyring

        try:
            keyring.set_password(_KEYRING_SERVICE, name, value)
            is_kept = keyring.get_password(_KEYRING_SERVICE, name) == value
        except keyring.errors.KeyringError:
            is_kept = False
        if not is_kept:
            raise EnvironmentFault(f"the keyring does not keep the key {name}", fix="unlock it, or mend its backend")

    def learn(self, names: Iterable[str]) -> None:
        """Know these keys from now on, so that they are taken out of messages even before they are used.

        Absent ones do not matter.
        """
        for name in names:
            with suppress(UsageError, EnvironmentFault):
                self.get(name)

    def _found(self, name: str) -> tuple[str, str]:
        if self._environment.get(name, "").strip():
            return self._environment[name], f"variable {name}"
        written = self._written()
        if name in written:
            return written[name], str(self._file)
        stored = _from_keyring(name)
        return (stored, "keyring") if stored else ("", "")

    def _written(self) -> dict[str, str]:
        try:
            facts = self._file.stat()
        except OSError:
            return {}
        if os.name == "posix" and facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(
                "others may read the file with the keys",
                where=str(self._file),
                fix=f"chmod 600 {typed(self._file)}",
                code="KEY_FILE",
            )
        import tomllib

        try:
            document = tomllib.loads(regular_file(self._file).decode())
        except OSError as error:
            raise EnvironmentFault(f"the keys cannot be read: {error.strerror}", where=str(self._file)) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
            raise UsageError(
                "the file with the keys is not TOML",
                where=str(self._file),
                fix='write NAME = "value", one a line',
                code="TOML",
            ) from None
        wrong = next((name for name, value in document.items() if not isinstance(value, str)), None)
        if wrong is not None:
            raise UsageError(
                f"the key {wrong} is no text", where=str(self._file), fix='write NAME = "value"', code="KEY"
            )
        return document


def _from_keyring(name: str) -> str:
    """A key that `keyring set sbf NAME` has stored; the extra ``keyring`` brings the library."""
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return keyring.get_password(_KEYRING_SERVICE, name) or ""
    except keyring.errors.KeyringError:  # there is none on this system, or it stays locked
        return ""
