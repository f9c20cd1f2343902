"""A mission from a cell: proposed, approved, watched and taken, with and without a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Any

    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(90)


def test_cell_returns_at_once_and_view_follows(reading: Desk, reader: Kernel) -> None:
    proposed = reader.ok("%%hyper --playbook read-file text.txt")
    assert "Nothing runs until you approve it" in proposed.text
    reader.ok("_.approve()")
    reading.text.write_text("hello")
    last = reader.later(lambda m: "Succeeded" in _text(m))
    assert last["msg_type"] == "update_display_data"
    [shown] = proposed.of("display_data")
    assert last["content"]["transient"] == shown["content"]["transient"]


def test_cell_that_is_run_again_names_the_mission_that_still_waits(
    reading: Desk, reader: Kernel
) -> None:
    first = reader.ok("%%hyper --playbook read-file text.txt")
    said = f"{reading.newest} with the same plan still waits for you"
    again = reader.ok("%%hyper --playbook read-file text.txt")
    other = reader.ok("%%hyper --playbook read-file other.txt")
    assert "with the same plan" not in first.text + other.text
    assert said in again.text


def test_all_cells_share_one_view_and_end_static(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    first = reader.ok("%hyper run read-file text.txt")
    reader.ok(f"%hyper approve {reading.newest}")
    waited = reader.ok("%hyper wait")
    shown = {m["content"]["transient"]["display_id"] for m in _displays(first, waited)}
    last = waited.of("update_display_data")[-1:] or waited.of("display_data")
    assert len(shown) == 1
    assert "Succeeded" in _text(last[0])
    assert "<script" not in last[0]["content"]["data"]["text/html"]


def test_result_is_returned_and_bound(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    reader.ok("%%hyper --playbook read-file text.txt --yes --wait --out shouted")
    assert reader.ok("shouted").value == "'HELLO'"
    assert reader.ok("%hyper result").value == "'HELLO'"
    reader.ok("%hyper result --out again")
    assert reader.ok("again, _.upper()").value == "('HELLO', 'HELLO')"


def test_out_is_filled_after_the_cell(reading: Desk, reader: Kernel) -> None:
    reader.ok("%%hyper --playbook read-file text.txt --yes --out shouted")
    assert f"Mission {reading.newest}" in reader.ok("repr(shouted)").value
    reading.text.write_text("hello")
    reader.ok("%hyper wait")
    reader.ok("[t.join(9) for t in threading.enumerate() if 'result of' in t.name]")
    assert reader.ok("shouted").value == "'HELLO'"


def test_variables_are_handed_in(reader: Kernel) -> None:
    reader.ok(
        "import pandas as pd\n"
        "frame = pd.DataFrame({'a': range(50), 'same': 1, 'twice': range(0, 100, 2)})\n"
        "frame.loc[:20, 'a'] = None"
    )
    reader.ok("%%hyper --playbook data-profile --in frame --out report --yes --wait")
    categories = "categories = sorted({each.category for each in report.findings}); categories"
    assert "'constant', 'correlation'" in reader.ok(categories).value
    known = (
        "each = %hyper ls\ncategories == sorted({each.category for each in each[0].findings})"
    )
    assert reader.ok(known).value == "True"


def test_kernel_without_person_needs_approval(reading: Desk, reader: Kernel) -> None:
    cell = reader.run("%%hyper --playbook read-file text.txt", person=False)
    assert cell.error.startswith(f"ApprovalError: Mission {reading.newest} waits for approval")
    assert "--approve plan.json" in cell.error
    assert "What you allow" in cell.text
    assert reader.run("%hyper wait", person=False).error.startswith("ApprovalError")


def test_kernel_without_person_blocks_until_done(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    cell = reader.ok("%%hyper --playbook read-file text.txt --yes", person=False)
    assert "Succeeded" in cell.text
    assert reader.ok("_.state.value", person=False).value == "'succeeded'"


def test_exported_plan_approves_the_same_plan_only(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    reader.ok("%%hyper --playbook read-file text.txt")
    reader.ok(f"%hyper export {reading.newest} plan.json --form plan")
    reader.ok("%%hyper --playbook read-file text.txt --approve plan.json", person=False)
    other = reader.run("%%hyper --playbook read-file b.txt --approve plan.json", person=False)
    assert other.error.startswith("ApprovalError")
    assert reader.run("%hyper result").error.startswith("NotFinishedError")


def test_failed_mission_fails_the_cell(reading: Desk, reader: Kernel) -> None:
    (reading.project / "folder").mkdir()
    cell = reader.run("%%hyper --playbook read-file folder --yes --wait --out never")
    assert cell.error.startswith(f"MissionError: Mission {reading.newest} failed")
    assert "IsADirectoryError" in cell.error
    assert cell.traceback == [cell.error]
    assert reader.run("never").error.startswith("NameError")


def test_interrupted_wait_leaves_the_mission(reading: Desk, reader: Kernel) -> None:
    reader.ok("%%hyper --playbook read-file text.txt --yes")

    def interrupt(message: dict[str, Any]) -> None:
        if message["msg_type"] == "display_data":
            reader.manager.interrupt_kernel()

    cell = reader.run("%hyper wait", on_message=interrupt)
    assert f"%hyper attach {reading.newest} watches it again" in cell.error
    assert cell.traceback == [cell.error]
    reading.text.write_text("hello")
    assert "Succeeded" in reader.ok("%hyper wait").text


def test_interrupt_while_the_view_appears_leaves_the_mission(
    reading: Desk, reader: Kernel
) -> None:
    reader.ok("%%hyper --playbook read-file text.txt --yes")
    reader.ok(
        "import signal\n"
        "from hypernb.session import Mission\n"
        "mark_shown = Mission.mark_shown\n"
        "Mission.mark_shown = lambda self: signal.raise_signal(signal.SIGINT)"
    )
    cell = reader.run("%hyper wait")
    reader.ok("Mission.mark_shown = mark_shown")
    assert f"%hyper attach {reading.newest} watches it again" in cell.error
    reading.text.write_text("hello")
    assert "Succeeded" in reader.ok("%hyper wait").text


def test_plan_is_edited_and_rejected(reading: Desk, reader: Kernel) -> None:
    reader.ok("%hyper run read-file text.txt")
    reader.ok(f"%hyper edit {reading.newest} t1 timeout_s=7 resources=disk,licence")
    assert reader.ok("_.plan.tasks[0].resources").value == "('disk', 'licence')"
    reader.ok(f"%hyper edit {reading.newest} concurrency=3 --drop shout")
    assert reader.ok("p = _.plan\np.tasks[0].timeout_s, p.concurrency, len(p.tasks)").value == (
        "(7.0, 3, 1)"
    )
    assert "Rejected" in reader.ok(f"%hyper reject {reading.newest} not now").text
    assert "cannot become" in reader.run(f"%hyper approve {reading.newest}").error


def test_plan_is_extended_compared_and_commented_on(reading: Desk, reader: Kernel) -> None:
    reader.ok("%hyper run read-file text.txt")
    mission = reading.newest
    reader.ok(f"%hyper edit {mission} --add look --agent qa-engineer --needs t1 attempts=2")
    assert reader.ok("t = _.plan.tasks[-1]\nt.name, t.agent, t.needs, t.attempts").value == (
        "('look', 'qa-engineer', ('read',), 2)"
    )
    reader.ok(f"%hyper edit {mission} look 'check=Looked again' --needs shout")
    told = reader.ok(f"%hyper diff {mission}").text
    assert "From revision 2 to revision 3. As before: 2 tasks." in told
    assert "Looked again" in told
    assert "look" in reader.ok(f"%hyper diff {mission} 1").text
    reader.ok(f"%hyper comment {mission} look Don't forget the tests")
    said = reader.ok(f"%hyper comment {mission}").text
    assert "Don't forget the tests" in said
    assert "needs some words" not in said
    assert "No task" in reader.run(f"%hyper comment {mission}/lok hello").error
    assert "can never finish" in reader.run(f"%hyper edit {mission} read --needs look").error


def test_part_of_a_plan_is_approved(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    reader.ok("%hyper run read-file text.txt")
    reader.ok(f"%hyper approve {reading.newest} read --wait")
    assert reader.ok("%hyper result").value == "'hello'"


def test_mission_is_paused_resumed_and_cancelled(reading: Desk, reader: Kernel) -> None:
    reader.ok("%hyper run read-file text.txt --yes")
    reader.ok("while _.state.value != 'running': threading.Event().wait(0.02)")
    assert "Paused" in reader.ok(f"%hyper pause {reading.newest}").text
    assert "Running" in reader.ok(f"%hyper resume {reading.newest}").text
    assert "Cancelled" in reader.ok(f"%hyper cancel {reading.newest}").text
    assert "was cancelled" in reader.run("%hyper result").error


def test_failed_task_is_tried_again(reading: Desk, reader: Kernel) -> None:
    reading.text.mkdir()
    assert reader.run("%hyper run read-file text.txt --yes --wait").error
    reading.text.rmdir()
    reading.text.write_text("hello")
    reader.ok(f"%hyper retry {reading.newest} --wait")
    assert reader.ok("%hyper result").value == "'HELLO'"


def _text(message: dict[str, Any]) -> str:
    return str(message["content"].get("data", {}).get("text/plain", ""))


def _displays(*cells: Any) -> list[dict[str, Any]]:
    return [m for cell in cells for m in cell.of("display_data")]


def test_rewind_proposes_a_fork_and_leaves_the_mission_as_it_was(
    reading: Desk, reader: Kernel
) -> None:
    reading.text.write_text("hello")
    reader.ok("%%hyper --playbook read-file text.txt --yes --wait")
    origin = reading.newest
    first = reader.ok(f"%hyper events {origin}").text
    proposed = reader.ok(f"%hyper rewind {origin} read")
    assert reading.newest != origin
    assert f"forked from {origin} at read" in proposed.text
    reading.text.write_text("hello again")
    dearer = reader.ok(f"%hyper rewind {origin} read --budget 0.25")
    assert "at most $0.25" in dearer.text
    reader.ok(f"%hyper approve {reading.newest} --wait")
    assert "AGAIN" in reader.ok("%hyper result").value
    assert reader.ok(f"%hyper result {origin}").value == "'HELLO'"
    assert reader.ok(f"%hyper events {origin}").text == first
