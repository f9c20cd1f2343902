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
        *("--password ", "curl -u a:", "Cookie: a=", "<token>", "</", "secret: |\n  ", "%40"),
        *("machine a login b password ", "pass: ", "'password', '", "a@[1.1]", "de8937"),
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


CODE = st.sampled_from(
    [
        *(
            "def check(password: str) -> bool:",
            "    self.token = token",
            "    return auth(user)",
        ),
        *('@app.get("/login")', "x = frame[frame['pass'] > 3]", "assert pin.value == 12"),
        *("for token in tokens:", "    secret = secrets.token_hex()", "PASS: test_of_tokens"),
        *("password = os.environ['DB_PASSWORD']", "client(api_key=self.api_key, pw=None)"),
        *("The pass is high: 2,315 m above the sea.", "He signed it; his signature was short."),
        *("Use --token to name one, or --password.", "A cookie: flour, butter, 100 g sugar."),
        *("if key == 'password':", "    raise KeyError(f'no {key!r}: {value}')", "y = a @ b"),
        *("2026-11-28T05:20:00 INFO auth: user logged in", "version 1.2.3.4, build 20261128"),
        *("| name | pass | fail |", "range(0, 1000000, 3)", "sha = 'e3b0c44298fc1c149afbf4c8'"),
    ]
)


@settings(deadline=None)
@given(st.lists(CODE, max_size=12).map("\n".join))
def test_ordinary_code_and_prose_stay_as_they_are(text: str) -> None:
    assert redact(text).text == text
