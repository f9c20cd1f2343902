"""Settings, environment, frames, capture and log."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.clock import SystemClock
from hypernb.engine import RunnerSettings, read_log
from hypernb.engine._attempt import _needed
from hypernb.engine._body import describe, in_scope, within
from hypernb.engine._capture import Allowance, Capture
from hypernb.engine._environment import looks_secret, scrubbed, without
from hypernb.engine._frames import Unpacker, pack
from hypernb.engine._log import close_log, log_file, open_log
from hypernb.engine.guard import watch
from hypernb.errors import ConfigError
from hypernb.model import AgentWork, Digest, Grant, PlanSpec, TaskSpec

if TYPE_CHECKING:
    from pathlib import Path


# -- settings ----------------------------------------------------------------------------


def test_settings_are_read_from_the_environment() -> None:
    settings = RunnerSettings.from_env({"HYPERNB_WORKERS": "3", "HYPERNB_IDLE_S": " 1.5 "})
    assert (settings.workers, settings.idle_s) == (3, 1.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("CONCURRENCY", "0", id="too-low"),
        pytest.param("CONCURRENCY", "2.5", id="not-whole"),
        pytest.param("IDLE_S", "soon", id="not-a-number"),
        pytest.param("GRACE_S", "nan", id="nan"),
        pytest.param("EXECUTOR", "cloud", id="no-such-executor"),
    ],
)
def test_setting_without_meaning_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=value.replace(".", r"\.")):
        RunnerSettings.from_env({f"HYPERNB_{name}": value})


def test_system_clock_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is not None
    assert clock.monotonic() <= clock.monotonic()


# -- materials ---------------------------------------------------------------------------


def test_variable_that_a_model_sees_is_the_one_that_was_approved() -> None:
    work = AgentWork(model="default", variables={"df": Grant()})
    task = TaskSpec(name="look", agent="qa-engineer", needs=("df", "fit"), work=work)
    plan = PlanSpec(goal="Look", tasks=(task,), inputs={"df": "0" * 64})
    outputs = {"df": Digest("1" * 64), "fit": Digest("2" * 64)}
    assert _needed(task, plan, outputs) == {"df": "0" * 64, "fit": "2" * 64}


# -- environment -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "held",
    [
        pytest.param("--token=one-of/these-keys", id="as-it-is"),
        pytest.param(
            "Basic " + b64encode(b":one-of/these-keys").decode(), id="as-a-header-has-it"
        ),
        pytest.param(r'{"k": "one\u002dof\/these-keys"}', id="in-json"),
        pytest.param("https://x.example/?k=one%2Dof%2Fthese%2Dkeys", id="in-an-address"),
        pytest.param(b"one-of/these-keys".hex(), id="in-digits"),
    ],
)
def test_variable_that_holds_a_key_is_not_handed_on(held: str) -> None:
    environ = {"GATEWAY": held, "PATH": "/bin", "OTHER": "one-of-those-keys"}
    kept = without({"MY_KEY": "one-of/these-keys"}, environ)
    assert kept == {"PATH": "/bin", "OTHER": "one-of-those-keys"}


def test_key_that_is_too_short_to_be_a_secret_takes_only_its_own_variable_away() -> None:
    environ = {"MY_KEY": "b", "PATH": "/bin", "SHELL": "/bin/bash"}
    assert without({"MY_KEY": "b"}, environ) == {"PATH": "/bin", "SHELL": "/bin/bash"}


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "my_secret_thing",
        "DB_PASSWORD",
        "AWS_PROFILE",
        "PGPASSWORD",
        "DJANGO_SECRET_KEY",
        "SENTRY_DSN",
    ],
)
def test_secret_names_are_seen(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["PATH", "HOME", "PWD", "LANG", "VIRTUAL_ENV", "KEYBOARD"])
def test_harmless_names_are_kept(name: str) -> None:
    assert not looks_secret(name)


def test_urls_with_passwords_are_scrubbed() -> None:
    secret = "".join(["s3", "cret"])
    environ = {"INDEX": f"https://ana:{secret}@host/simple", "PLAIN": "https://host/simple"}
    assert scrubbed(environ) == {"PLAIN": "https://host/simple"}


# -- frames ------------------------------------------------------------------------------


@given(
    frames=st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=200)), max_size=8),
    cut=st.integers(1, 97),
)
def test_frames_survive_any_cutting(frames: list[tuple[str, bytes]], cut: int) -> None:
    stream = b"".join(pack({"kind": text}, body) for text, body in frames)
    unpacker = Unpacker()
    pieces = [stream[at : at + cut] for at in range(0, len(stream), cut)]
    found = [(head["kind"], body) for piece in pieces for head, body in unpacker.feed(piece)]
    assert found == frames


# -- what is printed ---------------------------------------------------------------------


def test_allowance_cuts_between_characters() -> None:
    allowance = Allowance(4)
    assert (allowance.take("aéé"), allowance.take("b")) == ("aé", "")
    assert allowance.dropped_bytes == 3


def test_capture_is_a_text_stream_with_bytes_below() -> None:
    capture = Capture(100)
    print("text", file=capture, flush=True)
    capture.buffer.write(b"bytes")
    capture.writelines([" and", " lines"])
    assert capture.collect() == "text\nbytes and lines"
    assert (capture.collect(), capture.restart(), capture.writable()) == ("", 0, True)


def test_capture_starts_afresh_for_each_task() -> None:
    capture = Capture(3)
    capture.write("abcdef")
    assert capture.restart() == 3
    capture.write("ghi")
    assert capture.collect() == "ghi"


# -- what is raised ----------------------------------------------------------------------


def throw(error: BaseException) -> None:
    raise error


def raised(error: BaseException) -> tuple[str, str, str]:
    try:
        throw(error)
    except BaseException as caught:  # noqa: BLE001 - the point
        return describe(caught)
    raise AssertionError("nothing was raised")


def test_exception_is_described_with_its_code() -> None:
    kind, detail, traceback = raised(ValueError("no rows"))
    assert (kind, detail) == ("ValueError", "no rows")
    assert "test_engine_pieces.py" in traceback


def test_huge_message_is_cut() -> None:
    _, detail, _ = raised(ValueError("x" * 1_000_000))
    assert len(detail) < 5_000
    assert "characters left out" in detail


def test_message_that_cannot_be_written_is_replaced() -> None:
    _, detail, _ = raised(ValueError("a\0b\ud800c"))
    assert detail == "a\\0b?c"


@pytest.mark.parametrize("scope", [(), (".",), ("./",), ("",)])
def test_empty_scope_allows_all(scope: tuple[str, ...]) -> None:
    assert within(["a.py", "b/c.py"], scope) == ("a.py", "b/c.py")


def test_links_out_of_the_scope_are_not_in_it(tmp_path: Path) -> None:
    for name in ("docs/a.md", "private/plan.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    (tmp_path / "docs" / "out.md").symlink_to("../private/plan.md")
    (tmp_path / "docs" / "in.md").symlink_to("a.md")
    files = ("docs/a.md", "docs/in.md", "docs/out.md", "private/plan.md")
    assert in_scope(tmp_path, files, ("docs/**",)) == ("docs/a.md", "docs/in.md")
    assert in_scope(tmp_path, files, ()) == files


def test_scope_is_no_prefix_of_names() -> None:
    assert within(["src/a.py", "src2/b.py"], ("src",)) == ("src/a.py",)


# -- log and guard -----------------------------------------------------------------------


def test_log_is_read_back_by_mission(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'h.db'}"
    log = open_log(url, runner="R")
    log.info("first", extra={"mission": "A", "short_id": "m-1"})
    log.warning("second %d", 2, extra={"mission": "B", "short_id": "m-2"})
    try:
        throw(OSError("disk"))
    except OSError:
        log.exception("third")
    close_log(log)
    path = log_file(url)
    assert path is not None
    with path.open("a") as file:
        file.write('{"half a li')
    everything = read_log(url)
    assert [entry["message"] for entry in everything] == ["first", "second 2", "third"]
    assert [entry["message"] for entry in read_log(url, "m-2")] == ["second 2"]
    assert "disk" in everything[2]["traceback"]


def test_log_without_a_folder_is_silent(tmp_path: Path) -> None:
    (tmp_path / "h.db.logs").write_text("in the way")
    url = f"sqlite:///{tmp_path / 'h.db'}"
    log = open_log(url, runner="R")
    log.info("nobody hears")
    close_log(log)
    assert read_log(url) == []


def test_guard_forgets_groups_that_have_ended() -> None:
    watch(io.BytesIO(b"+999999999\n+4\n-4\n"))
