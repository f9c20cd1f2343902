"""Looks over notebooks without executing anything: format, outputs, order, pictures."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.errors import ToolAbsentError
from hypernb.model import Finding, Severity
from hypernb.tools._links import cell_source, markdown_links
from hypernb.tools._reading import Rules, Sources, is_test_path, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

# A notebook's outputs are one of the things looked at, so the limit is above that of code.
_MAX_BYTES: Final = 50_000_000
_LARGE_OUTPUT_BYTES: Final = 1_000_000
_VALIDATED_BYTES: Final = 10_000_000
_CURRENT_FORMAT: Final = 4
_CHECKPOINTS: Final = ".ipynb_checkpoints/"
_ERRORS_PER_NOTEBOOK: Final = 20

_rules = Rules("notebooks", "notebook")


class NotebooksTool(Tool):
    """nbformat's own check, and own rules for what is left in a notebook."""

    name: ClassVar[str] = "notebooks"
    title: ClassVar[str] = "look over notebooks without running them"

    def run(self, context: ToolContext) -> ToolRun:
        """Read each notebook once."""
        try:
            import nbformat
        except ImportError:
            raise ToolAbsentError(self.name) from None
        sources = Sources(context)
        paths = sources.matching(".ipynb")
        if not paths:
            return sources.nothing(self.name, "There are no notebooks.")
        findings = [
            finding for path in sources.each(paths) for finding in _check(sources, path)
        ]
        return sources.ran(
            self.name,
            findings,
            facts={"notebooks": len(paths), "in_tests": sum(map(is_test_path, paths))},
            version=f"nbformat {nbformat.__version__}",
        )


def _check(sources: Sources, path: str) -> list[Finding]:
    if _CHECKPOINTS in f"/{path}":
        return [
            _rules.found(
                "tracked-checkpoint",
                Severity.LOW,
                "A checkpoint is tracked; .ipynb_checkpoints/ belongs in .gitignore.",
                path,
            )
        ]
    text = sources.text(path, limit=_MAX_BYTES)
    if text is None:
        return []
    if is_test_path(path):
        # What tests keep, they keep on purpose: outputs to compare, errors, broken files.
        return []
    content, problem = _content(text)
    if content is None:
        return [_rules.found("unreadable-notebook", Severity.HIGH, problem, path)]
    return list(_Notebook(path, content).findings())


def _content(text: str) -> tuple[dict[str, Any] | None, str]:
    try:
        content = json.loads(text)
    except ValueError as error:
        return None, f"This notebook is not JSON: {shown(str(error))}."
    except RecursionError:
        return None, "This notebook is nested too deeply to be read."
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        return None, "This file is JSON, but no notebook: it does not say its nbformat."
    problem = _problem_of_format(content) if len(text) <= _VALIDATED_BYTES else ""
    if problem:
        return None, f"nbformat refuses this notebook: {problem}"
    return content, ""


def _problem_of_format(content: dict[str, Any]) -> str:
    import nbformat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # The check fills in missing ids, so it gets a copy of its own.
            nbformat.validate(nbformat.from_dict(json.loads(json.dumps(content))))
        except nbformat.ValidationError as error:
            return shown(str(error).partition("\n")[0], 200)
        except Exception as error:  # noqa: BLE001 - the schema library raises whatever a hostile file leads it to
            return shown(f"{type(error).__name__}: {error}", 200)
    return ""


@dataclass(frozen=True, slots=True)
class _Notebook:
    path: str
    content: dict[str, Any]

    def findings(self) -> Iterator[Finding]:
        if self.content["nbformat"] != _CURRENT_FORMAT:
            return
        yield from self._metadata()
        yield from self._outputs()
        yield from self._errors()
        yield from self._order()
        yield from self._images()

    def _found(
        self,
        rule: str,
        severity: Severity,
        message: str,
        cell: int | None = None,
        line: int = 0,
    ) -> Finding:
        return _rules.found(rule, severity, message, self.path, line, cell=cell)

    def _cells(self, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, cell in enumerate(self.content.get("cells", []), start=1):
            if cell.get("cell_type") == kind:
                yield number, cell

    def _metadata(self) -> Iterator[Finding]:
        has_code = any(cell_source(cell).strip() for _, cell in self._cells("code"))
        if has_code and "kernelspec" not in self.content.get("metadata", {}):
            yield self._found(
                "missing-kernelspec",
                Severity.LOW,
                "The notebook does not say which kernel runs it.",
            )

    def _outputs(self) -> Iterator[Finding]:
        sizes = {
            number: len(
                json.dumps(cell["outputs"], ensure_ascii=False).encode(errors="replace")
            )
            for number, cell in self._cells("code")
            if cell.get("outputs") and not _is_kept(cell)
        }
        if not sizes:
            return
        yield self._found(
            "outputs-left-in",
            Severity.LOW,
            f"{len(sizes)} cell{'s have' if len(sizes) > 1 else ' has'} outputs stored, "
            f"{_size(sum(sizes.values()))} in all.",
        )
        for number, size in sizes.items():
            if size > _LARGE_OUTPUT_BYTES:
                yield self._found(
                    "large-output",
                    Severity.MEDIUM,
                    f"The output of this cell takes {_size(size)} in the repository.",
                    number,
                )

    def _errors(self) -> Iterator[Finding]:
        failed = [
            (number, output)
            for number, cell in self._cells("code")
            if "raises-exception" not in cell.get("metadata", {}).get("tags", [])
            for output in cell.get("outputs", [])
            if output.get("output_type") == "error"
        ]
        for number, output in failed[:_ERRORS_PER_NOTEBOOK]:
            yield self._found(
                "error-left-in",
                Severity.MEDIUM,
                f"The stored output of this cell is an error: {output.get('ename', '')!s}.",
                number,
            )

    def _order(self) -> Iterator[Finding]:
        last = 0
        for number, cell in self._cells("code"):
            count = cell.get("execution_count")
            if not isinstance(count, int):
                continue
            if count <= last:
                yield self._found(
                    "out-of-order",
                    Severity.LOW,
                    f"This cell was run as number {count}, after number {last} above it; "
                    "from top to bottom the notebook may give something else.",
                    number,
                )
                return
            last = count

    def _images(self) -> Iterator[Finding]:
        for number, cell in self._cells("markdown"):
            for link in markdown_links(cell_source(cell)):
                if link.is_image and not (link.alt or "").strip() and not link.is_decoration:
                    yield self._found(
                        "image-without-alt",
                        Severity.LOW,
                        f"The picture {shown(link.target, 60)!r} has no alternative text.",
                        number,
                        link.line,
                    )


def _is_kept(cell: dict[str, Any]) -> bool:
    """Tell whether the author marked the outputs to be kept, as nbstripout understands it."""
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return False
    tags = metadata.get("tags")
    return metadata.get("keep_output") is True or (
        isinstance(tags, list) and "keep_output" in tags
    )


def _size(size_bytes: int) -> str:
    """Write a size as people say it.

    Example:
        >>> _size(900), _size(23_400), _size(1_500_000)
        ('900 bytes', '23 kB', '1.5 MB')
    """
    for limit, unit in ((1_000, "bytes"), (1_000_000, "kB")):
        if size_bytes < limit:
            return f"{size_bytes * 1_000 / limit:.0f} {unit}"
    return f"{size_bytes / 1_000_000:.1f} MB"
