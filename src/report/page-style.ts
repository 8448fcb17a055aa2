/** The style of all reports: light and dark, and on paper. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #ffffff; --ink: #17202a; --muted: #5b6875; --line: #dfe4ea; --band: #5b687512;
  --sse: #0f9488; --websocket: #4f6bed; --legacy: #d48a0c; --good: #15803d; --bad: #b91c1c;
  --good-soft: #15803d1c; --bad-soft: #b91c1c1c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1318; --card: #161d24; --ink: #e4eaf0; --muted: #96a3b0; --line: #28323c; --band: #96a3b012;
    --sse: #2dd4bf; --websocket: #8aa0ff; --legacy: #fbbf24; --good: #4ade80; --bad: #f87171;
    --good-soft: #4ade8022; --bad-soft: #f8717122;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 28px 20px 40px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums;
}
main { max-width: 1280px; margin: 0 auto; display: grid; gap: 18px; }
h1, h2, p, ul, dl, dd { margin: 0; padding: 0; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 16px; }
h1 { font-size: 24px; letter-spacing: -0.02em; }
h2 { font-size: 15px; font-weight: 600; }
.muted { color: var(--muted); font-size: 13px; }
.verdict { padding: 3px 14px; border-radius: 999px; font-weight: 700; letter-spacing: 0.04em; }
.pass { color: var(--good); } .fail { color: var(--bad); }
.verdict.pass { background: var(--good-soft); } .verdict.fail { background: var(--bad-soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 20px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.tile { padding: 14px 18px; }
.tile b { display: block; font-size: 26px; font-weight: 650; letter-spacing: -0.02em; line-height: 1.25; }
.failures { padding-left: 20px; color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 0 12px; font-size: 13px; color: var(--muted); }
.legend .round::before { border-radius: 50%; }
.legend span::before { content: ""; display: inline-block; width: 10px; height: 10px; margin-right: 7px; border-radius: 3px; background: var(--of); }
.scroll { overflow-x: auto; }
.plot { display: block; width: 100%; height: auto; }
.plot text { fill: var(--muted); font-size: 11.5px; }
.plot .row { fill: var(--ink); font-size: 12.5px; paint-order: stroke; stroke: var(--card); stroke-width: 5px; stroke-linejoin: round; }
.grid { stroke: var(--line); stroke-width: 1; } .tick { stroke: var(--muted); }
.limit { stroke: var(--bad); stroke-width: 1.2; stroke-dasharray: 6 4; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px; }
th { font-weight: 500; color: var(--muted); text-align: right; padding: 4px 8px 8px; vertical-align: bottom; }
td { text-align: right; padding: 6px 8px; white-space: nowrap; }
td.bad { color: var(--bad); font-weight: 700; }
td.zero { color: var(--muted); }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(360px, 1fr)); gap: 18px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 18px; margin-top: 10px; font-size: 13.5px; }
dt { color: var(--muted); }
.targets { list-style: none; margin-top: 10px; font-size: 13.5px; display: grid; gap: 4px; }
.targets b { display: inline-block; width: 48px; }
@media print { body { background: none; padding: 0; } .card { break-inside: avoid; } }
`;
