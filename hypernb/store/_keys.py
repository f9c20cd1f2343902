"""The user's signing key: what makes a pickle or an approval trusted."""

from __future__ import annotations

import hmac
import os
import secrets
from typing import TYPE_CHECKING, Final

from hypernb.errors import StoreError, StoreUnavailableError
from hypernb.store._location import home_folder

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600


class SigningKey:
    """Signs with HMAC-SHA256 under a random key that only this user can read.

    Args:
        secret: The key's bytes; see `SigningKey.load` for the user's own.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def load(cls, path: Path | None = None) -> SigningKey:
        """Read the user's key, or make it; of processes that make it at once, one wins.

        Args:
            path: File of the key; by default ``key`` in `home_folder`.

        Raises:
            StoreUnavailableError: The file can be neither read nor made.
            StoreError: The file does not hold a key.
        """
        path = path or home_folder() / "key"
        try:
            return cls(_read(path) if path.exists() else _make(path))
        except OSError as error:
            raise StoreUnavailableError(
                f"The signing key {str(path)!r} cannot be read or made: {error.strerror}.",
                hint="HYPERNB_HOME chooses another folder for it.",
            ) from error

    def sign(self, purpose: str, *parts: str) -> str:
        """Return the signature of the parts, in hexadecimal, for this purpose only."""
        return hmac.digest(self._secret, _joined(purpose, *parts), "sha256").hex()

    def verify(self, signature: str, purpose: str, *parts: str) -> bool:
        """Tell whether this key made the signature, in a time that tells nothing."""
        made = self.sign(purpose, *parts)
        return hmac.compare_digest(made.encode(), signature.encode("utf-8", "replace"))


def _joined(*parts: str) -> bytes:
    # Lengths in front: ("ab", "c") and ("a", "bc") must not be the same message.
    encoded = [part.encode("utf-8", "backslashreplace") for part in parts]
    return b"".join(len(each).to_bytes(8, "big") + each for each in encoded)


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != KEY_BYTES:
        raise StoreError(
            f"{str(path)!r} does not hold a signing key: {len(secret)} bytes, not {KEY_BYTES}.",
            hint="Move it away: a new key is made; what the old one signed is void.",
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(_OWNER_ONLY)
    return secret


def _make(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb"
        ) as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link either makes the whole file or finds one: nobody ever reads half a key.
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links; the last writer wins there
            if not path.exists():
                draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)
