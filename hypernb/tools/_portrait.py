"""Looks at a value of any kind without running its code: type, schema, statistics, samples."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from hypernb.redact import COVERED
from hypernb.tools._places import (
    Portrait,
    evenly,
    in_blocks,
    is_secret_name,
    rest_untold,
    seed_of,
    seeded,
)
from hypernb.tools._plainly import plainly, real, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypernb.model import Grant

_LOOKED_AT: Final = 100_000
_KEYS_AT_MOST: Final = 100
_SET_AT_MOST: Final = 100_000
_NAMES_AT_MOST: Final = 60
_TEXT_LINE: Final = 200
_ALL_ITEMS: Final = 10_000
_MOST_TEXT: Final = 1_000_000
_SPLIT_AT_MOST: Final = 1_000_000


def portray(value: Any, grant: Grant) -> Portrait:
    """Say what may be seen of a value, before anything is covered up.

    A value that behaves in no expected way is told of by its type alone.
    """
    try:
        made = _of_a_library(value, grant)
        if made is None:
            look = _LOOKS.get(type(value), _object)
            made = look(value, grant)
    except Exception:  # noqa: BLE001 - a value's class is somebody else's code, down to its length
        kind = type_name(value)
        return Portrait(kind, f"{kind}, of which no more can be said")
    return made


def _of_a_library(value: Any, grant: Grant) -> Portrait | None:
    # By the type and not by isinstance: that asks the value for its class, which is code too.
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    kind = type(value)
    if pandas is not None and issubclass(kind, (pandas.DataFrame, pandas.Series)):
        from hypernb.tools._portrait_frames import frame_portrait, series_portrait

        base = pandas.DataFrame if issubclass(kind, pandas.DataFrame) else pandas.Series
        plain = value if kind is base else _plain_of_pandas(value, base)
        if plain is None:
            return None
        made = (frame_portrait if base is pandas.DataFrame else series_portrait)(plain, grant)
        return made if kind is base else _renamed(made, base.__name__, value)
    if numpy is not None and issubclass(kind, numpy.ndarray):
        from hypernb.tools._portrait_frames import array_portrait

        if kind is numpy.ndarray:
            return array_portrait(value, grant)
        if issubclass(kind, numpy.ma.MaskedArray):
            return None  # what is masked is not to be seen without its mask
        made = array_portrait(numpy.ndarray.view(value, numpy.ndarray), grant)
        return _renamed(made, "ndarray", value)
    return None


def _plain_of_pandas(value: Any, base: Any) -> Any:
    """Return the data of a value of a derived class as pandas' own class; None if it has none.

    Its methods and attributes would be code of that class.
    """
    manager: Any = _held(value).get("_mgr")
    make = getattr(base, "_from_mgr", None)
    if make is None or not type(manager).__module__.startswith("pandas."):
        return None
    plain = make(manager, manager.axes)
    if base.__name__ == "Series":
        plain.name = _held(value).get("_name")
    return plain


def _renamed(portrait: Portrait, base: str, value: Any) -> Portrait:
    kind = type_name(value).rpartition(".")[2]
    words = portrait.words.replace(base, kind, 1)
    return replace(portrait, kind=kind, words=words)


def _held(value: Any) -> dict[str, Any]:
    """Return what an object holds, as it is kept and not as its class would answer."""
    classes: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(value))
    for cls in classes[:-1]:
        kept = type.__dict__["__dict__"].__get__(cls).get("__dict__")
        if type(kept) is types.GetSetDescriptorType:
            held: dict[str, Any] = kept.__get__(value)
            return held
    return {}


def _nothing(_value: None, _grant: Grant) -> Portrait:
    return Portrait("None", "None")


def _scalar(value: Any, grant: Grant) -> Portrait:
    kind = type_name(value)
    if grant.see == "schema":
        return Portrait(kind, kind)
    return Portrait(kind, kind, parts={_title(grant): plainly(value)})


def _text(value: str, grant: Grant) -> Portrait:
    lines = value.count("\n") + 1
    words = f"str of {len(value):,} characters, {lines:,} line{'s' if lines > 1 else ''}"
    if grant.see == "schema":
        return Portrait("str", words, (len(value),))
    if grant.see == "all":
        parts, untold = {"all": value[:_MOST_TEXT]}, max(0, len(value) - _MOST_TEXT)
        return Portrait("str", words, (len(value),), parts, untold=untold)
    if len(value) <= _TEXT_LINE:
        return Portrait("str", words, (len(value),), parts={"sample": value})
    shown = [f"{place + 1}: {line}" for place, line in _some_lines(value, lines, grant.rows)]
    return Portrait("str", words, (len(value),), parts={"sample": "\n".join(shown)})


def _some_lines(value: str, lines: int, rows: int) -> Iterable[tuple[int, str]]:
    seed = seed_of([value[:10_000], str(len(value))])
    if len(value) <= _SPLIT_AT_MOST:
        every = value.split("\n")
        for place in seeded(lines, rows, seed):
            yield place, _shortened(every[place])
        return
    # A huge text is not split: lines are looked up from places in it.
    seen: set[int] = set()
    for place in seeded(len(value), rows, seed):
        begin = value.rfind("\n", 0, place) + 1
        if begin not in seen:
            seen.add(begin)
            end = value.find("\n", begin, begin + _TEXT_LINE + 1)
            stop = end if end >= 0 else begin + _TEXT_LINE + 1
            yield value.count("\n", 0, begin), _shortened(value[begin:stop])


def _shortened(line: str) -> str:
    return f"{line[:_TEXT_LINE]}…" if len(line) > _TEXT_LINE else line


def _bytes(value: bytes | bytearray, _grant: Grant) -> Portrait:
    kind = type_name(value)
    return Portrait(kind, f"{kind} of {len(value):,} bytes", (len(value),))


def _items(value: list[Any] | tuple[Any, ...], grant: Grant) -> Portrait:
    kind = type_name(value)
    looked = [value[place] for place in in_blocks(len(value), _LOOKED_AT)]
    parts = {"schema": _kinds(looked, len(value))}
    if statistics := _numbers(looked):
        parts["statistics"] = statistics
    if grant.see == "sample":
        seed = seed_of([plainly(value[place]) for place in evenly(len(value), 20)])
        places = seeded(len(value), grant.rows, seed)
        parts["sample"] = "\n".join(f"[{each}] {plainly(value[each])}" for each in places)
    elif grant.see == "all":
        parts["all"] = "\n".join(plainly(each, 2_000, 6) for each in value[:_ALL_ITEMS])
        parts["all"] += rest_untold(len(value), _ALL_ITEMS, "items")
    return Portrait(kind, f"{kind} of {len(value):,} items", (len(value),), parts=parts)


def _set(value: set[Any] | frozenset[Any], grant: Grant) -> Portrait:
    kind = type_name(value)
    words = f"{kind} of {len(value):,} items"
    if len(value) > _SET_AT_MOST:
        return Portrait(kind, words, (len(value),))
    # In an order of its own, because that of a set is another in each process.
    items = sorted(plainly(each) for each in value)
    parts = {"schema": _kinds(sorted(value, key=plainly), len(value))}
    if grant.see != "schema":
        most = grant.rows if grant.see == "sample" else _ALL_ITEMS
        places = seeded(len(items), most, seed_of(items[:: max(1, len(items) // 20)]))
        parts[_title(grant)] = "\n".join(items[place] for place in places)
        if grant.see == "all":
            parts["all"] += rest_untold(len(items), len(places), "items")
    return Portrait(kind, words, (len(value),), parts=parts)


def _mapping(value: dict[Any, Any], grant: Grant) -> Portrait:
    pairs = list(islice(value.items(), _KEYS_AT_MOST))
    lines = [f"{(label := plainly(key))} ({_kind_of(held, label)})" for key, held in pairs]
    if more := len(value) - len(pairs):
        lines.append(f"… {more:,} more keys")
    parts = {"schema": "\n".join(lines)}
    covered = 0
    if grant.see != "schema":
        if grant.see == "all":
            chosen = list(islice(value.items(), _ALL_ITEMS))
        else:
            seed = seed_of(lines)
            chosen = [pairs[place] for place in seeded(len(pairs), grant.rows, seed)]
        limits = (2_000, 6) if grant.see == "all" else (200, 3)
        shown = []
        for key, held in chosen:
            label = plainly(key)
            is_covered = grant.redact and _calls_a_secret(key, label)
            covered += is_covered
            shown.append(f"{label}: {COVERED if is_covered else plainly(held, *limits)}")
        parts[_title(grant)] = "\n".join(shown)
        if grant.see == "all":
            parts["all"] += rest_untold(len(value), len(chosen), "keys")
    return Portrait(
        "dict",
        f"dict of {len(value):,} key{'' if len(value) == 1 else 's'}",
        (len(value),),
        parts=parts,
        covered={"secret": covered} if covered else {},
    )


def _calls_a_secret(key: Any, label: str) -> bool:
    """Tell whether a key of a dictionary is the name of a secret, as text or as bytes."""
    return is_secret_name(key.decode("latin-1") if type(key) is bytes else label)


def _object(value: Any, _grant: Grant) -> Portrait:
    kind = type_name(value)
    names = _public_names(value)
    if not names:
        return Portrait(kind, f"an object of type {kind}")
    shown = ", ".join(names[:_NAMES_AT_MOST])
    more = f" and {len(names) - _NAMES_AT_MOST:,} more" if len(names) > _NAMES_AT_MOST else ""
    return Portrait(
        kind, f"an object of type {kind}", parts={"schema": f"public attributes: {shown}{more}"}
    )


def _public_names(value: Any) -> list[str]:
    """Return names of attributes as they are kept, and not as the class would answer.

    Those of the object itself come first: its classes may have hundreds.
    """
    classes: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(value))
    own: set[str] = set()
    inherited: set[str] = set()
    for cls in classes[:-1]:
        held = type.__dict__["__dict__"].__get__(cls)
        inherited |= _names(held)
        kept = held.get("__dict__")
        if type(kept) is types.GetSetDescriptorType:
            own |= _names(kept.__get__(value))
    return [*sorted(own), *sorted(inherited - own)]


def _names(held: Any) -> set[str]:
    return {name[:80] for name in held if type(name) is str and not name.startswith("_")}


def _kinds(looked: list[Any], length: int) -> str:
    counts: dict[str, int] = {}
    for each in looked:
        kind = type_name(each)
        counts[kind] = counts.get(kind, 0) + 1
    said = [
        f"{kind}: {times:,}"
        for kind, times in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:20]
    ]
    if len(looked) < length:
        said.append(f"(of {len(looked):,} items, in blocks evenly spread)")
    keys: dict[str, str] = {}
    for each in looked[:1_000]:
        if type(each) is dict:
            for key, held in list(islice(each.items(), _KEYS_AT_MOST)):
                label = plainly(key)
                keys.setdefault(label, _kind_of(held, label))
    if keys:
        shown = ", ".join(f"{key} ({kind})" for key, kind in list(keys.items())[:_KEYS_AT_MOST])
        said.append(f"keys of dict: {shown}")
    return "\n".join(said)


def _numbers(looked: list[Any]) -> str:
    kept = [each for each in looked if type(each) in (int, float) and abs(each) < 1e300]  # noqa: PLR2004 - so that sums stay numbers
    if not kept or len(kept) < len(looked) / 2:
        return ""
    mean = sum(each / len(kept) for each in kept)
    return f"numbers: min {real(min(kept))}, max {real(max(kept))}, mean {real(mean)}"


def _kind_of(value: Any, label: str) -> str:
    kind = type(value)
    if is_secret_name(label):
        return type_name(value)  # how long a secret is helps who guesses it
    if kind is str:
        return f"str of {len(value):,} characters"
    if kind in (list, tuple, set, frozenset, dict, bytes):
        return f"{kind.__name__} of {len(value):,}"
    return type_name(value)


def _title(grant: Grant) -> str:
    return "all" if grant.see == "all" else "sample"


_LOOKS: Final[dict[type, Callable[[Any, Grant], Portrait]]] = {
    type(None): _nothing,
    bool: _scalar,
    bytearray: _bytes,
    bytes: _bytes,
    complex: _object,
    dict: _mapping,
    float: _scalar,
    frozenset: _set,
    int: _scalar,
    list: _items,
    set: _set,
    str: _text,
    tuple: _items,
}
