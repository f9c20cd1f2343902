"""Programs run in a clean environment, and nothing of them is left."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from hypernb.errors import ToolAbsentError, ToolError
from hypernb.tools import _process, python_module, run_process

if TYPE_CHECKING:
    from pathlib import Path


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_and_exit_code_are_kept(tmp_path: Path) -> None:
    code = "import sys; print('ü'); print('no', file=sys.stderr); sys.exit(3)"
    done = run_process(python(code), cwd=tmp_path, timeout_s=20, allowed_exit=(3,))
    assert (done.stdout, done.stderr, done.exit_code) == ("ü\n", "no\n", 3)


def test_bytes_of_output_are_kept(tmp_path: Path) -> None:
    code = r"import sys; sys.stdout.buffer.write(b'\xff\0')"
    assert run_process(python(code), cwd=tmp_path, timeout_s=20).raw == b"\xff\0"


def test_absent_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolAbsentError, match="no-such-program did not run"):
        run_process(["no-such-program"], cwd=tmp_path, timeout_s=20)


def test_absent_module_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolAbsentError, match="no_such_module did not run"):
        run_process(python_module("no_such_module"), cwd=tmp_path, timeout_s=20)


def test_failure_carries_the_programs_words(tmp_path: Path) -> None:
    code = "import sys; sys.exit('the disk is on fire')"
    with pytest.raises(ToolError, match="exit code 1: the disk is on fire"):
        run_process(python(code), cwd=tmp_path, timeout_s=20)


def test_signal_is_named(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(ToolError, match="signal SIGKILL"):
        run_process(python(code), cwd=tmp_path, timeout_s=20)


def test_missing_directory_is_no_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="working directory") as caught:
        run_process(python("pass"), cwd=tmp_path / "gone", timeout_s=20)
    assert not isinstance(caught.value, ToolAbsentError)


def test_timeout_ends_the_whole_tree(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, threading\n"
        "wait = [sys.executable, '-c', 'import threading; threading.Event().wait()']\n"
        "near = subprocess.Popen(wait)\n"
        "far = subprocess.Popen(wait, start_new_session=True)\n"
        f"open({str(told)!r}, 'w').write(f'{{near.pid}} {{far.pid}} {{os.getpid()}}')\n"
        "threading.Event().wait()\n"
    )
    with pytest.raises(ToolError, match="not done after 2 s"):
        run_process(python(code), cwd=tmp_path, timeout_s=2)
    assert not _alive(told.read_text().split())


def test_background_processes_end_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "wait = [sys.executable, '-c', 'import threading; threading.Event().wait()']\n"
        "print(subprocess.Popen(wait).pid)\n"
    )
    done = run_process(python(code), cwd=tmp_path, timeout_s=20)
    assert not _alive(done.stdout.split())


def test_program_ends_with_its_parent(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux ties a program to its parent")
    told = tmp_path / "pid"
    inner = f"import os,threading; open({str(told)!r},'w').write(str(os.getpid())); "
    inner += "threading.Event().wait()"
    outer = (
        "import os, signal, sys, threading\n"
        "from pathlib import Path\n"
        "from hypernb.tools import run_process\n"
        "def die_once_told():\n"
        f"    path = Path({str(told)!r})\n"
        "    if path.exists() and path.read_text():\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run_process([sys.executable, '-c', {inner!r}], cwd=Path({str(tmp_path)!r}),\n"
        "            timeout_s=20, pulse=die_once_told)\n"
    )
    with pytest.raises(ToolError, match="SIGKILL"):
        run_process(python(outer), cwd=tmp_path, timeout_s=30)
    assert not _alive([told.read_text()])


def test_secrets_of_the_environment_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("RUFF_OUTPUT_FILE", str(tmp_path / "out"))
    code = "import os; print(sorted(os.environ))"
    said = run_process(python(code), cwd=tmp_path, timeout_s=20, env_extra={"GIVEN": "1"})
    assert "OPENAI_API_KEY" not in said.stdout
    assert "RUFF_OUTPUT_FILE" not in said.stdout
    assert "GIVEN" in said.stdout


def test_module_of_the_tree_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "ruff.py").write_text("raise SystemExit('somebody else ran')")
    (tmp_path / "json.py").write_text("raise SystemExit('somebody else ran')")
    done = run_process(python_module("ruff", "--version"), cwd=tmp_path, timeout_s=20)
    assert done.stdout.startswith("ruff ")


def test_endless_output_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "OUTPUT_LIMIT_BYTES", 100_000)
    with pytest.raises(ToolError, match="wrote more than 100,000 bytes"):
        run_process(python("while True: print('y' * 1000)"), cwd=tmp_path, timeout_s=20)


def test_pulse_beats_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_process, "_PULSE_S", 0.01)
    beaten = threading.Event()
    mark = tmp_path / "mark"

    def pulse() -> None:
        beaten.set()
        mark.touch()

    code = f"import os\nwhile not os.path.exists({str(mark)!r}): pass"
    run_process(python(code), cwd=tmp_path, timeout_s=20, pulse=pulse)
    assert beaten.is_set()


def _alive(pids: list[str]) -> list[int]:
    # Whoever was killed may be a zombie until init collects it.
    alive = []
    for pid in map(int, pids):
        try:
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                process.wait(timeout=5)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            alive.append(pid)
    return alive
