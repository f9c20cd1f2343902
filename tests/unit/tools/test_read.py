"""What a model reads of a tree: files with line numbers, folders, and nothing outside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools import list_files
from hypernb.tools._scope import is_secret_path
from tests.unit.tools.conftest import call

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Asked, Tree

KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\ndef\n-----END RSA PRIVATE KEY-----\n"


def context_of(root: Path) -> ToolContext:
    listing = list_files(root)
    return ToolContext(listing.root, listing.files)


def test_lines_are_numbered(asked: Asked) -> None:
    said = asked("read-file", {"a.txt": "one\r\ntwo\rthree\n"}, path="a.txt")
    assert said == "    1 one\n    2 two\n    3 three"


def test_part_of_a_file_says_what_follows(asked: Asked) -> None:
    text = "".join(f"{number}\n" for number in range(1, 11))
    said = asked("read-file", {"a.txt": text}, path="a.txt", first_line=3, last_line=4)
    assert said == "    3 3\n    4 4\n… 6 more lines; ask for lines 5-."


def test_long_file_says_which_lines_to_ask_for(asked: Asked) -> None:
    text = "".join(f"{'x' * 90} {number}\n" for number in range(1, 2_001))
    said = asked("read-file", {"a.txt": text}, path="a.txt")
    *_, last, notice = said.split("\n")
    assert len(said) <= 20_000
    assert notice.endswith(f"ask for lines {int(last.split()[-1]) + 1}-2000.")


def test_long_line_is_cut(asked: Asked) -> None:
    said = asked("read-file", {"a.js": "x" * 3_000_000}, path="a.js")
    assert said.endswith("… (2,999,000 more characters)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            {"path": "b.txt"}, "no file of the scope. Did you mean 'a.txt'", id="near"
        ),
        pytest.param({"path": "zzz"}, "list-files says what there is", id="unknown"),
        pytest.param({"path": "../a.txt"}, "no file of the scope", id="above"),
        pytest.param({"path": "/etc/passwd"}, "no file of the scope", id="absolute"),
        pytest.param({"path": "a.txt\0"}, "no file of the scope", id="nul"),
        pytest.param({"path": "a.txt", "first_line": 9}, "has 1 lines", id="past-the-end"),
        pytest.param(
            {"path": "a.txt", "first_line": 2, "last_line": 1}, "has 1 lines", id="backwards"
        ),
        pytest.param({"path": "b.bin"}, "is binary (6 bytes) and is not shown", id="binary"),
        pytest.param({"path": ".env"}, "is a file for secrets, and is not shown", id="secret"),
        pytest.param({"path": "k/id_rsa"}, "is a file for secrets", id="key"),
        pytest.param({"path": ".git/config"}, "is a file for secrets", id="git"),
    ],
)
def test_what_is_not_shown_says_why(asked: Asked, arguments: Any, said: str) -> None:
    files = {"a.txt": "one\n", "b.bin": b"ab\0cde", ".env": "A=1", "k/id_rsa": PEM}
    with pytest.raises(ToolError) as caught:
        asked("read-file", files, **arguments)
    assert said in str(caught.value)


def test_new_file_is_said_to_be_one(tree: Tree) -> None:
    root = tree({"app.py": "", ".gitignore": "*.log\n"})
    (root / "src").mkdir()
    for name in ("src/app.py", "app.log"):
        (root / name).touch()
    with pytest.raises(ToolError, match=r"'src/app\.py' is no file of the scope: git does"):
        call("read-file", context_of(root), path="src/app.py")
    with pytest.raises(ToolError, match=r"Did you mean 'app\.py'"):
        call("read-file", context_of(root), path="app.log")


def test_secrets_are_covered_up_and_lines_stay_where_they_are(asked: Asked) -> None:
    text = f"first\n{PEM}key = '{KEY}'\nlast\n"
    said = asked("read-file", {"a.py": text}, path="a.py")
    assert KEY not in said
    assert "MIIabc" not in said
    assert said.split("\n")[-1] == "    7 last"


def test_odd_bytes_and_marks_are_made_visible(asked: Asked) -> None:
    files = {"a.txt": b"ol\xe9 \x1b[31m\xe2\x80\xae\n", "b.txt": "wide".encode("utf-16")}
    said = asked("read-file", files, path="a.txt")
    assert said == "    1 ol\ufffd \\x1b[31m\\x202e"
    assert asked("read-file", files, path="b.txt") == "    1 wide"


def test_empty_file_says_so(asked: Asked) -> None:
    assert asked("read-file", {"a.txt": ""}, path="a.txt") == "a.txt is empty."


def test_links_that_lead_out_are_no_files(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    root = tree({"a.txt": "one\n"})
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    context = ToolContext(root, ("a.txt", "link.txt"))
    with pytest.raises(ToolError, match="a link that leads out of the root"):
        call("read-file", context, path="link.txt")


def test_links_that_lead_out_of_the_scope_are_no_files(tree: Tree) -> None:
    root = tree({"docs/a.md": "a\n", "private/plan.md": "plan\n"})
    (root / "docs" / "out.md").symlink_to("../private/plan.md")
    (root / "docs" / "in.md").symlink_to("a.md")
    context = ToolContext(root, ("docs/a.md", "docs/in.md", "docs/out.md"))
    with pytest.raises(ToolError, match="a link that leads out of the scope"):
        call("read-file", context, path="docs/out.md")
    assert call("read-file", context, path="docs/in.md").split() == ["1", "a"]


def test_links_to_secrets_are_not_followed(tree: Tree) -> None:
    root = tree({"a.txt": "one\n", ".env": "PLAIN=words\n"}, git=False)
    (root / "b.txt").symlink_to(".env")
    context = context_of(root)
    assert "b.txt" in context.files
    with pytest.raises(ToolError, match="is a link to a file for secrets"):
        call("read-file", context, path="b.txt")
    assert "0 matching lines" in call("search-files", context, text="words")


def test_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tree: Tree) -> None:
    root = tree({"a.txt": "one\n"})
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")
    with pytest.raises(ToolError, match="is not a plain file"):
        call("read-file", ToolContext(root, ("a.txt",)), path="a.txt")


def test_file_that_went_away_says_so(tree: Tree) -> None:
    root = tree({"a.txt": "one\n"})
    (root / "a.txt").unlink()
    with pytest.raises(ToolError, match="is not there any more"):
        call("read-file", ToolContext(root, ("a.txt",)), path="a.txt")


def test_huge_file_is_not_read_whole(tree: Tree) -> None:
    root = tree({"a.txt": "one\n"})
    with (root / "a.txt").open("r+b") as stream:
        stream.truncate(3_000_000_000)
    with pytest.raises(ToolError, match="larger than 5,000,000 bytes"):
        call("read-file", context_of(root), path="a.txt")


def test_files_are_listed_with_sizes(asked: Asked) -> None:
    files = {"a.py": "x", "src/b.py": "xy", "src/c.md": "", "src/x/d.py": "", ".env": "A=1"}
    every = asked("list-files", files)
    assert every["sizes"]["src/b.py"] == 2
    assert every["sizes"][".env"] == "for secrets, not shown"
    assert list(asked("list-files", files, folder="src/", glob="*.py")["sizes"]) == [
        "src/b.py",
        "src/x/d.py",
    ]


def test_many_files_are_counted_by_folder(asked: Asked) -> None:
    files = {f"pack/{number // 100}/f{number}.txt": "" for number in range(900)}
    said = asked("list-files", files)
    assert (said["files"], len(said["sizes"]), said["not_shown"]) == (900, 400, 500)
    assert said["folders"]["pack/3"] == 100


def test_listing_nothing_says_so(asked: Asked) -> None:
    with pytest.raises(ToolError, match=r"no file below 'src' fits '\*\.py'"):
        asked("list-files", {"a.md": ""}, folder="src", glob="*.py")


class Rows:
    """A runner that answers every question with the same rows."""

    def query(self, sql: str, *, limit: int = 100) -> tuple[list[str], list[list[Any]]]:
        return ["sql", "limit"], [[sql, limit], [f"key {KEY}", None]]


def test_store_is_asked_through_the_runner() -> None:
    context = ToolContext(Path("/"), (), services=Rows())  # type: ignore[arg-type]
    said = call("query-store", context, sql="select 1", limit=5)
    assert said["columns"] == ["sql", "limit"]
    assert said["rows"] == [["select 1", 5], ["key [secret]", None]]


def test_without_a_runner_there_is_no_store() -> None:
    with pytest.raises(ToolError, match="there is no runner"):
        call("query-store", ToolContext(Path("/"), ()), sql="select 1")


FOR_SECRETS = [
    ".env",
    ".ENV",
    ".env.local",
    ".env-prod",
    ".env_prod",
    ".envrc",
    "prod.env",
    ".env~",
    ".env.bak",
    ".dev.vars",
    "netrc",
    "_netrc",
    "id_rsa",
    "id_rsa.old",
    "id_ed25519_work",
    "id_ed25519_sk",
    ".SSH/config",
    "server.key.bak",
    "kubeconfig",
    "kubeconfig.yaml",
    "prod-kubeconfig.yml",
    "terraform.tfvars",
    "prod.auto.tfvars.json",
    "terraform.tfstate.backup",
    ".secrets.toml",
    "app-secrets.json",
    "credentials.json.bak",
    ".credentials",
    "gcp-service-account-1.json",
    ".vault-token",
    ".my.cnf",
    ".git-credentials",
]
FOR_ANYBODY = [
    ".env.example",
    ".env-example",
    "env.py",
    "id_rsa.pub",
    "id_ed25519_work.pub",
    "credentials.py",
    "secrets.py",
    "docs/secrets.md",
    "kubeconfig.py",
    "netrc.py",
    "main.tf",
    "tokens.json",
    "monkey.txt",
    "test_secrets.py",
]


@pytest.mark.parametrize("path", FOR_SECRETS)
def test_names_that_are_made_for_secrets_are_known(path: str) -> None:
    assert is_secret_path(path)
    assert is_secret_path(f"deep/down/{path}")


@pytest.mark.parametrize("path", FOR_ANYBODY)
def test_names_that_only_sound_like_secrets_are_shown(path: str) -> None:
    assert not is_secret_path(path)
