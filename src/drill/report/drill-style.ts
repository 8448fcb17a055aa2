/** The rules that only a drill's report needs. */
export const DRILL_STYLE = `
.timeline { min-width: 760px; }
.timeline .step { fill: var(--ink); font-size: 12.5px; font-weight: 600; }
.band.even { fill: transparent; } .band.odd { fill: var(--band); }
.area { fill-opacity: 0.75; } .area.sse { fill: var(--sse); } .area.websocket { fill: var(--websocket); } .area.legacy { fill: var(--legacy); }
.rate { fill: none; stroke: var(--ink); stroke-width: 1.4; stroke-linejoin: round; } .rate-fill { fill: var(--ink); fill-opacity: 0.08; }
.mark line { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 3; } .mark text { font-size: 10.5px; paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.mark.kill line { stroke: var(--bad); } .timeline .mark.kill text { fill: var(--bad); }
.dot { fill-opacity: 0.55; } .dot.sdk { fill: var(--ink); } .dot.legacy { fill: var(--legacy); }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
tbody tr.first td { border-top: 1px solid var(--line); }
.reasons { margin-top: 12px; }
td.step { font-weight: 600; }
td .note { color: var(--muted); }
`;
