"""Takes out of JSON that may have any form what has the right one."""

from __future__ import annotations

from typing import Any

import orjson


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing of what is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def string(value: Any) -> str:
    """Return a string, and an empty one for whatever is none."""
    return value if isinstance(value, str) else ""


def text_of(content: Any) -> str:
    """Return the text of a content, which some servers send in parts."""
    if isinstance(content, str):
        return content
    return "".join(string(part.get("text")) for part in dicts(content))


def arguments_of(value: Any) -> str:
    """Return arguments as text; some servers send the object itself."""
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return string(value)
