"""A mission as one file: notebook, markdown, HTML, JSON, or its plan alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.errors import PathError, UnknownNameError
from hypernb.model import Report, short_id
from hypernb.session._answers import result_as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.session._mission import Mission

BY_SUFFIX: Final = {".ipynb": "notebook", ".md": "markdown", ".html": "html", ".json": "json"}
SUFFIXES: Final = {form: suffix for suffix, form in BY_SUFFIX.items()} | {"plan": ".json"}


def export(mission: Mission, target: Path | str, *, form: str = "") -> Path:
    """Write the mission; see `Mission.export`."""
    path = Path(target).expanduser()
    chosen = form or BY_SUFFIX.get(path.suffix.lower(), "")
    if chosen not in FORMS:
        raise UnknownNameError("form of export", form or path.suffix or path.name, FORMS)
    if path.is_dir():
        path = path / f"{mission.id}{SUFFIXES[chosen]}"
    text = FORMS[chosen](mission)
    try:
        path.write_bytes(text)
    except OSError as error:
        raise PathError(
            str(path), f"cannot be written: {error.strerror}", hint="Name another file."
        ) from error
    return path


def as_json(mission: Mission) -> dict[str, Any]:
    """Return the mission as JSON values: the shape that ``hypernb run --json`` writes."""
    snapshot = mission.snapshot(events=0)
    report = mission.report()
    store = mission.session.store
    return {
        "mission": mission.id,
        "status": snapshot.mission.state.value,
        "goal": snapshot.mission.goal,
        "error": snapshot.mission.error,
        "root": snapshot.mission.root,
        "playbook": snapshot.mission.playbook,
        "plan_hash": snapshot.mission.plan_hash,
        "started_at": snapshot.mission.started_at,
        "finished_at": snapshot.mission.finished_at,
        "took_s": snapshot.mission.took_s(),
        "cost": snapshot.mission.cost,
        "calls_without_cost": mission.outlook(snapshot.plan).unknown,
        "result": result_as_json(store, snapshot),
        "tasks": [
            {
                "name": task.name,
                "agent": task.agent,
                "status": task.state.value,
                "outcome": task.outcome,
                "note": task.note,
                "error": task.error,
                "attempts": task.attempt,
                "worked_s": round(task.worked_s, 3),
                "findings": task.findings,
                "tools": _tools(mission, task.name),
            }
            for task in snapshot.tasks
        ],
        "findings": [finding.model_dump(mode="json") for finding in snapshot.findings],
        "sprint": [item.model_dump(mode="json") for item in report.sprint] if report else [],
    }


def _tools(mission: Mission, task: str) -> list[dict[str, Any]]:
    handle = mission.tasks.called(task)
    output = handle.output if handle.record.outcome and handle.record.output else None
    if not isinstance(output, Report):
        return []
    wanted = {"tool", "status", "reason", "version", "command", "settings", "checked"}
    return [
        run.model_dump(mode="json", include=wanted) | {"findings": len(run.findings)}
        for run in output.own().runs
    ]


def _json(mission: Mission) -> bytes:
    facts = as_json(mission)
    facts["plan"] = mission.plan.model_dump(mode="json")
    facts["events"] = [dataclasses.asdict(event) for event in _all_events(mission)]
    calls = mission.session.store.calls(mission.record.id)
    if calls:
        # What was said is not among them, only where it is kept.
        facts["calls"] = [dataclasses.asdict(call) for call in calls]
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)


def _plan(mission: Mission) -> bytes:
    return orjson.dumps(
        mission.plan.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    )


def _html(mission: Mission) -> bytes:
    from hypernb.views import mission_html, page

    snapshot, report, outlook = (
        mission.snapshot(events=500),
        mission.report(),
        mission.outlook(),
    )
    body = mission_html(snapshot, live=False, result=report, outlook=outlook)
    return page(f"{mission.id}: {mission.goal[:80]}", body).encode("utf-8", "replace")


def _markdown(mission: Mission) -> bytes:
    from hypernb.views import mission_markdown

    return mission_markdown(mission.snapshot(events=500), result=mission.report()).encode(
        "utf-8", "replace"
    )


def _notebook(mission: Mission) -> bytes:
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    from hypernb.views import mission_html, mission_text

    snapshot, report, outlook = (
        mission.snapshot(events=500),
        mission.report(),
        mission.outlook(),
    )
    looks = {
        "text/html": mission_html(snapshot, live=False, result=report, outlook=outlook),
        "text/plain": mission_text(snapshot, result=report, outlook=outlook),
    }
    shown = new_code_cell(
        f"%load_ext hypernb\n%hyper show {mission.id}",
        outputs=[new_output("display_data", data=looks)],
    )
    cells = [
        new_markdown_cell(_markdown(mission).decode()),
        shown,
        new_code_cell(f"result = %hyper result {mission.id}"),
    ]
    # Ids by position, so that exporting the same mission twice gives the same file.
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"{short_id(snapshot.mission.number)}-{number}"
    book = new_notebook(cells=cells)
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return str(nbformat.writes(book)).encode("utf-8", "replace")


def _all_events(mission: Mission) -> list[Any]:
    events: list[Any] = []
    while batch := mission.events(after=events[-1].seq if events else 0):
        events.extend(batch)
    return events


FORMS: Final[dict[str, Callable[[Mission], bytes]]] = {
    "notebook": _notebook,
    "markdown": _markdown,
    "html": _html,
    "json": _json,
    "plan": _plan,
}


def forms() -> dict[str, str]:
    """Return the forms that a mission can be written in, each with the ending of its file."""
    return {form: SUFFIXES[form] for form in FORMS}
