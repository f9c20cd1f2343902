from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

CLEAN_DOCKERFILE = """# syntax=docker/dockerfile:1
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS build
ARG TOKEN
RUN apt-get update \\
    # what the build needs
    && apt-get install -y --no-install-recommends gcc \\
    && rm -rf /var/lib/apt/lists/*
COPY . /src
ADD https://x.example/a.tar.gz /opt/
FROM build
ENV TOKENIZERS_PARALLELISM=false PASSWORD_FILE=/run/secrets/password
USER app
CMD ["python"]
"""
CLEAN_COMPOSE = """services:
  web:
    build: .
    image: web
    environment:
      DB_PASSWORD: ${DB_PASSWORD}
      DEBUG: "1"
  db:
    image: postgres:17
    environment: [POSTGRES_PASSWORD_FILE=/run/secrets/db]
"""


def docker(body: str, image: str = "python:3.12", end: str = "USER app\n") -> dict[str, str]:
    return {"Dockerfile": f"FROM {image}\n{body}\n{end}", ".dockerignore": ".git\n"}


def compose(service: str) -> dict[str, str]:
    return {"compose.yml": f"services:\n  web:\n    {service}\n"}


def test_clean_files_have_no_findings(ran: Ran) -> None:
    run = ran(
        "containers",
        {
            "Dockerfile": CLEAN_DOCKERFILE,
            "docker-compose.yml": CLEAN_COMPOSE,
            ".dockerignore": ".git\n",
        },
    )

    assert run.findings == ()
    assert run.checked == 2


@pytest.mark.parametrize(
    ("files", "rule", "line"),
    [
        pytest.param(docker("", "python"), "unpinned-image", 1, id="no-tag"),
        pytest.param(docker("", "a.example:5000/x:latest"), "unpinned-image", 1, id="latest"),
        pytest.param(docker("CMD x", end=""), "runs-as-root", 1, id="no-user"),
        pytest.param(docker("USER root", end=""), "runs-as-root", 2, id="root"),
        pytest.param(docker("ADD a b"), "add-local-file", 2, id="add"),
        pytest.param(docker("ENV API_KEY=abcdefgh"), "secret-in-image", 2, id="env"),
        pytest.param(docker("ARG DB_PASSWORD=hunter22"), "secret-in-image", 2, id="arg"),
        pytest.param(docker("RUN apt-get install gcc"), "bulky-apt-install", 2, id="apt"),
        pytest.param(
            {"Dockerfile": "FROM a:1\nCOPY . /a"}, "no-dockerignore", 2, id="copy-all"
        ),
        pytest.param(compose("image: x"), "unpinned-image", 3, id="compose-tag"),
        pytest.param(compose("privileged: true"), "privileged-container", 3, id="privileged"),
        pytest.param(compose("network_mode: host"), "host-network", 3, id="host-network"),
        pytest.param(
            compose("environment: [DB_PASSWORD=hunter22]"), "plain-password", 3, id="password"
        ),
        pytest.param({"compose.yml": "a: [1\nb: 2"}, "yaml-error", 2, id="no-yaml"),
    ],
)
def test_each_problem_is_found(ran: Ran, files: dict[str, str], rule: str, line: int) -> None:
    run = ran("containers", files)

    assert [(each.rule, each.line) for each in run.findings] == [(rule, line)]


def test_secret_value_is_never_shown(ran: Ran) -> None:
    run = ran("containers", docker("ENV API_KEY=hunter22hunter22"))

    assert "hunter22" not in run.model_dump_json()


def test_earlier_stages_are_not_shipped(ran: Ran) -> None:
    text = "FROM a:1 AS build\nRUN apt-get install gcc\nFROM b:1\nUSER app\nCMD x\n"

    assert ran("containers", {"Dockerfile": text}).findings == ()


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param(BOMB.encode() + b"services: *t\n", id="alias-bomb"),
        pytest.param(b"services: &s\n  web: *s\n", id="alias-of-itself"),
        pytest.param(b"[" * 5_000, id="deep-nesting"),
        pytest.param(b"x: " + b"y" * 5_000_000, id="five-megabyte-line"),
        pytest.param(b"services: !!python/object/apply:os.system [false]\n", id="tag"),
        pytest.param(b"services:\n  - web\n  - [1, 2]\n", id="other-shape"),
        pytest.param(b"\xff\xfeservices", id="no-encoding"),
        pytest.param(b"", id="empty"),
    ],
)
def test_hostile_compose_never_ends_it(ran: Ran, content: bytes) -> None:
    run = ran("containers", {"compose.yml": content, "docker-compose.yml": CLEAN_COMPOSE})

    assert run.status is RunStatus.RAN


def test_hostile_dockerfile_never_ends_it(ran: Ran) -> None:
    text = "FROM a:1\nRUN <<EOF\nnever ends\nENV 'x\n" + "\\\n" * 10_000

    assert ran("containers", {"Dockerfile": text, "b.Dockerfile": "\\\n"}).findings == ()


def test_tree_without_containers_has_nothing_to_check(ran: Ran) -> None:
    assert ran("containers", {"a.py": ""}).status is RunStatus.NOTHING_TO_CHECK
