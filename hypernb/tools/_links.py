"""Follows the links between the files of a tree: Markdown, HTML, style sheets, notebooks."""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import unquote

from hypernb.abc import Tool
from hypernb.errors import ToolAbsentError
from hypernb.model import Finding, Severity
from hypernb.tools._reading import Rules, Sources, is_test_path, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_MARKDOWN: Final = (".md", ".markdown")
_HTML: Final = (".html", ".htm", ".xhtml")
_MARKDOWN_CHARS: Final = 500_000
_PIECE_CHARS: Final = 262_144
_UNFINISHED_CHARS: Final = 1_500_000
_NOTEBOOK_BYTES: Final = 20_000_000

# Pages in these folders are shown at another address than the one they are stored at, or
# are somebody else's, so their relative links say nothing.
_ELSEWHERE: Final = frozenset(
    {".github", "templates", "_includes", "_layouts", "partials", "fixtures", "testdata"}
    | {"vendor", "vendored", "_vendor", "third_party", "third-party", "node_modules"}
)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_PLACEHOLDER = re.compile(r"[{}<>$*|\\\n]|%[sd(]|\.\.\.|…|__[A-Z]")
_TEMPLATE = re.compile(r"\{\{|\{%|<%|<\?(?!xml)|\$\{")
_CSS_URL = re.compile(r"""url\(\s*(["']?)([^"')\n]{1,2000})\1\s*\)""")
_CSS_COMMENT = re.compile(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/")
_ATTRIBUTE_ID = re.compile(
    r"\{[^{}\n]{0,200}#([\w.:-]+)[^{}\n]{0,200}\}|^\(([\w.:-]+)\)=", re.M
)
_LINE_ANCHOR = re.compile(r"L\d+(C\d+)?(-L?\d+(C\d+)?)?")
_SOURCE_SUFFIXES: Final = (
    ".md",
    ".markdown",
    ".mdx",
    ".rst",
    ".html",
    ".ipynb",
    ".txt",
    ".adoc",
)
_INDEXES: Final = ("index.html", "index.md", "index.rst", "README.md", "readme.md")

_rules = Rules("links", "frontend")


class LinksTool(Tool):
    """Own rules for relative links and anchors; nothing is fetched."""

    name: ClassVar[str] = "links"
    title: ClassVar[str] = "follow the links between files"

    def run(self, context: ToolContext) -> ToolRun:
        """Gather the links and anchors of each document, then look for where they lead."""
        sources = Sources(context)
        documents = list(_documents(sources))
        if not documents:
            return sources.nothing(
                self.name, "There are no Markdown, HTML, CSS or notebook files."
            )
        follower = _Follower(context, {document.path: document for document in documents})
        findings = [finding for doc in documents for finding in follower.findings(doc)]
        facts = {"links": follower.followed, "external_links": follower.external}
        return sources.ran(self.name, findings, facts=facts)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a document.

    Attributes:
        alt: Alternative text of a picture; None if there is none.
        is_decoration: HTML says by an empty ``alt`` that the picture needs no text.
    """

    target: str
    line: int
    cell: int | None = None
    is_image: bool = False
    is_decoration: bool = False
    alt: str | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    path: str
    links: tuple[Link, ...]
    anchors: frozenset[str] | None
    """None where a program may make anchors that cannot be seen."""


def _documents(sources: Sources) -> Iterator[_Document]:
    paths = [
        path
        for path in sources.matching(*_MARKDOWN, *_HTML, ".css", ".ipynb")
        if not is_test_path(path) and _ELSEWHERE.isdisjoint(path.lower().split("/")[:-1])
    ]
    for path in sources.each(paths):
        lower = path.lower()
        limit = _NOTEBOOK_BYTES if lower.endswith(".ipynb") else 2_000_000
        text = sources.text(path, limit=limit)
        if text is None:
            continue
        if lower.endswith(_MARKDOWN):
            document = _markdown_document(path, text, sources)
        elif lower.endswith(_HTML):
            document = _html_document(path, text, sources)
        elif lower.endswith(".css"):
            document = _Document(path, tuple(_css_links(text)), None)
        else:
            document = _notebook_document(path, text)
        if document is not None:
            yield document


# --- reading documents ------------------------------------------------------------------


def _markdown_document(path: str, text: str, sources: Sources) -> _Document | None:
    if len(text) > _MARKDOWN_CHARS:
        sources.skip(path, f"Markdown of more than {_MARKDOWN_CHARS:,} characters")
        return None
    tokens = _markdown().parse(text)
    return _Document(path, tuple(_token_links(tokens)), _token_anchors(tokens, text))


def _notebook_document(path: str, text: str) -> _Document | None:
    links: list[Link] = []
    anchors: set[str] = set()
    for number, source in markdown_cells(text):
        tokens = _markdown().parse(source[:_MARKDOWN_CHARS])
        links += [dataclasses.replace(link, cell=number) for link in _token_links(tokens)]
        anchors |= _token_anchors(tokens, source)
    return _Document(path, tuple(links), frozenset(anchors))


def markdown_cells(text: str) -> Iterator[tuple[int, str]]:
    """Yield number, from 1, and source of each Markdown cell; nothing if it is no notebook."""
    try:
        cells = json.loads(text).get("cells", [])
    except (ValueError, RecursionError, AttributeError):
        return
    for number, cell in enumerate(cells if isinstance(cells, list) else [], start=1):
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown":
            yield number, cell_source(cell)


def cell_source(cell: dict[str, Any]) -> str:
    """Return a cell's source, which the format stores as a string or a list of lines."""
    source = cell.get("source", "")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def markdown_links(text: str) -> list[Link]:
    """Return the links and images of a Markdown text, with their lines; code is left out."""
    return list(_token_links(_markdown().parse(text[:_MARKDOWN_CHARS])))


@cache
def _markdown() -> MarkdownIt:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise ToolAbsentError("links") from None
    return MarkdownIt("commonmark").enable("table")


def _token_links(tokens: Iterable[Token]) -> Iterator[Link]:
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            yield from _Tags.of(token.content, line).links
        for child in token.children or ():
            if child.type in ("softbreak", "hardbreak"):
                line += 1
            elif child.type == "link_open":
                yield Link(str(child.attrs.get("href", "")), line)
            elif child.type == "image":
                yield Link(
                    str(child.attrs.get("src", "")), line, is_image=True, alt=child.content
                )
            elif child.type == "html_inline":
                yield from _Tags.of(child.content, line).links


def _token_anchors(tokens: list[Token], text: str) -> frozenset[str]:
    anchors = {loose(name) for pair in _ATTRIBUTE_ID.findall(text) for name in pair if name}
    seen: dict[str, int] = {}
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            words = "".join(
                child.content
                for child in following.children or ()
                if child.type in ("text", "code_inline")
            )
            slug = loose(re.sub(r"[^\w\s-]", "", words))
            anchors |= {slug, loose(words), loose(f"{slug}-{seen.get(slug, 0)}")}
            seen[slug] = seen.get(slug, 0) + 1
        elif token.type in ("html_block", "inline"):
            anchors |= _html_anchors(token)
    return frozenset(anchors)


def _html_anchors(token: Token) -> set[str]:
    texts = [token.content] if token.type == "html_block" else []
    texts += [child.content for child in token.children or () if child.type == "html_inline"]
    return {name for text in texts for name in _Tags.of(text, 1).anchors}


def loose(anchor: str) -> str:
    """Reduce an anchor to what all slug rules (GitHub, Jupyter, MkDocs, Sphinx) agree on.

    Example:
        >>> loose("What's-new--in_2.0?")
        'what-s-new-in-2-0'
    """
    return re.sub(r"[\W_]+", "-", anchor.lower()).strip("-")


def _html_document(path: str, text: str, sources: Sources) -> _Document | None:
    if _TEMPLATE.search(text):
        return None
    tags = _Tags.of(text, 1)
    if tags.is_unfinished:
        sources.skip(path, "a tag, comment or script in it never ends")
        return None
    if tags.has_base:
        return None
    anchors = None if tags.has_script else frozenset(tags.anchors)
    return _Document(path, tuple(tags.links), anchors)


def _css_links(text: str) -> Iterator[Link]:
    bare = _CSS_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    line, counted = 1, 0
    for match in _CSS_URL.finditer(bare):
        line += bare.count("\n", counted, match.start())
        counted = match.start()
        yield Link(match[2].strip(), line)


class _Tags(HTMLParser):
    """Links and anchors of a piece of HTML."""

    def __init__(self, first_line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []
        self.anchors: set[str] = set()
        self.has_base = False
        self.has_script = False
        self.is_unfinished = False
        self._first_line = first_line

    @classmethod
    def of(cls, text: str, first_line: int) -> _Tags:
        tags = cls(first_line)
        for start in range(0, len(text), _PIECE_CHARS):
            tags.feed(text[start : start + _PIECE_CHARS])
            if len(tags.rawdata) > _UNFINISHED_CHARS:
                tags.is_unfinished = True
                break
        return tags

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        line = self.getpos()[0] + self._first_line - 1
        self.has_base |= tag == "base" and "href" in values
        self.has_script |= tag == "script"
        self.anchors |= {loose(values[key] or "") for key in ("id", "name") if key in values}
        if tag == "img" and values.get("src"):
            alt = values.get("alt")
            decoration = "alt" in values and not alt
            self.links.append(
                Link(
                    values["src"] or "", line, is_image=True, is_decoration=decoration, alt=alt
                )
            )
            return
        rel = (values.get("rel") or "").lower()
        if tag == "link" and ("preconnect" in rel or "canonical" in rel):
            return
        if target := values.get("href") or values.get("src"):
            self.links.append(Link(target, line))


# --- following links --------------------------------------------------------------------


class _Follower:
    """Decides whether a link leads somewhere; in doubt it does."""

    def __init__(self, context: ToolContext, documents: dict[str, _Document]) -> None:
        self.followed = 0
        self.external = 0
        self._root = context.root
        self._documents = documents
        self._files = set(context.files)
        self._folders = {folder for path in context.files for folder in _folders_above(path)}

    def findings(self, document: _Document) -> Iterator[Finding]:
        for link in document.links:
            target = link.target.strip()
            if _SCHEME.match(target) or target.startswith("//"):
                self.external += 1
            elif target and target[0] not in "/~@^" and not _PLACEHOLDER.search(target):
                self.followed += 1
                yield from self._follow(document, link, target)

    def _follow(self, document: _Document, link: Link, target: str) -> Iterator[Finding]:
        path, _, anchor = target.partition("#")
        path = path.partition("?")[0]
        if not path:
            found: _Document | None = document
        else:
            place = posixpath.join(posixpath.dirname(document.path), unquote(path))
            place = posixpath.normpath(place)
            if place.startswith(".."):
                return
            if not self._exists(place):
                yield _rules.found(
                    "broken-link",
                    Severity.MEDIUM,
                    f"This link leads nowhere: {shown(target)!r}.",
                    document.path,
                    link.line,
                    cell=link.cell,
                )
                return
            found = self._documents.get(place)
        if found is not None and anchor and not _leads_somewhere(found, anchor):
            where = "this page" if found is document else found.path
            yield _rules.found(
                "broken-anchor",
                Severity.LOW,
                f"There is no heading or id {shown(unquote(anchor))!r} in {where}.",
                document.path,
                link.line,
                cell=link.cell,
            )

    def _exists(self, place: str) -> bool:
        if place == "." or place in self._files or place in self._folders:
            return True
        stem = posixpath.splitext(place)[0] if place.endswith((".html", ".htm")) else place
        if any(stem + suffix in self._files for suffix in _SOURCE_SUFFIXES):
            return True
        if any(posixpath.join(stem, name) in self._files for name in _INDEXES):
            return True
        try:
            return (self._root / place).exists()
        except (OSError, ValueError):
            return False


def _leads_somewhere(document: _Document, anchor: str) -> bool:
    if document.anchors is None or anchor.startswith((":~:", "!", "/")):
        return True
    name = unquote(anchor)
    if name.lower() == "top" or _LINE_ANCHOR.fullmatch(name) or "=" in name:
        return True
    # What remains of a name in letters that no rule keeps (an emoji, say) settles nothing.
    wanted = loose(name.removeprefix("user-content-"))
    return not wanted or wanted in document.anchors


def _folders_above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
