"""What a file is made of, in a screenful: classes and functions, headings, cells, keys."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, Final

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools._links import cell_source
from hypernb.tools._reading import parse_python, shown
from hypernb.tools._scope import file_of, read_text, shown_text

_ENTRIES_AT_MOST: Final = 400
_SIGNATURE_AT_MOST: Final = 200
_FENCE: Final = re.compile(r" {0,3}(```|~~~)")
_HEADING: Final = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*")


def outline_file(context: ToolContext, path: str) -> str:
    """Outline a file without its text, each entry with its line.

    Python: classes, functions with signatures and first docstring lines. Markdown: headings.
    Notebooks: cells. JSON and TOML: keys.

    Args:
        path: Relative to the project's root.
    """
    name = file_of(context, "outline-file", path)
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    outline = _OUTLINES.get(suffix)
    if outline is None:
        raise ToolError(
            "outline-file",
            f"{path[:200]!r} is of a kind that has no outline.",
            hint=f"It reads {', '.join(sorted(_OUTLINES))}; read-file reads the rest.",
        )
    lines = list(outline(read_text(context, "outline-file", name)))
    if more := len(lines) - _ENTRIES_AT_MOST:
        lines = [*lines[:_ENTRIES_AT_MOST], f"… {more:,} more entries."] if more > 0 else lines
    return shown_text("\n".join(lines)) or f"{name} has nothing to outline."


def _python(text: str) -> Iterator[str]:
    tree = parse_python(text)
    if tree is None:
        raise ToolError(
            "outline-file",
            "it is not Python that can be parsed.",
            hint="read-file shows it as it is.",
        )
    if said := _first_line(tree):
        yield f"    1 {said}"
    yield from _definitions(tree.body, depth=0)


def _definitions(body: list[ast.stmt], depth: int) -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        said = _first_line(node)
        about = f"  # {said}" if said else ""
        yield f"{node.lineno:>5} {'    ' * depth}{_signature(node)}{about}"
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, depth + 1)


def _signature(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    try:
        if isinstance(node, ast.ClassDef):
            bases = ", ".join(ast.unparse(each) for each in (*node.bases, *node.keywords))
            return shown(f"class {node.name}{f'({bases})' if bases else ''}", 200)
        word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        written = f"{word} {node.name}({ast.unparse(node.args)}){returns}"
    except RecursionError:
        written = node.name
    return shown(written, _SIGNATURE_AT_MOST)


def _first_line(node: Any) -> str:
    return shown((ast.get_docstring(node) or "").strip().partition("\n")[0], 120)


def _markdown(text: str) -> Iterator[str]:
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if mark := _FENCE.match(line):
            fence = "" if fence == mark[1] else fence or mark[1]
        elif not fence and (found := _HEADING.fullmatch(line[:500])):
            yield f"{number:>5} {found[1]} {shown(found[2], 120)}"


def _notebook(text: str) -> Iterator[str]:
    content = _json_of(text)
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise ToolError("outline-file", "it is JSON, but no notebook of format 4.")
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict):
            continue
        lines = [line for line in cell_source(cell).split("\n") if line.strip()]
        first = shown(lines[0], 120) if lines else "(empty)"
        more = f" (+{len(lines) - 1:,} lines)" if len(lines) > 1 else ""
        outputs = cell.get("outputs")
        gave = f" [{len(outputs):,} outputs]" if isinstance(outputs, list) and outputs else ""
        yield f"{number:>5} {shown(str(cell.get('cell_type')), 20)}: {first}{more}{gave}"


def _json(text: str) -> Iterator[str]:
    yield from _keys(_json_of(text))


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolError("outline-file", f"it is not JSON: {shown(str(error), 200)}.") from None


def _toml(text: str) -> Iterator[str]:
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolError("outline-file", f"it is not TOML: {shown(str(error), 200)}.") from None
    yield from _keys(content)


def _keys(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        yield _kind(content)
        return
    for key, value in content.items():
        yield f"{shown(str(key), 120)}: {_kind(value)}"
        if isinstance(value, dict):
            for inner, held in list(value.items())[:20]:
                yield f"    {shown(str(inner), 120)}: {_kind(held)}"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"{len(value):,} keys"
    if isinstance(value, list):
        return f"list of {len(value):,}"
    return type(value).__name__


_OUTLINES: Final[dict[str, Callable[[str], Iterator[str]]]] = {
    ".ipynb": _notebook,
    ".json": _json,
    ".markdown": _markdown,
    ".md": _markdown,
    ".py": _python,
    ".pyi": _python,
    ".toml": _toml,
}
