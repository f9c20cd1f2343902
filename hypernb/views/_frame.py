"""The box around a view, and the page around a box."""

from __future__ import annotations

import re
from typing import Final

from hypernb.views._clean import line
from hypernb.views._markup import Child, Html, el
from hypernb.views._style import STYLE

# JupyterLab's own values, for places that have no theme.
_LIGHT: Final = (
    "--jp-layout-color0:#fff;--jp-layout-color1:#fff;--jp-layout-color2:#eee;"
    "--jp-ui-font-color0:rgba(0,0,0,1);--jp-ui-font-color1:rgba(0,0,0,.87);"
    "--jp-border-color1:#bdbdbd;--jp-brand-color1:#1976d2;--jp-warn-color1:#f57c00;"
    "--jp-error-color1:#d32f2f;--jp-success-color1:#388e3c;--jp-content-link-color:#0d47a1;"
)
_DARK: Final = (
    "--jp-layout-color0:#111;--jp-layout-color1:#212121;--jp-layout-color2:#424242;"
    "--jp-ui-font-color0:#fff;--jp-ui-font-color1:rgba(255,255,255,.87);"
    "--jp-border-color1:#616161;--jp-brand-color1:#2196f3;--jp-warn-color1:#ff9800;"
    "--jp-error-color1:#f44336;--jp-success-color1:#4caf50;--jp-content-link-color:#64b5f6;"
)
_PAGE: Final = (
    f":root{{color-scheme:light dark;{_LIGHT}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    "body{margin:0;background:var(--jp-layout-color0);color:var(--jp-ui-font-color1);"
    'font:13px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}'
    "main{max-width:1400px;margin:0 auto;padding:16px}"
    "main>h1{font-size:13px;font-weight:400;margin:0 0 12px}"
)
# Notebooks take what stands between two dollar signs for a formula; of MathJax 3 and 2.
_NO_MATHS: Final = "mathjax_ignore tex2jax_ignore"
_HEADING: Final = re.compile(r"(</?h)([345])(?=[ >])")


def fragment(label: str, *parts: Child) -> str:
    """Put a view in its box, with the style that it needs."""
    style = Html(f"<style>{STYLE}</style>")
    return str(el("section", style, *parts, cls=f"hynb {_NO_MATHS}", aria_label=label))


def small(label: str, *parts: Child) -> str:
    """Put a list or a table in the same box."""
    return fragment(label, el("div", *parts, cls="block plain"))


def closed_html(what: str, again: str) -> str:
    """Say in the place of a closed view what it was, and what opens another.

    Args:
        what: What was shown, as a sentence names it.
        again: What a cell has to hold to show it anew.
    """
    said = el("p", f"{what}: closed; ", el("code", line(again)), " shows it live again.")
    return small(what, said)


def page(title: str, body: str) -> str:
    """Make a complete document of a view, for export; it needs nothing but itself.

    Args:
        title: Text of the document's title; it is escaped.
        body: HTML as the functions of this package return it; it is not escaped.
    """
    # In a notebook a view's headings stand below those of the notebook; on a page of its own
    # they stand right below the title.
    raised = _HEADING.sub(lambda match: f"{match[1]}{int(match[2]) - 1}", body)
    said = el("title", line(title))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{said}\n<style>{_PAGE}</style>\n</head>\n<body>\n<main>\n"
        f"{el('h1', line(title))}\n{raised}\n</main>\n</body>\n</html>\n"
    )
