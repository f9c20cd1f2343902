"""The environment that tasks are given: the session's, without what looks like a secret."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from hypernb.redact import key_forms

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET: Final = re.compile(
    r"""
      API_?KEY | TOKEN | SECRET | PASSWORD | PASSWD | PASSPHRASE | CREDENTIAL | PRIVATE_?KEY
    | ACCESS_?KEY | (^|_)(PWD|PASS|AUTH|KEY|DSN|COOKIE)$ | ^AWS_ | ^AZURE_ | ^GOOGLE_APPLICATION
    | CONNECTION_STRING | ^SSH_AUTH_SOCK$ | ^GPG_AGENT | ^DATABASE_URL$ | ^REDIS_URL$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CREDENTIALS: Final = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_HARMLESS: Final = frozenset({"PWD", "OLDPWD", "TOKENIZERS_PARALLELISM"})


def looks_secret(name: str) -> bool:
    """Tell whether a variable's name says that its value is a secret.

    Example:
        >>> looks_secret("OPENAI_API_KEY"), looks_secret("PATH")
        (True, False)
    """
    return name.upper() not in _HARMLESS and _SECRET.search(name) is not None


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that do not look like secrets, by their names or as URLs."""
    return {
        name: value
        for name, value in environ.items()
        if not looks_secret(name) and not has_credentials(value)
    }


def without(
    keys: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment without the variables of keys, and without any that hold one.

    One is held in all forms of `hypernb.redact.KeyForms`; what is too short to be a secret
    takes only its own variable away.

    Example:
        >>> without({"KEY": "b"}, {"KEY": "b", "PATH": "/bin"})
        {'PATH': '/bin'}
    """
    source = os.environ if environ is None else environ
    forms = [key_forms((key,)) for key in set(keys.values())]
    return {
        name: value
        for name, value in source.items()
        if name not in keys
        and not any(each.stand_in(held) for each in forms for held in (name, value))
    }


def has_credentials(url: str) -> bool:
    """Tell whether a URL carries a password.

    Example:
        >>> has_credentials("postgresql://ana:geheim@host/db")  # pragma: allowlist secret
        True
        >>> has_credentials("sqlite:///a.db")
        False
    """
    return _CREDENTIALS.search(url) is not None
