"""What a model may read of a tree: files of the scope, and of those no secrets."""

from __future__ import annotations

import fnmatch
import functools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from hypernb.errors import ToolError, nearest
from hypernb.redact import scrub
from hypernb.tools._inside import bytes_inside

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hypernb.abc import ToolContext

READ_AT_MOST_BYTES: Final = 5_000_000

_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NAMED_AT_MOST: Final = 200
# Names that are made for secrets. What only may hold some is shown, and scrubbed.
_SECRET_NAME: Final = re.compile(
    r"""
      \.env([._-](?!(example|sample|template|tmpl|dist|defaults?)$).*)? | \.envrc | .*\.env
    | \.(dev|prod|local|staging|test)\.vars(\..*)?
    | [._]?netrc(\.gpg)? | \.pgpass | pgpass\.conf | \.my\.cnf | \.mylogin\.cnf | \.htpasswd
    | \.?git-credentials | \.pypirc | \.npmrc | \.yarnrc\.ya?ml | \.dockercfg | \.s3cfg | \.boto
    | (\.|.*[._-])?kubeconfig([_-][\w-]+)?(\.ya?ml|\.conf|\.json)?
    | .*\.tfvars(\.json)? | .*\.tfstate(\..*)?
    | id_(rsa|dsa|ecdsa|ed25519|xmss)(_sk)?([._-].*)?(?<!\.pub)
    | .*\.(pem|key|ppk|p8|p12|pfx|jks|jceks|keystore|bcfks|kdbx?|asc|gpg|pgp|ovpn|keytab|age)
    | \.?credentials(\.(json|ya?ml|toml|ini|csv|txt|xml|properties|enc))?
    | [._]?(.*[._-])?secrets?\.(json|ya?ml|toml|ini|env|txt|cfg|conf|properties|enc)
    | client_secret.*\.json | (.*[-_])?service[-_]?account.*\.json
    | application_default_credentials\.json | \.vault[-_](pass|token).* | \.?vault[-_]token
    | \.?master\.key | \.passwords? | passwords?\.(txt|csv|kdbx?)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A copy of a file for secrets is one as well.
_COPY: Final = re.compile(
    r"(\.(old|bak|backup|orig|save|copy|swp|tmp|\d{1,8})|~)+$", re.IGNORECASE
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
_HIDDEN: Final = "[private key]"
# Also what turns the direction of writing around, or has no width.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_SECRET_FOLDERS: Final = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".docker", ".git"})


def is_secret_path(path: str) -> bool:
    """Tell whether a file's name says that it holds secrets.

    Example:
        >>> [is_secret_path(path) for path in (".env", "a/id_rsa", ".env.example", "env.py")]
        [True, True, False, False]
    """
    *folders, name = PurePosixPath(path).parts or ("",)
    if not _SECRET_FOLDERS.isdisjoint(folder.lower() for folder in folders):
        return True
    return bool(_SECRET_NAME.fullmatch(name) or _SECRET_NAME.fullmatch(_COPY.sub("", name)))


def readable_files(context: ToolContext) -> tuple[str, ...]:
    """Return the files that may be shown to a model."""
    return tuple(path for path in context.files if not is_secret_path(path))


def file_of(context: ToolContext, tool: str, path: str) -> str:
    """Return the path as the scope has it.

    Raises:
        ToolError: It is not in the scope, or it is never shown; near misses are named.
    """
    name = path.strip().removeprefix("./")
    if is_secret_path(name):
        raise ToolError(tool, f"{path[:200]!r} is a file for secrets, and is not shown.")
    if name not in in_scope(context.files):
        from hypernb.tools._new_files import is_new_file

        if is_new_file(context.root, name):
            problem = f"{path[:200]!r} is no file of the scope: git does not track it."
            raise ToolError(tool, problem, hint="A person has to `git add` it first.")
        near = nearest(name, context.files[:5_000])
        hint = near if near.startswith("Did") else "list-files says what there is."
        raise ToolError(tool, f"{path[:200]!r} is no file of the scope.", hint=hint)
    return name


@functools.lru_cache(maxsize=4)
def in_scope(files: tuple[str, ...]) -> frozenset[str]:
    """Return files as a set; that of the last few is kept."""
    return frozenset(files)


def matching(files: Iterable[str], glob: str) -> list[str]:
    """Return the files that a pattern fits: on the whole path, or on the name alone.

    Example:
        >>> matching(["a.py", "src/b.py", "src/c.md"], "*.py")
        ['a.py', 'src/b.py']
        >>> matching(["a.py", "src/b.py", "src/x/c.py"], "src/**/*.py")
        ['src/b.py', 'src/x/c.py']
    """
    if not glob:
        return list(files)
    fits = re.compile(_pattern(glob)).fullmatch
    if "/" in glob:
        return [path for path in files if fits(path)]
    return [path for path in files if fits(path.rpartition("/")[2])]


def _pattern(glob: str) -> str:
    # fnmatch lets * cross folders, so a leading **/ may also stand for no folder at all.
    parts = glob[:500].removeprefix("./").split("**/")
    return "(?:.*/)?".join(fnmatch.translate(part)[4:-3] for part in parts)


def read_data(context: ToolContext, tool: str, path: str) -> bytes:
    """Return the bytes of a file of the scope.

    Raises:
        ToolError: It is no plain file inside the root, too large, or cannot be read.
    """
    data = plain_bytes(context.root, path, READ_AT_MOST_BYTES + 1, in_scope(context.files))
    if isinstance(data, str):
        raise ToolError(tool, f"{path!r} {data}.")
    if len(data) > READ_AT_MOST_BYTES:
        raise ToolError(
            tool,
            f"{path!r} is larger than {READ_AT_MOST_BYTES:,} bytes.",
            hint="search-files looks through files of up to 20,000,000 bytes.",
        )
    return data


def plain_bytes(
    root: Path, path: str, limit: int, files: frozenset[str] | None = None
) -> bytes | str:
    """Return up to ``limit`` bytes of a plain file below the root, or why not, in words.

    Args:
        files: Links lead to one of these; to any below the root if there are none.
    """
    try:
        return bytes_inside(root, path, limit, lambda inside: _refused(inside, path, files))
    except FileNotFoundError:
        return "is not there any more"
    except (OSError, RuntimeError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', '') or type(error).__name__})"


def _refused(inside: str, path: str, files: frozenset[str] | None) -> str:
    if is_secret_path(inside):
        return "is a link to a file for secrets"
    if files is not None and inside != path and inside not in files:
        return "is a link that leads out of the scope"
    return ""


def text_of(data: bytes) -> str | None:
    """Return bytes as text with line feeds only; None if they are not text."""
    wide = data.startswith(_UTF16_MARKS)
    if b"\0" in data and not wide:
        return None
    text = data.decode("utf-16" if wide else "utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(context: ToolContext, tool: str, path: str) -> str:
    """Return the text of a file of the scope.

    Raises:
        ToolError: It is none of the scope, secret, too large, binary or unreadable.
    """
    name = file_of(context, tool, path)
    data = read_data(context, tool, name)
    text = text_of(data)
    if text is None:
        raise ToolError(tool, f"{name!r} is binary ({len(data):,} bytes) and is not shown.")
    return text


def scrub_lines(text: str) -> str:
    """Return text without what looks like a secret, with as many lines as before."""
    kept = _PRIVATE_KEY.sub(lambda key: "\n".join(_HIDDEN for _ in key[0].split("\n")), text)
    scrubbed = scrub(kept)
    if scrubbed.count("\n") == text.count("\n"):
        return scrubbed
    return "\n".join(scrub(line) for line in kept.split("\n"))


def shown_text(text: str) -> str:
    """Return text as a model is shown it: secrets are covered up, controls made visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", scrub_lines(text))
