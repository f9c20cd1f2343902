"""Whatever the text is, covering it up ends, and doing it again changes nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.redact import redact, scrub

PIECES = st.sampled_from(
    [
        *("password=", "token: '", "Bearer ", "Authorization: ", "://", "@", ".org", "sk-"),
        *("eyJ", "ghp_", "AKIA", "-----BEGIN PRIVATE KEY-----", "-----END", "[secret]"),
        *("[e-mail]", "+49", " 030 ", "4111 1111 1111 1111", "DE89370400440532013000"),
        *("1234567890", "a1B2c3D4e5F6g7H8", " ", "\n", "-", "_", "/", "(", ")", '"', "\\"),
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=30).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_covering_up_again_changes_nothing(text: str) -> None:
    once = redact(text)
    again = redact(once.text)
    assert again.text == once.text


SECRETS = st.lists(st.text("abZ01_", min_size=8, max_size=20), max_size=3)


@settings(max_examples=200, deadline=None)
@given(TEXTS, SECRETS)
def test_these_very_secrets_are_gone(text: str, secrets: list[str]) -> None:
    left = scrub(text + " ".join(secrets), secrets)
    assert not [secret for secret in secrets if secret in left]
