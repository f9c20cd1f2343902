"""The style sheet of every view: one class, colours from the theme, fallbacks for its absence."""

from __future__ import annotations

import re
from typing import Final

# Every colour is mixed from a variable of the theme towards the theme's own text or background,
# so one rule serves light, dark and high contrast. Where there is no theme (a page, GitHub,
# another editor), the fallbacks follow the reader's preference.
_SHEET: Final = """
.hynb { --f-bg:#fff; --f-ink:#000; --f-text:rgba(0,0,0,.87); --f-brand:#1976d2; --f-warn:#f57c00;
  --f-bad:#d32f2f; --f-good:#388e3c; --f-link:#0d47a1; }
@media (prefers-color-scheme: dark) { .hynb { --f-bg:#111; --f-ink:#fff; --f-text:rgba(255,255,255,.87);
  --f-brand:#2196f3; --f-warn:#ff9800; --f-bad:#f44336; --f-good:#4caf50; --f-link:#64b5f6; } }
.hynb {
  --bg: var(--jp-layout-color0, var(--vscode-editor-background, var(--f-bg)));
  --ink: var(--jp-ui-font-color0, var(--vscode-editor-foreground, var(--f-ink)));
  --text: var(--jp-ui-font-color1, var(--vscode-editor-foreground, var(--f-text)));
  --brand: var(--jp-brand-color1, var(--f-brand));
  --muted: color-mix(in srgb, var(--ink) 66%, var(--bg));
  --line: color-mix(in srgb, var(--ink) 14%, var(--bg));
  --edge: color-mix(in srgb, var(--ink) 48%, var(--bg));
  --panel: color-mix(in srgb, var(--ink) 4%, var(--bg));
  --link: var(--jp-content-link-color, var(--f-link));
  --active: color-mix(in srgb, var(--brand) 82%, var(--ink));
  --attention: color-mix(in srgb, var(--jp-warn-color1, var(--f-warn)) 62%, var(--ink));
  --good: color-mix(in srgb, var(--jp-success-color1, var(--f-good)) 76%, var(--ink));
  --bad: color-mix(in srgb, var(--jp-error-color1, var(--f-bad)) 82%, var(--ink));
  --attention-tint: color-mix(in srgb, var(--jp-warn-color1, var(--f-warn)) 8%, var(--bg));
  --good-tint: color-mix(in srgb, var(--jp-success-color1, var(--f-good)) 9%, var(--bg));
  --bad-tint: color-mix(in srgb, var(--jp-error-color1, var(--f-bad)) 9%, var(--bg));
  --active-tint: color-mix(in srgb, var(--brand) 9%, var(--bg));
  --mono: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace);
  container-type: inline-size; box-sizing: border-box; background: var(--bg); color: var(--text);
  border: 1px solid var(--line); border-radius: 3px; overflow-wrap: anywhere;
  font: 400 var(--jp-ui-font-size1, 13px)/1.5 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif);
  font-variant-numeric: tabular-nums; text-align: left;
}
.hynb *, .hynb *::before { box-sizing: border-box; }
.hynb :where(h2,h3,h4,h5,p,dl,dt,dd,ul,ol,li,pre,table,thead,tbody,tr) { margin: 0; padding: 0; border: 0; font-size: 1em; color: inherit; background: none; }
.hynb :where(dt,dd) { float: none; width: auto; display: block; }
.hynb :where(h2,h3,h4,h5) { font-weight: 600; color: var(--ink); line-height: 1.4; }
.hynb :where(ul,ol) { list-style: none; }
.hynb :where(code,pre) { font: 400 .923em/1.5 var(--mono); color: inherit; background: none; padding: 0; border: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.hynb :where(b,strong) { font-weight: 600; color: var(--ink); }
.hynb .vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.hynb .quiet, .hynb .aside { color: var(--muted); font-weight: 400; font-size: .923em; }
.hynb .aside { margin-left: 8px; }
.hynb :focus-visible { outline: 2px solid var(--brand); outline-offset: 2px; }
.hynb .h { font-weight: 600; color: var(--ink); font-size: 1.077em; }
.hynb .ico { width: 1.08em; height: 1.08em; max-width: none; vertical-align: -.16em; overflow: visible; display: inline-block; flex: none; }
.hynb .f { fill: currentColor; stroke: none; } .hynb .o { fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.hynb .w { stroke-width: 2.2; } .hynb .k { fill: none; stroke: var(--bg); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.hynb .r-neutral { color: var(--muted); } .hynb .r-active { color: var(--active); } .hynb .r-attention { color: var(--attention); }
.hynb .r-good { color: var(--good); } .hynb .r-bad { color: var(--bad); }
.hynb .state { white-space: nowrap; } .hynb .state > :is(span,b) { white-space: normal; margin-left: .2em; }
.hynb .head { padding: 14px 16px 12px; }
.hynb .eyebrow { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; color: var(--muted); font-size: .923em; }
.hynb .goal { font-size: 1.231em; line-height: 1.35; margin: 2px 0 10px; max-width: 62ch; white-space: pre-line; }
.hynb .stateline { padding-top: 9px; border-top: 1px solid var(--line); font-size: 1.154em; }
.hynb .stateline .since { color: var(--muted); margin-left: 10px; font-size: .8em; }
.hynb .now { display: grid; grid-template-columns: 92px minmax(0, 1fr); row-gap: 3px; font-size: 1.077em; margin-top: 8px; }
.hynb .now dt { color: var(--muted); font-weight: 400; } .hynb .now dd { color: var(--ink); max-width: 84ch; }
.hynb .meters { display: grid; grid-template-columns: 1fr 1fr; gap: 12px 32px; margin-top: 12px; padding-top: 10px; border-top: 1px solid var(--line); }
.hynb .meter > p:first-child { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 12px; }
.hynb .bar { display: flex; gap: 2px; height: 10px; margin: 5px 0; }
.hynb .bar i { flex: 1 1 0; border: 1px solid var(--edge); border-radius: 1px; min-width: 1px; }
.hynb .bar .b-good { background: var(--good); border-color: var(--good); }
.hynb .bar .b-active { border-color: var(--active); background: linear-gradient(to top, var(--active) 50%, var(--bg) 50%); }
.hynb .bar .b-attention { border: 2px solid var(--attention); }
.hynb .bar .b-bad { border-color: var(--bad); background: repeating-linear-gradient(45deg, var(--bad) 0 1.5px, var(--bg) 1.5px 4px); }
.hynb .bar .b-spent { background: var(--muted); border-color: var(--muted); }
.hynb .tally { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: .923em; color: var(--muted); }
.hynb .block { border-top: 1px solid var(--line); padding: 12px 16px; }
.hynb .block > :is(h3,h4) { margin-bottom: 4px; }
.hynb .ask { background: var(--attention-tint); border-left: 4px solid var(--attention); padding-left: 12px; }
.hynb .end-good { background: var(--good-tint); border-left: 4px solid var(--good); padding-left: 12px; }
.hynb .end-bad { background: var(--bad-tint); border-left: 4px solid var(--bad); padding-left: 12px; }
.hynb .end-neutral { border-left: 4px solid var(--edge); padding-left: 12px; }
.hynb .outcome { font-size: 1.231em; line-height: 1.4; color: var(--ink); max-width: 66ch; margin: 6px 0; }
.hynb .block .stateline { border: 0; padding: 0; }
.hynb .two { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 8px 32px; }
.hynb .b { font-weight: 600; color: var(--ink); }
.hynb .kv { display: grid; grid-template-columns: 84px minmax(0, 1fr); gap: 2px 8px; }
.hynb .kv dt { color: var(--muted); font-weight: 400; } .hynb .kv dd { color: var(--ink); }
.hynb .whole { white-space: pre-wrap; }
.hynb .kv.wide { grid-template-columns: 108px minmax(0, 1fr); }
.hynb .cmds { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 20px; }
.hynb .cmds dt { font-weight: 400; } .hynb .cmds dt code { color: var(--ink); border: 1px solid var(--edge); border-radius: 3px; padding: 1px 7px; display: inline-block; background: var(--bg); }
.hynb .notes { margin-top: 8px; } .hynb .ask .cmds { margin: 12px 0 8px; } .hynb .ask .cmds dt:first-child code { border: 2px solid var(--brand); font-weight: 600; }
.hynb .list li { padding: 2px 0; } .hynb .steps { counter-reset: s; } .hynb .steps > li { counter-increment: s; padding: 4px 0 4px 26px; position: relative; max-width: 84ch; }
.hynb .steps > li::before { content: counter(s) "."; position: absolute; left: 0; color: var(--muted); }
.hynb .scroll { overflow-x: auto; }
.hynb table.t { border-collapse: collapse; border-spacing: 0; width: 100%; table-layout: auto; font-size: 1em; margin: 0; }
.hynb .t caption { caption-side: top; text-align: left; padding: 0 0 4px; color: var(--text); font-size: 1em; }
.hynb .t tbody > tr:nth-child(n) { background: none; } .hynb .t tbody > tr:nth-child(n):hover { background: none; }
.hynb .t :is(th,td) { text-align: left; vertical-align: baseline; padding: 6px 12px 6px 0; border: 0; border-bottom: 1px solid var(--line); line-height: 1.45; white-space: normal; max-width: none; font-size: 1em; font-weight: 400; overflow-wrap: break-word; }
.hynb .t thead th { color: var(--muted); font-size: .923em; padding: 3px 12px 3px 0; border-bottom-color: var(--edge); white-space: nowrap; }
.hynb .t tbody th { color: var(--ink); } .hynb .t :is(th,td):last-child { padding-right: 0; }
.hynb .t .num { text-align: right; white-space: nowrap; } .hynb .t .nowrap { white-space: nowrap; }
.hynb .t .sub { display: block; color: var(--text); } .hynb .t tr.open > td { padding: 0 0 3px; } .hynb .t tr.row > * { border-bottom-color: transparent; padding-bottom: 2px; }
.hynb .t .name { white-space: nowrap; } .hynb .t .name code { font-weight: 600; color: var(--ink); } .hynb .t .no { color: var(--muted); font: .923em var(--mono); }
.hynb .t .wide { min-width: 12em; } .hynb .t code { overflow-wrap: break-word; white-space: inherit; } .hynb .t .vm { vertical-align: middle; }
.hynb details > summary { cursor: pointer; color: var(--link); min-height: 24px; display: list-item; list-style: disclosure-closed inside; width: max-content; max-width: 100%; font-size: .923em; }
.hynb details[open] > summary { list-style-type: disclosure-open; }
.hynb details .in { border: 1px solid var(--edge); border-left: 4px solid var(--active); border-radius: 3px; padding: 9px 14px 11px; margin: 2px 0 6px; background: var(--bg); }
.hynb pre { max-height: 24em; overflow: auto; padding: 8px 10px; border: 1px solid var(--line); background: var(--panel); border-radius: 3px; margin-top: 6px; }
.hynb .sev { white-space: nowrap; } .hynb .lvl { display: inline-grid; grid-template-columns: repeat(4, 4px); gap: 2px; align-items: end; height: 12px; margin-right: .35em; vertical-align: -1px; }
.hynb .lvl i { border: 1px solid currentColor; height: 4px; } .hynb .lvl i:nth-child(2) { height: 7px; } .hynb .lvl i:nth-child(3) { height: 9px; } .hynb .lvl i:nth-child(4) { height: 12px; }
.hynb .l1 i:nth-child(-n+1), .hynb .l2 i:nth-child(-n+2), .hynb .l3 i:nth-child(-n+3), .hynb .l4 i { background: currentColor; }
.hynb .l1 { color: var(--muted); } .hynb .l2 { color: var(--attention); } .hynb :is(.l3,.l4) { color: var(--bad); }
.hynb .graph { overflow-x: auto; padding: 4px 0; } .hynb .graph svg { display: block; max-width: 100%; height: auto; }
.hynb .e { fill: none; stroke: var(--edge); stroke-width: 1.25; } .hynb .e.wait { stroke-dasharray: 4 3; }
.hynb .e.crit { stroke: var(--ink); stroke-width: 3; } .hynb .e.crit.wait { stroke-dasharray: 9 5; }
.hynb .n { fill: var(--bg); stroke: var(--edge); stroke-width: 1; }
.hynb .n.pending { stroke-dasharray: 4 3; } .hynb .n.running { stroke: var(--active); stroke-width: 2; }
.hynb .n.verifying { stroke: var(--active); stroke-width: 2; } .hynb .n.inner { fill: none; stroke: var(--active); }
.hynb .n.awaiting { stroke: var(--attention); stroke-width: 2; fill: var(--attention-tint); }
.hynb .n.stalled { stroke: var(--attention); stroke-width: 2; stroke-dasharray: 2 2; fill: var(--attention-tint); }
.hynb .n.succeeded { stroke: var(--good); fill: var(--good-tint); } .hynb .n.failed { stroke: var(--bad); stroke-width: 2; fill: var(--bad-tint); }
.hynb .nt { font: 600 12px var(--mono); fill: var(--ink); } .hynb .ns { font-size: 12px; fill: var(--muted); }
.hynb .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: .923em; margin-top: 6px; }
.hynb .legend .ln { width: 30px; height: 8px; margin-right: 6px; vertical-align: middle; display: inline-block; overflow: visible; }
.hynb .par { display: flex; flex-wrap: wrap; gap: 4px 28px; align-items: baseline; margin: 4px 0 12px; }
.hynb .par > div { display: flex; flex-direction: column-reverse; line-height: 1.35; }
.hynb .par dt { color: var(--muted); font-size: .923em; font-weight: 400; } .hynb .par dd { font-size: 1.231em; font-weight: 600; color: var(--ink); }
.hynb .board { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px; }
.hynb .card { border: 1px solid var(--edge); border-radius: 3px; padding: 9px 11px 10px; display: grid; grid-template-rows: auto auto 1fr auto; gap: 4px; }
.hynb .card .doing { border-top: 1px solid var(--line); padding-top: 6px; min-height: 4.4em; line-height: 1.4; } .hynb .card .doing code { font-weight: 600; color: var(--ink); }
.hynb .card dl { display: grid; grid-template-columns: auto 1fr; gap: 0 10px; font-size: .923em; border-top: 1px solid var(--line); padding-top: 5px; }
.hynb .card dt { color: var(--muted); font-weight: 400; } .hynb .card dd { text-align: right; color: var(--ink); }
.hynb .card.c-active { border: 2px solid var(--active); padding: 8px 10px 9px; } .hynb .card.c-none { border-style: dashed; }
.hynb .card.c-awaiting { border: 2px solid var(--attention); background: var(--attention-tint); padding: 8px 10px 9px; }
.hynb .card.c-stalled { border: 2px dotted var(--attention); background: var(--attention-tint); padding: 8px 10px 9px; }
.hynb .lane { position: relative; display: block; height: 14px; min-width: 90px; background: linear-gradient(var(--line), var(--line)) 0 50%/100% 1px no-repeat; }
.hynb .at { position: absolute; top: 0; bottom: 0; border: 1px solid var(--edge); border-radius: 2px; min-width: 3px; background: var(--bg); }
.hynb .at.succeeded { border-color: var(--good); background: var(--good-tint); } .hynb .at.running { border: 2px solid var(--active); border-right-style: dashed; background: var(--active-tint); }
.hynb .at.failed { border-color: var(--bad); background: repeating-linear-gradient(45deg, var(--bad) 0 1.5px, var(--bg) 1.5px 6px); }
.hynb .at:is(.abandoned,.cancelled) { border-style: dashed; } .hynb .at.crit { border-bottom: 4px solid var(--ink); }
.hynb .t.time :is(th,td) { padding-top: 2px; padding-bottom: 2px; } .hynb .t.time .lanes { width: 42%; }
.hynb .foot { border-top: 1px solid var(--line); padding: 7px 16px; color: var(--muted); font-size: .923em; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 16px; }
@container (max-width: 54em) {
  .hynb .two { grid-template-columns: minmax(0, 1fr); } .hynb .board { grid-template-columns: 1fr 1fr; }
  .hynb .t :is(.nowrap,.name) { white-space: normal; } .hynb .t .ago { display: block; } .hynb .t :is(th,td) { padding-right: 10px; } .hynb .t.time .lanes { width: 30%; }
}
@container (max-width: 36em) {
  .hynb :is(.board,.meters,.now,.cmds) { grid-template-columns: minmax(0, 1fr); } .hynb :is(.now,.cmds) dd { margin-bottom: 4px; }
  .hynb .head, .hynb .block, .hynb .foot { padding-left: 12px; padding-right: 12px; }
}
@media (forced-colors: active) {
  .hynb .bar :is(.b-good,.b-spent) { forced-color-adjust: none; background: CanvasText; } .hynb .lvl i { forced-color-adjust: none; }
  .hynb .ico, .hynb .lvl { forced-color-adjust: none; color: CanvasText; --bg: Canvas; }
}
@media print { .hynb .scroll, .hynb .graph { overflow: visible; } .hynb pre { max-height: none; } }
"""


def _pressed(sheet: str) -> str:
    # JupyterLab styles every element of an output by rules of up to two classes and two
    # elements; a class that is named three times outweighs them without "!important".
    sheet = re.sub(r"\.hynb (?!\{)", ".hynb.hynb.hynb ", sheet)
    # A style sheet travels with every output, so white space that says nothing stays at home.
    sheet = re.sub(r"\s+", " ", sheet)
    return re.sub(r" ?([{};>,]) ?", r"\1", sheet).strip()


STYLE: Final = _pressed(_SHEET)
