"""Reads YAML into values that know their lines; no tag is obeyed and no alias is multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.errors import ToolAbsentError
from hypernb.tools._reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

# The pure Python parser, which ends deep nesting with an exception and not with a crash,
# reads about 100 kB a second.
MAX_BYTES: Final = 300_000


@dataclass(slots=True)
class Value:
    """A value of a YAML file: a text, a list or a mapping.

    Scalars stay the text that was written, so ``on`` is no boolean and ``3.10`` no number.
    An alias is the very value that it stands for, which keeps a bomb of aliases small.
    """

    line: int
    data: str | list[Value] | dict[str, Value]

    @property
    def text(self) -> str:
        """The scalar, or an empty string."""
        return self.data if isinstance(self.data, str) else ""

    @property
    def fields(self) -> dict[str, Value]:
        """The mapping, or an empty one."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def parts(self) -> list[Value]:
        """The list, or an empty one."""
        return self.data if isinstance(self.data, list) else []

    def get(self, *keys: str) -> Value | None:
        """Return what is found along the keys, or None."""
        value: Value | None = self
        for key in keys:
            value = value.fields.get(key) if value is not None else None
        return value

    def texts(self) -> Iterator[Value]:
        """Yield the scalar itself, or the scalars of a list."""
        if isinstance(self.data, str):
            yield self
        for part in self.parts:
            if isinstance(part.data, str):
                yield part


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """Why a text is not YAML."""

    line: int
    reason: str


def read_yaml(text: str, *, tool: str) -> Value | YamlProblem:
    """Read the first document of a text.

    Raises:
        ToolAbsentError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise ToolAbsentError(tool) from None
    try:
        node = next(iter(yaml.compose_all(text, Loader=yaml.SafeLoader)), None)
        return _value(node, {}) if node is not None else Value(1, "")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return YamlProblem(
            mark.line + 1 if mark else 0, shown(error.problem or str(error), 160)
        )
    except yaml.YAMLError as error:
        return YamlProblem(0, shown(str(error), 160))
    except RecursionError:
        return YamlProblem(0, "it is nested too deeply")


def _value(node: yaml.Node, made: dict[int, Value]) -> Value:
    import yaml

    if id(node) in made:
        return made[id(node)]
    value = Value(node.start_mark.line + 1, "")
    made[id(node)] = value
    if isinstance(node, yaml.ScalarNode):
        value.data = node.value
    elif isinstance(node, yaml.SequenceNode):
        value.data = [_value(part, made) for part in node.value]
    else:
        value.data = _fields(node, made)
    return value


def _fields(node: yaml.Node, made: dict[int, Value]) -> dict[str, Value]:
    import yaml

    fields: dict[str, Value] = {}
    merged: dict[str, Value] = {}
    for key, item in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        value = _value(item, made)
        if name == "<<":
            for part in value.parts or [value]:
                merged |= {k: v for k, v in part.fields.items() if k not in merged}
        else:
            fields[name] = value
    return {**merged, **fields}
