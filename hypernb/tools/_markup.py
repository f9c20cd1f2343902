"""Looks over HTML as a browser and a screen reader would, and for left-overs in scripts."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Severity
from hypernb.tools._reading import Rules, Sources, is_side_path, is_test_path, line_at

if TYPE_CHECKING:
    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_HTML: Final = (".html", ".htm", ".xhtml")
_SCRIPTS: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
_KINDS: Final = {
    "html": _HTML,
    "css": (".css", ".scss", ".sass", ".less"),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "typescript": (".ts", ".mts", ".cts", ".tsx"),
    "components": (".vue", ".svelte"),
}
# The parser looks through an unfinished construct again with every piece that arrives, so
# the pieces are large and what stays unfinished for long ends the reading.
_PIECE_CHARS: Final = 262_144
_UNFINISHED_CHARS: Final = 1_500_000
_CLOSABLE_CHARS: Final = 20_000
_FINDINGS_PER_FILE: Final = 50

_TEMPLATE = re.compile(r"\{\{|\{%|\{#|<%|<\?(?!xml)|\$\{|\[\[|@\{|__[A-Z][A-Z_]+__")
_UNLABELLED: Final = frozenset({"hidden", "submit", "reset", "button", "image"})
_CONTROLS: Final = frozenset({"input", "select", "textarea"})
_NAMED_BY: Final = ("aria-label", "aria-labelledby", "title")
_MINIFIED_LINE_CHARS: Final = 2_000
_GENERATED_FOLDERS: Final = frozenset({"dist", "build", "out", "static", "node_modules", "min"})
_OPENING = re.compile(r"//|/\*|[\"'`]")
_CLOSING: Final = {
    "//": re.compile(r"(?=\n)"),
    "/*": re.compile(r"\*/"),
    '"': re.compile(r'(?<!\\)"|(?=\n)'),
    "'": re.compile(r"(?<!\\)'|(?=\n)"),
    "`": re.compile(r"(?<!\\)`"),
}
_DEBUGGER = re.compile(r"^[ \t]*debugger[ \t]*;?[ \t]*$", re.MULTILINE)

_rules = Rules("markup", "frontend")


class MarkupTool(Tool):
    """Own rules for HTML, and counts of what a front end is made of."""

    name: ClassVar[str] = "markup"
    title: ClassVar[str] = "look over HTML, CSS and scripts by own rules"

    def run(self, context: ToolContext) -> ToolRun:
        """Read each page once; scripts only for what is certainly a left-over."""
        sources = Sources(context)
        kinds = {kind: sources.matching(*suffixes) for kind, suffixes in _KINDS.items()}
        counts = {kind: len(paths) for kind, paths in kinds.items()}
        if not any(counts.values()):
            return sources.nothing(
                self.name, "There are no HTML, CSS or script files.", facts={"files": counts}
            )
        findings: list[Finding] = []
        for path in sources.each(kinds["html"]):
            findings += _check_page(sources, path)
        for path in sources.each(sources.matching(*_SCRIPTS)):
            findings += _check_script(sources, path)
        return sources.ran(self.name, findings, facts={"files": counts})


def _check_page(sources: Sources, path: str) -> list[Finding]:
    text = sources.text(path)
    if text is None:
        return []
    page = _Page()
    if not page.read(text):
        sources.skip(path, "a tag, comment or script in it never ends")
        return []
    return _Verdict(path, page, is_template=bool(_TEMPLATE.search(text))).findings()


def _check_script(sources: Sources, path: str) -> list[Finding]:
    folders = set(path.lower().split("/")[:-1])
    if (
        is_test_path(path)
        or is_side_path(path)
        or not folders.isdisjoint(_GENERATED_FOLDERS)
        or ".min." in path
    ):
        return []
    text = sources.text(path)
    if text is None or "debugger" not in text or _is_minified(text):
        return []
    bare = _without_strings_and_comments(text)
    return [
        _rules.found(
            "debugger-statement",
            Severity.MEDIUM,
            "A debugger statement stops the page for everyone who has developer tools open.",
            path,
            line_at(bare, match.start()),
        )
        for match in _DEBUGGER.finditer(bare)
    ]


def _without_strings_and_comments(text: str) -> str:
    # One pass that never goes back: an opening without its closing swallows the rest.
    kept: list[str] = []
    position = 0
    while opening := _OPENING.search(text, position):
        closing = _CLOSING[opening[0]].search(text, opening.end())
        end = closing.end() if closing else len(text)
        kept += [
            text[position : opening.start()],
            "\n" * text.count("\n", opening.start(), end),
        ]
        position = end
    return "".join([*kept, text[position:]])


def _is_minified(text: str) -> bool:
    return any(len(line) > _MINIFIED_LINE_CHARS for line in text.split("\n", 20)[:20])


@dataclass(slots=True)
class _Element:
    tag: str
    line: int
    attributes: dict[str, str | None]
    has_name: bool = False

    def get(self, name: str) -> str:
        return (self.attributes.get(name) or "").strip()

    @property
    def names_itself(self) -> bool:
        return any(self.get(name) for name in _NAMED_BY)


class _Page(HTMLParser):
    """What the rules need to know of a page, gathered in one pass."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.html: _Element | None = None
        self.has_title = False
        self.has_body = False
        self.images: list[_Element] = []
        self.links: list[_Element] = []
        self.controls: list[_Element] = []
        self.ids: dict[str, list[int]] = {}
        self.labelled: set[str] = set()
        self._open_links: list[_Element] = []
        self._depth: Counter[str] = Counter()

    def read(self, text: str) -> bool:
        for start in range(0, len(text), _PIECE_CHARS):
            self.feed(text[start : start + _PIECE_CHARS])
            if len(self.rawdata) > _UNFINISHED_CHARS:
                return False
        if len(self.rawdata) <= _CLOSABLE_CHARS:
            self.close()
        return True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = _Element(tag, self.getpos()[0], dict(reversed(attrs)))
        self._count_depth(tag, 1)
        self._note_document(tag, element)
        if (ident := element.get("id")) and not self._depth["template"]:
            self.ids.setdefault(ident, []).append(element.line)
        if tag == "a":
            self._open_links.append(element)
            self.links.append(element)
        elif self._open_links and (
            element.names_itself or element.get("alt") or tag in ("svg", "slot", "object")
        ):
            self._open_links[-1].has_name = True
        if tag in ("img", "input") or tag in _CONTROLS:
            self._note_replaced(tag, element)
        if tag == "label" and (target := element.get("for")):
            self.labelled.add(target)

    def handle_endtag(self, tag: str) -> None:
        self._count_depth(tag, -1)
        if tag == "a" and self._open_links:
            self._open_links.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in ("svg", "title"):
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if self._open_links and data.strip():
            self._open_links[-1].has_name = True

    def _count_depth(self, tag: str, by: int) -> None:
        if tag in ("label", "svg", "template"):
            self._depth[tag] = max(0, self._depth[tag] + by)

    def _note_document(self, tag: str, element: _Element) -> None:
        if tag == "html" and self.html is None:
            self.html = element
        elif tag == "title" and not self._depth["svg"]:
            self.has_title = True
        elif tag == "body":
            self.has_body = True

    def _note_replaced(self, tag: str, element: _Element) -> None:
        if tag == "img" or (tag == "input" and element.get("type").lower() == "image"):
            self.images.append(element)
        elif tag in _CONTROLS and element.get("type").lower() not in _UNLABELLED:
            element.has_name = self._depth["label"] > 0
            self.controls.append(element)


class _Verdict:
    """Applies the rules to a page; a template is held only to what it certainly settles."""

    def __init__(self, path: str, page: _Page, *, is_template: bool) -> None:
        self.path = path
        self.page = page
        self.is_template = is_template

    def findings(self) -> list[Finding]:
        found = [
            *self._document(),
            *self._images(),
            *self._ids(),
            *self._controls(),
            *self._links(),
        ]
        return found[:_FINDINGS_PER_FILE]

    def _found(self, rule: str, severity: Severity, message: str, line: int) -> Finding:
        return _rules.found(rule, severity, message, self.path, line)

    def _document(self) -> list[Finding]:
        html = self.page.html
        if html is None:
            return []
        found = []
        if not html.get("lang") and not html.get("xml:lang") and not _dynamic(html, "lang"):
            found.append(
                self._found(
                    "html-without-lang",
                    Severity.MEDIUM,
                    'The page does not say its language: <html lang="…">.',
                    html.line,
                )
            )
        if not self.page.has_title and not self.is_template and self.page.has_body:
            found.append(
                self._found(
                    "page-without-title", Severity.MEDIUM, "The page has no <title>.", html.line
                )
            )
        return found

    def _images(self) -> list[Finding]:
        return [
            self._found(
                "image-without-alt",
                Severity.MEDIUM,
                f'This <{image.tag}> has no alt text; alt="" says that it is decoration.',
                image.line,
            )
            for image in self.page.images
            if "alt" not in image.attributes
            and not image.names_itself
            and image.get("role") not in ("presentation", "none")
            and image.get("aria-hidden") != "true"
            and not _dynamic(image, "alt")
        ]

    def _ids(self) -> list[Finding]:
        if self.is_template:
            return []
        return [
            self._found(
                "duplicate-id",
                Severity.MEDIUM,
                f"The id {ident!r} is used {len(lines)} times, first in line {lines[0]}.",
                lines[1],
            )
            for ident, lines in self.page.ids.items()
            if len(lines) > 1
        ]

    def _controls(self) -> list[Finding]:
        if self.is_template:
            return []
        return [
            self._found(
                "control-without-label",
                Severity.MEDIUM,
                f"This <{control.tag}> has no label that a screen reader could read.",
                control.line,
            )
            for control in self.page.controls
            if not control.has_name
            and not control.names_itself
            and control.get("id") not in self.page.labelled
            and control.get("aria-hidden") != "true"
            and "hidden" not in control.attributes
        ]

    def _links(self) -> list[Finding]:
        found = []
        for link in self.page.links:
            if not link.get("href"):
                continue
            if not link.has_name and not link.names_itself and not self._is_hidden(link):
                found.append(
                    self._found(
                        "link-without-text",
                        Severity.MEDIUM,
                        "This link has neither text nor a label.",
                        link.line,
                    )
                )
            if _opens_foreign_window(link):
                found.append(
                    self._found(
                        "blank-target-without-rel",
                        Severity.LOW,
                        'A link to another site with target="_blank" and no rel="noopener": '
                        "older browsers hand the page over.",
                        link.line,
                    )
                )
        return found

    def _is_hidden(self, link: _Element) -> bool:
        return self.is_template or link.get("aria-hidden") == "true"


def _dynamic(element: _Element, name: str) -> bool:
    # :alt, v-bind:alt, [alt], data-bind …, or a template's attributes that no parser can name.
    return any(
        key.strip(":[]@").endswith(name) or _TEMPLATE.search(f"{key}{value or ''}")
        for key, value in element.attributes.items()
        if key != name and not key.startswith("data-") and key not in ("src", "href", "class")
    ) or any(key.startswith(("{", "<%", "v-bind", "...")) for key in element.attributes)


def _opens_foreign_window(link: _Element) -> bool:
    rel = link.get("rel").lower()
    return (
        link.get("target").lower() == "_blank"
        and link.get("href").lower().startswith(("http://", "https://", "//"))
        and "noopener" not in rel
        and "noreferrer" not in rel
        and "opener" not in rel
    )
