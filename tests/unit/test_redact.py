from __future__ import annotations

import time

import pytest

from hypernb.redact import redact, scrub

TOKEN = "q7Zx9Kp2Lm4Vb8Nc1Ds6Fg3Hj5Rt0WyX"  # noqa: S105 - it opens nothing
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_123"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("sk-proj-abcDEF0123456789", "[secret]", id="openai"),
        pytest.param("ghp_" + "a1" * 18, "[secret]", id="github"),
        pytest.param("AKIAIOSFODNN7EXAMPLE", "[secret]", id="aws"),
        pytest.param("hf_" + "aB" * 17, "[secret]", id="hugging-face"),
        pytest.param(f"see {JWT} there", "see [secret] there", id="jwt"),
        pytest.param(f"a {PEM} b", "a [secret] b", id="private-key"),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\nMIIEow", "[secret]", id="private-key-cut-off"
        ),
        pytest.param("Bearer abcdef0123456789", "Bearer [secret]", id="bearer"),
        pytest.param(
            "'Authorization': 'Basic dXNlcjpwYXNz'",
            "'Authorization': 'Basic [secret]'",
            id="basic",
        ),
        pytest.param(
            "AUTHORIZATION: BEARER correct-horse",
            "AUTHORIZATION: BEARER [secret]",
            id="in-capitals",
        ),
        pytest.param("password=hunter2 x", "password=[secret] x", id="password"),
        pytest.param("DB_PASSWORD: 's3 cr et'", "DB_PASSWORD: '[secret]'", id="quoted"),
        pytest.param('{"api_key": "abcd"}', '{"api_key": "[secret]"}', id="json"),
        pytest.param(r"{\"token\": \"abcd\"}", r"{\"token\": \"[secret]\"}", id="json-in-json"),
        pytest.param("https://me:pw@h.org/x", "https://[secret]@h.org/x", id="url"),
        pytest.param(f"({TOKEN})", "([secret])", id="random-token"),
        pytest.param("DB_PASS=hunter", "DB_PASS=[secret]", id="environment"),
        pytest.param("pass: hunter2horse", "pass: [secret]", id="pass"),
        pytest.param('pw = "hunter2horse"', 'pw = "[secret]"', id="pw"),
        pytest.param("credentials: hunter2horse", "credentials: [secret]", id="credentials"),
        pytest.param("?x=1&sig=3Fh2kk%2Bxx", "?x=1&sig=[secret]", id="signature"),
        pytest.param("ENCRYPTION_KEY=0011aabb22", "ENCRYPTION_KEY=[secret]", id="hex-key"),
        pytest.param("SIGNING_KEY: 8f3b1c9d", "SIGNING_KEY: [secret]", id="signing-key"),
        pytest.param("Passwort=hunter2", "Passwort=[secret]", id="german"),
        pytest.param("PIN: 4711", "PIN: [secret]", id="pin"),
        pytest.param("PASSWORD=$horse(1 x", "PASSWORD=[secret] x", id="bracket"),
        pytest.param(r'password="a\"b c" x', 'password="[secret]" x', id="escaped-quote"),
        pytest.param("password = 'it''s me' x", "password = '[secret]' x", id="sql-quote"),
        pytest.param('"password": ["hunter"]', '"password": ["[secret]"]', id="list"),
        pytest.param("('password', 'hunter2')", "('password', '[secret]')", id="pair"),
        pytest.param(
            '<add key="DbPassword" value="hunter"/>',
            '<add key="DbPassword" value="[secret]"/>',
            id="xml-attribute",
        ),
        pytest.param(
            "<db:password>s3 cr</db:password>", "<db:password>[secret]</db:password>", id="xml"
        ),
        pytest.param("mysql --password h2nter -v", "mysql --password [secret] -v", id="option"),
        pytest.param("curl -s -u me:h2 http://x", "curl -s -u me:[secret] http://x", id="curl"),
        pytest.param(
            "machine h.org login me password x1",
            "machine h.org login me password [secret]",
            id="netrc",
        ),
        pytest.param("Cookie: sid=abc; b=c\nX", "Cookie: [secret]\nX", id="cookie"),
        pytest.param("Set-Cookie: sid=abc; Path=/", "Set-Cookie: [secret]", id="set-cookie"),
        pytest.param("secret: |\n  s3 cr et\nx: 1", "secret: |\n  [secret]\nx: 1", id="yaml"),
        pytest.param(
            "db_token:\n  horses\nx: 1", "db_token:\n  [secret]\nx: 1", id="yaml-below"
        ),
        pytest.param("password==hunter2", "password==[secret]", id="of-this-version"),
        pytest.param(
            "password\u00a0=\u00a0horses", "password\u00a0=\u00a0[secret]", id="no-break"
        ),
        pytest.param(
            "{'name': 'DB_PASSWORD', 'value': 'horses'}",
            "{'name': 'DB_PASSWORD', 'value': '[secret]'}",
            id="name-and-value",
        ),
        pytest.param(
            r"{\"key\": \"api_key\", \"value\": \"horses\"}",
            r"{\"key\": \"api_key\", \"value\": \"[secret]\"}",
            id="name-and-value-in-json",
        ),
        pytest.param("sk-proj-abcdefghijklmnopqr", "[secret]", id="openai-without-digits"),
    ],
)
def test_secrets_are_covered_up(text: str, left: str) -> None:
    assert redact(text).text == left
    assert scrub(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("to ada.l+x@mail.example.org.", "to [e-mail].", id="e-mail"),
        pytest.param("no. 1234567890", "no. [number]", id="number"),
        pytest.param("4912345678901.0", "[number]", id="number-in-a-column-of-floats"),
        pytest.param("4111 1111 1111 1111", "[card number]", id="card"),
        pytest.param("+49 30 123456-78", "[phone number]", id="phone"),
        pytest.param("(415) 555-2671", "[phone number]", id="phone-of-one-country"),
        pytest.param("DE89 3704 0044 0532 0130 00", "[IBAN]", id="iban"),
        pytest.param("de89370400440532013000", "[IBAN]", id="iban-in-small-letters"),
        pytest.param("4111.1111.1111.1111", "[card number]", id="card-with-dots"),
        pytest.param("4111_1111_1111_1111", "[card number]", id="card-with-underscores"),
        pytest.param("?m=ada%40example.org&x", "?m=[e-mail]&x", id="e-mail-in-an-address"),
        pytest.param('"ada l"@example.org', "[e-mail]", id="e-mail-in-quotes"),
        pytest.param("ada@[10.0.0.1]", "[e-mail]", id="e-mail-at-a-number"),
        pytest.param("ada\uff20example.org", "[e-mail]", id="e-mail-in-full-width"),
    ],
)
def test_who_somebody_is_is_covered_up(text: str, left: str) -> None:
    assert redact(text).text == left
    assert scrub(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0.1234567890123 and 3.141592653589793", id="fraction"),
        pytest.param("2026-11-28 01:20:00.123456+00:00", id="date"),
        pytest.param("e3b0c44298fc1c149afbf4c8996fb92427ae41e4" + "0" * 24, id="digest"),
        pytest.param("123e4567-e89b-12d3-a456-426614174000", id="uuid"),
        pytest.param("01KBABCDEF0123456789ABCDEF", id="ulid"),
        pytest.param("1 2 3 4 5 6 7 8 9 10 11 12", id="table"),
        pytest.param("4111 1111 1111 1112", id="wrong-check-digit"),
        pytest.param("password: str = None", id="annotation"),
        pytest.param("api_key = os.environ['KEY']", id="code"),
        pytest.param("max_tokens=100000", id="count-of-tokens"),
        pytest.param("AbstractSingletonProxyFactoryBeanImplementation2Of3", id="name"),
        pytest.param("hypernb/engine/_very_long_name_of_a_module_2.py", id="path"),
        pytest.param("PASS: test_login 12 of 1200", id="result-of-a-test"),
        pytest.param("bypass: 12345678x, compass=north99x", id="words-that-end-so"),
        pytest.param("auth: oauth2, AUTH=CRAM-MD5, signature: HMAC-SHA256", id="methods"),
        pytest.param("self.token = token; f(api_key=self._api_key)", id="handed-on"),
        pytest.param("token = tokens[0]; password = getpass(1)", id="called"),
        pytest.param('columns = ["username", "password", "email"]', id="names-of-columns"),
        pytest.param("--password PASSWORD or --token TOKEN to log in", id="usage"),
        pytest.param("docker run -u 1000:1000 image", id="user-of-a-container"),
        pytest.param("a cookie: small, sweet", id="cookie-to-eat"),
        pytest.param("token:\n  type: string\n", id="schema"),
        pytest.param("if password:\n    return\nf(a, token):\n    raise", id="block-of-code"),
        pytest.param("password:\n    The one to log in.\n", id="docstring"),
        pytest.param("tokens:\n  - first\nsecret:\n  - second\n", id="items-below"),
        pytest.param('if token == "END" or password == other:', id="comparison"),
        pytest.param("{'name': 'password', 'type': 'string'}", id="name-and-type"),
        pytest.param("the machine needs a login and a password for it", id="prose"),
        pytest.param("f'{token:02x}', pwd=/x", id="format"),
        pytest.param("<token>\n  <b>x</b></token>", id="elements"),
        pytest.param("ba89f0e1d2c3b4a5968778695a4b3c2d", id="md5-like-an-iban"),
        pytest.param("0000_0000_0000_0000_0000_0000_0102_032a", id="address-of-the-net"),
        pytest.param("@dataclass and x @ y, a@b", id="at"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text).text == text
    assert redact(text).counts == {}


def test_counts_say_what_was_covered_up() -> None:
    found = redact("a@b.org c@d.org password=hunter2 1234567890")
    assert found.counts == {"secret": 1, "e-mail": 2, "number": 1}


def test_these_very_secrets_are_covered_up_in_every_form() -> None:
    text = scrub("x=plain words/1 y=plain%20words%2F1", ["plain words/1"])
    assert text == "x=[secret] y=[secret]"


def test_keys_that_are_no_secret_leave_prose_alone() -> None:
    assert scrub("none of the models", ["none", ""]) == "none of the models"


HOSTILE = [
    "a", "a@", "a.", "1", "1 ", "123-", "+1", "(012 ", "sk-", "eyJ", "eyJaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----a", "password=", 'password="', "pwd='\\", "://", "://a:",
    "bearer a", "authorization:bearer ", "abcdef0123456789", "SG.", "-----", "0123-",
    "--a", "-- ", "--password ", "<", "<a", "<password>", "curl ", "curl -u a", "machine ",
    "machine a login b ", "cookie: a", "secret: |\n ", '"a', '"password",', "%40", "a%40",
    "pass=", "pass", "PIN:1", "a_", "token=a(", "password='\\", "pwd=a.", "de89", "4111.1111.",
    "4111 1111 1111 1112 ", "DE89 3704 0044 0532 0130 0",
]  # fmt: skip


@pytest.mark.parametrize("piece", [pytest.param(each, id=each[:12]) for each in HOSTILE])
def test_hostile_text_takes_no_longer_than_other(piece: str) -> None:
    began = time.process_time()
    redact(piece * (250_000 // len(piece)))
    # A pattern that goes back in the text takes minutes; a slow machine does not.
    assert time.process_time() - began < 2.0
