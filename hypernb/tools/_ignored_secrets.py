"""Names tracked files that are secrets by their kind; their content is never shown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Severity
from hypernb.tools._reading import Rules, Sources, is_side_path, is_test_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_NAMED_AT_MOST: Final = 3
_HEAD_BYTES: Final = 200_000
_ENV_NAME = re.compile(r"\.env(\.(local|prod|production|dev|development|staging|secret))?")
_ENV_VALUE = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|"
    r"ACCESS_KEY|DSN|CREDENTIALS?)\w*)[ \t]*=[ \t]*([^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS_WITH_PASSWORD = re.compile(r"\w+://[^\s:@/]{1,200}:(?!\$)[^\s:@/]{3,200}@")
_EMPTY_VALUE = re.compile(
    r"""["']?\s*(\$.*|<.*>|x+|\*+|\.+|-+|todo|none|null|true|false|\d{1,4}|change.?(?:me|this|it).*|your.*|"""
    r"""example.*|dummy.*|fake.*|test.*|placeholder.*|replace.*)?\s*["']?(\s*#.*)?""",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----\s*\S")
_PUTTY_KEY = re.compile(r"^PuTTY-User-Key-File-\d", re.MULTILINE)
_NPM_TOKEN = re.compile(
    r"^[^#;\n]*_(?:authToken|auth|password)\s*=\s*(?!\s*\$)\S", re.MULTILINE
)
_PYPI_PASSWORD = re.compile(r"^\s*password\s*[=:]\s*\S", re.MULTILINE)
_NETRC_PASSWORD = re.compile(r"\bpassword\s+\S")
_KEY_NAMES: Final = frozenset({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"})
_KEY_SUFFIXES: Final = (".pem", ".key", ".ppk", ".p8")
_CREDENTIAL_FIELDS: Final = frozenset({"private_key", "client_secret", "refresh_token"})

_rules = Rules("ignored-secrets", "devops")


class IgnoredSecretsTool(Tool):
    """Own rules for files that git should ignore; no value is ever part of a finding."""

    name: ClassVar[str] = "ignored-secrets"
    title: ClassVar[str] = "look for secret files that are tracked"

    def run(self, context: ToolContext) -> ToolRun:
        """Look at names first, and into a file only to be sure."""
        sources = Sources(context)
        if not context.files:
            return sources.nothing(self.name, "There are no files.")
        findings = [found for path in context.files if (found := _check(sources, path))]
        findings += _check_ignore(context, sources)
        run = sources.ran(self.name, findings)
        # Every name was looked at, whether or not its content had to be.
        return run.model_copy(update={"checked": len(context.files)})


def _check(sources: Sources, path: str) -> Finding | None:
    name = path.rpartition("/")[2]
    judge = _judge(name)
    if judge is None:
        return None
    text = sources.text(path, limit=_HEAD_BYTES)
    what = judge(text) if text is not None else ""
    if not what:
        return None
    aside = is_test_path(path) or is_side_path(path)
    return _rules.found(
        "tracked-secret",
        Severity.LOW if aside else Severity.HIGH,
        f"This file holds {what} and is tracked. Change the secret, remove the file from git "
        "and add it to .gitignore.",
        path,
    )


def _judge(name: str) -> Callable[[str], str] | None:
    """Return what decides, by content, whether a file of that name is a secret."""
    if name in _KEY_NAMES or name.lower().endswith(_KEY_SUFFIXES):
        return _private_key
    if _ENV_NAME.fullmatch(name):
        return _env_values
    return {
        "credentials.json": _credentials,
        "service-account.json": _credentials,
        "service_account.json": _credentials,
        "client_secret.json": _credentials,
        ".npmrc": lambda text: "a registry's token" if _NPM_TOKEN.search(text) else "",
        ".pypirc": lambda text: "a registry's password" if _PYPI_PASSWORD.search(text) else "",
        ".netrc": lambda text: "passwords" if _NETRC_PASSWORD.search(text) else "",
    }.get(name)


def _private_key(text: str) -> str:
    return "a private key" if _PRIVATE_KEY.search(text) or _PUTTY_KEY.search(text) else ""


def _env_values(text: str) -> str:
    named = [
        name
        for name, value in _ENV_VALUE.findall(text)
        if not _EMPTY_VALUE.fullmatch(value.strip())
    ]
    if named:
        more = " and more" if len(named) > _NAMED_AT_MOST else ""
        return f"values for {', '.join(named[:_NAMED_AT_MOST])}{more}"
    return "an address with a password" if _ADDRESS_WITH_PASSWORD.search(text) else ""


def _credentials(text: str) -> str:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    levels = [content, *(value for value in content.values() if isinstance(value, dict))]
    known = {
        field
        for level in levels
        for field in _CREDENTIAL_FIELDS
        if isinstance(level.get(field), str) and not _EMPTY_VALUE.fullmatch(level[field])
    }
    return f"credentials ({', '.join(sorted(known))})" if known else ""


def _check_ignore(context: ToolContext, sources: Sources) -> list[Finding]:
    examples = [
        path
        for path in context.files
        if path.rpartition("/")[2] in (".env.example", ".env.sample", ".env.template")
        and not is_side_path(path)
    ]
    ignores = [path for path in context.files if path.rpartition("/")[2] == ".gitignore"]
    # Without one, or below the top of a repository, a file that is not seen here may ignore it.
    if not examples or not ignores or not (context.root / ".git").exists():
        return []
    lines = {
        line.strip()
        for path in ignores
        for line in (sources.text(path) or "").splitlines()
        if not line.startswith(("#", "!"))
    }
    if any(re.search(r"\.env\b|^\.\*|\*\.env", line) for line in lines):
        return []
    return [
        _rules.found(
            "env-not-ignored",
            Severity.LOW,
            f"{examples[0]} invites everyone to write a .env, and no .gitignore names .env.",
            ignores[0],
        )
    ]
