"""What no other tool looks at: private modules of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.tidy import complaints

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "name"),
    [
        pytest.param("from hypernb.views._phrase import Phrase", "_phrase.Phrase", id="module"),
        pytest.param("from hypernb.views import _phrase", "views._phrase", id="package"),
        pytest.param("import hypernb.views._phrase", "views._phrase", id="import"),
        pytest.param("def f():\n    from hypernb.views import _f", "views._f", id="lazy"),
        pytest.param("from hypernb.views import Phrase", "", id="public"),
        pytest.param("from hypernb.widgets._facts import phrase", "", id="own"),
        pytest.param("from hypernb import __version__", "", id="dunder"),
        pytest.param("from rich._null_file import NullFile", "", id="others"),
    ],
)
def test_what_is_private_to_another_package_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path.joinpath("hypernb", "widgets", "_output.py").relative_to(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n")
    found = complaints(path)
    assert [each for each in found if name not in each] == []
    assert len(found) == bool(name)
