from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

HEAD = "-----BEGIN RSA PRIVATE" + " KEY-----\n"
KEY = f"{HEAD}c2VjcmV0\n-----END RSA PRIVATE" + " KEY-----\n"
VALUE = "hunter22hunter22"


def test_clean_tree_has_no_findings(ran: Ran) -> None:
    run = ran(
        "ignored-secrets",
        {
            ".gitignore": ".env\n",
            ".env.example": "API_KEY=\n",
            ".env": "SMTP_PASSWORD=\nFROM=a@b.example\nAPI_KEY=${API_KEY}\nTOKEN=changeme\n",
            "ca.pem": "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
            "map.key": "legend",
            ".npmrc": "//r.example/:_authToken=${NPM_TOKEN}\nsave-exact=true\n",
            "credentials.json": '{"client_secret": "<your secret>"}',
        },
    )

    assert run.findings == ()
    assert run.checked == 7


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("id_rsa", KEY, id="key"),
        pytest.param("deploy/a.pem", KEY, id="pem"),
        pytest.param(".env", f"API_KEY={VALUE}\n", id="env"),
        pytest.param(
            ".env.production", f"DATABASE_URL=postgres://u:{VALUE}@h/d\n", id="address"
        ),
        pytest.param(
            "credentials.json", f'{{"web": {{"client_secret": "{VALUE}"}}}}', id="json"
        ),
        pytest.param(".npmrc", f"//r.example/:_authToken={VALUE}\n", id="npm"),
        pytest.param(".pypirc", f"[pypi]\npassword = {VALUE}\n", id="pypi"),
        pytest.param(".netrc", f"machine h login u password {VALUE}\n", id="netrc"),
    ],
)
def test_tracked_secret_is_found_and_not_shown(ran: Ran, name: str, text: str) -> None:
    run = ran("ignored-secrets", {name: text})

    assert [(each.file, each.rule, each.severity) for each in run.findings] == [
        (name, "tracked-secret", Severity.HIGH)
    ]
    assert VALUE not in run.model_dump_json()
    assert "c2VjcmV0" not in run.model_dump_json()


def test_key_of_a_test_weighs_less(ran: Ran) -> None:
    run = ran("ignored-secrets", {"tests/server.key": KEY})

    assert [each.severity for each in run.findings] == [Severity.LOW]


def test_env_that_is_not_ignored_is_named(ran: Ran) -> None:
    run = ran("ignored-secrets", {".env.example": "A=\n", ".gitignore": "*.pyc\n"})

    assert [(each.file, each.rule) for each in run.findings] == [
        (".gitignore", "env-not-ignored")
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\0" * 1_000, id="binary"),
        pytest.param(b"A_TOKEN=" + b" " * 150_000, id="spaces"),
        pytest.param(b"{" * 100_000, id="deep-nesting"),
        pytest.param(b"x" * 5_000_000, id="five-megabyte-line"),
    ],
)
def test_hostile_file_never_ends_it(ran: Ran, content: bytes) -> None:
    names = (".env", "credentials.json", "id_rsa", ".npmrc", ".pypirc", ".netrc")

    run = ran("ignored-secrets", dict.fromkeys(names, content))

    assert run.status is RunStatus.RAN
    assert run.findings == ()
