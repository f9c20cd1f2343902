"""What comes up in a view moves nothing that one is at, covers no control and is not cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.looks import DEV, Look, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS: Final = (420, 640, 760, 900)
_TWIN: Final = """() => {
  const twin = document.querySelector('.twin:not(.vh)')?.getBoundingClientRect();
  if (!twin) return 'no magic is shown';
  const view = document.querySelector('.hypernb').getBoundingClientRect();
  if (twin.left < view.left || twin.right > view.right) return 'the magic is cut';
  for (const control of document.querySelectorAll('.hypernb :is(button, input, select)')) {
    const { left, right, top, bottom } = control.getBoundingClientRect();
    const covered = left < twin.right && right > twin.left
      && top < twin.bottom && bottom > twin.top;
    if (covered && right > left) return `the magic covers ${control.textContent}`;
  }
  return '';
}"""
_QUESTION: Final = """() => {
  const view = document.querySelector('.hypernb').getBoundingClientRect();
  const all = [...document.querySelectorAll('.confirm, .confirm *')];
  if (all.length === 0) return 'nothing is asked';
  const cut = all.filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    return left < view.left || right > view.right;
  });
  return cut.map((each) => each.tagName).join(' ');
}"""


def test_field_stays_where_it_is_while_notices_come_and_go(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 700})
    page.goto(f"{DEV.as_uri()}?view=mission&state=awaiting_approval")
    page.get_by_role("button", name="Edit", exact=True).click()
    field = page.get_by_label("Attempts").first
    field.scroll_into_view_if_needed()
    field.focus()
    at = "(field) => field.getBoundingClientRect().top"
    # A frame for what focusing has scrolled.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    before = field.evaluate(at)
    page.keyboard.press("End")
    page.keyboard.type("7")
    page.wait_for_selector(".plan-draft")
    page.wait_for_selector(".plan-problems")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    assert field.evaluate(at) == pytest.approx(before, abs=3)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", ["running", "awaiting_approval"])
def test_magic_covers_no_control_and_no_question_is_cut(
    page: Page, state: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1500})
    page.goto(f"{DEV.as_uri()}?view=mission&state={state}&task=audit-auth")
    buttons = page.locator(".act > button:enabled")
    for button in buttons.all():
        button.focus()
        assert page.evaluate(_TWIN) == "", button.inner_text()
    asking = page.locator(".act > button[aria-expanded]")
    for button in asking.all():
        button.click()
        assert page.evaluate(_QUESTION) == "", button.inner_text()
        page.keyboard.press("Escape")
        focused = page.evaluate("() => document.activeElement.textContent")
        assert focused == button.inner_text()


def test_wide_plan_is_drawn_beside_its_table_and_not_below_it(page: Page) -> None:
    page.set_viewport_size({"width": 1100, "height": 900})
    page.goto(f"{DEV.as_uri()}?view=plan&size=100")
    page.wait_for_selector(".sg-box")
    rail, table = (
        page.locator(each).evaluate("(each) => each.getBoundingClientRect().toJSON()")
        for each in (".sg-scroll", ".plan-main")
    )
    assert rail["top"] < table["bottom"]
    assert rail["right"] <= table["left"]


def test_endless_word_breaks_no_word_of_a_state(page: Page) -> None:
    page.set_viewport_size({"width": 760, "height": 900})
    page.goto(f"{DEV.as_uri()}?view=history")
    states = page.locator(".wide-only .state > span")
    states.first.wait_for()
    page.evaluate(
        "() => { for (const b of document.querySelectorAll('.past-goal')) "
        "b.textContent = 'W'.repeat(3000); }"
    )
    lines = states.evaluate_all(
        "(all) => all.map((each) => [each.textContent.split(' ').length, "
        "each.getClientRects().length])"
    )
    assert all(many <= words for words, many in lines), lines


def test_button_that_asks_keeps_its_place_in_a_list(page: Page) -> None:
    page.goto(f"{DEV.as_uri()}?view=history")
    button = page.get_by_role("button", name="Export… m-130")
    before = button.bounding_box()
    button.click()
    page.wait_for_selector(".confirm")
    assert button.bounding_box() == before


def test_columns_of_the_history_keep_their_widths_while_one_searches(page: Page) -> None:
    page.set_viewport_size({"width": 920, "height": 900})
    page.goto(f"{DEV.as_uri()}?view=history")
    page.wait_for_selector(".past")
    heads = page.locator(".past thead th")
    widths = "(heads) => heads.map((head) => head.offsetWidth)"
    before = heads.evaluate_all(widths)
    page.locator(".filters select").select_option("rejected")
    page.wait_for_function("() => document.querySelectorAll('.past tbody tr').length < 50")
    assert heads.evaluate_all(widths) == before


_BROKEN: Final = """(cells) => cells.flatMap((cell) => {
  const broken = [];
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    for (const word of texts.currentNode.data.matchAll(/\\w+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  return broken;
})"""


@pytest.mark.parametrize("width", [520, 920])
@pytest.mark.parametrize(
    ("query", "steps"),
    [
        (
            "view=history",
            ("tick Compare m-130", "tick Compare m-129", "press Compare m-129 with"),
        ),
        ("view=result&state=succeeded", ("press map-repo",)),
    ],
    ids=["compared", "result"],
)
def test_tables_break_no_word(
    page: Page, query: str, steps: tuple[str, ...], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(DEV.as_uri())
    show(page, Look(query, steps))
    page.wait_for_selector(".cols, .data")
    cells = page.locator(":is(.cols, .data) :is(th, td)")
    assert cells.count() > 10
    assert cells.evaluate_all(_BROKEN) == []


def test_long_cap_stays_within_the_table_of_a_plan(page: Page) -> None:
    page.set_viewport_size({"width": 920, "height": 900})
    page.goto(f"{DEV.as_uri()}?view=plan&state=running")
    cap = page.locator(".plan-table td.num").first
    cap.evaluate("(cell) => { cell.textContent = '1 min 30 s' }")
    assert cap.evaluate("(cell) => cell.scrollWidth - cell.clientWidth") <= 0
