/** The rules that only a validation's report needs. */
export const VALIDATE_STYLE = `
:root { --gateway: var(--sse); --baseline: #8b98a5; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 14px 26px; margin-top: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } .line.thin { stroke-width: 1.1; opacity: 0.65; }
.line.legacy { stroke: var(--legacy); } .line.bundle { stroke: var(--websocket); } .line.sse { stroke: var(--sse); } .line.gateway { stroke: var(--ink); stroke-width: 1.6; }
.bar.gateway { fill: var(--gateway); } .bar.baseline { fill: var(--baseline); }
.grid.strong { stroke: var(--muted); stroke-dasharray: 2 3; }
.plot .label { fill: var(--ink); font-size: 12.5px; }
.levels th:first-child, .levels td:first-child { text-align: left; }
.levels tbody td { border-top: 1px solid var(--line); padding: 8px; }
.levels td b { font-weight: 650; }
.badge { display: inline-block; min-width: 46px; margin-left: 10px; padding: 1px 8px; border-radius: 999px; font-size: 11.5px; font-weight: 700; letter-spacing: 0.03em; text-align: center; }
.badge.pass { background: var(--good-soft); } .badge.fail { background: var(--bad-soft); } .badge.open { background: var(--band); color: var(--muted); }
.notes { margin-top: 12px; display: grid; gap: 4px; }
.method { margin-top: 10px; padding-left: 18px; font-size: 13.5px; display: grid; gap: 6px; }
.tile .target { display: block; }
`;
