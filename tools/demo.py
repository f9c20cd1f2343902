"""Show what hypernb does: audit this repository, then execute the first notebook.

Run by ``make demo``. No key is read and no network is used; what comes out lies in
``build/demo``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hypernb.views.words import duration

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "demo"
NOTEBOOK = ROOT / "notebooks" / "01-first-mission.ipynb"
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "GEMINI_API_KEY")
SEVERITIES = ("critical", "high", "medium", "low")


def environment() -> dict[str, str]:
    """Return the environment for the demo: its own store, and no key of the user's."""
    kept = {name: value for name, value in os.environ.items() if name not in KEYS}
    return kept | {"HYPERNB_DB": str(OUT / "hypernb.db")}


def audit(env: dict[str, str]) -> dict[str, Any]:
    """Run the audit with live progress, and return what it wrote."""
    target = OUT / "audit.json"
    target.unlink(missing_ok=True)
    command = ["run", "repo-audit", ".", "--yes", "--json", str(target.relative_to(ROOT))]
    print(f"$ hypernb {' '.join(command)}", flush=True)
    # The script beside the interpreter is what a user would start; PATH may name another one.
    program = Path(sys.executable).with_name("hypernb")
    done = subprocess.run([program, *command], check=False, cwd=ROOT, env=env)
    if done.returncode != 0 or not target.exists():
        sys.exit(f"The audit ended with exit code {done.returncode}; its message is above.")
    outcome: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return outcome


def table(outcome: dict[str, Any]) -> str:
    """Lay out the findings by specialist and severity, and how far each could look."""
    counts = Counter((found["agent"], found["severity"]) for found in outcome["findings"])
    words: dict[str, list[str]] = {}
    for task in outcome["tasks"]:
        words.setdefault(task["agent"], []).append(task.get("outcome") or task["status"])
    for agent, _ in sorted(counts):
        words.setdefault(agent, [])
    rows: list[tuple[str, ...]] = [("specialist", *SEVERITIES, "all", "outcome")]
    for agent, outcomes in words.items():
        row = [counts[agent, severity] for severity in SEVERITIES]
        said = ", ".join(dict.fromkeys(outcomes))
        rows.append((agent, *(str(number) for number in row), str(sum(row)), said))
    total = [sum(counts[agent, severity] for agent in words) for severity in SEVERITIES]
    rows.append(("all", *(str(number) for number in total), str(sum(total)), ""))
    width = max(len(row[0]) for row in rows)
    lines = [
        f"  {name:{width}}{''.join(f'{cell:>10}' for cell in cells)}  {said}".rstrip()
        for name, *cells, said in rows
    ]
    # The mission's own time, as every view tells it: the command takes some seconds more.
    took = duration(outcome["took_s"])
    title = f"Mission {outcome['mission']} {outcome['status']} after {took}. Findings:"
    return "\n".join([title, *lines])


def blind_spots(outcome: dict[str, Any]) -> list[str]:
    """Name the tools that did not run, so that nobody takes silence for a clean result."""
    return [
        f"  {task['agent']}: {run['tool']} did not run: {run['reason']}"
        for task in outcome["tasks"]
        for run in task.get("tools", [])
        if run["status"] == "did_not_run"
    ]


def execute_notebook(env: dict[str, str]) -> Path:
    """Execute the first notebook from top to bottom and keep it as a page."""
    page = OUT / f"{NOTEBOOK.stem}.html"
    command = [
        *(sys.executable, "-m", "nbconvert", "--to", "html", "--execute", str(NOTEBOOK)),
        *("--output-dir", str(OUT), "--output", page.name, "--log-level", "WARN"),
    ]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=env | {"HYPERNB_HEADLESS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{NOTEBOOK.relative_to(ROOT)} could not be executed:\n{done.stderr}")
    return page


def main() -> None:
    """Audit, count, execute, and say where everything is."""
    OUT.mkdir(parents=True, exist_ok=True)
    env = environment()
    outcome = audit(env)
    print(f"\n{table(outcome)}")
    for line in dict.fromkeys(blind_spots(outcome)):
        print(line)
    for number, item in enumerate(outcome["sprint"], start=1):
        print(f"  Proposed {number}: {item['title']} ({item['agent']})")
    print(f"\nExecuting {NOTEBOOK.relative_to(ROOT)} ...", flush=True)
    page = execute_notebook(env)
    print(f"The notebook, executed, is a page now: {page.relative_to(ROOT)}")
    print(
        "The whole outcome is in build/demo/audit.json, the history in build/demo/hypernb.db."
    )
    print("To work with it yourself in JupyterLab: make lab")
    show = f"HYPERNB_DB=build/demo/hypernb.db .venv/bin/hypernb show {outcome['mission']}"
    print(f"In a terminal: {show}")


if __name__ == "__main__":
    main()
