import { escapeText } from './markup.js';
import { PAGE_STYLE } from './page-style.js';

/** A report as people get it. */
export interface HtmlPage {
  /** Plain text. */
  readonly title: string;
  /** Rules that only this report needs, beside the style of all. */
  readonly style: string;
  /** Markup. */
  readonly main: string;
}

/** One page of HTML that needs nothing beside it, and runs nothing. */
export function htmlPage({ title, style, main }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${PAGE_STYLE}${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

/** The head of a report: what it is of, whether that passed, and when it was. */
export function reportHead(of: string, passed: boolean, startedAt: string, seconds: number): string {
  return `<header>
<h1>${escapeText(of)}</h1>
<span class="verdict ${passed ? 'pass' : 'fail'}">${passed ? 'PASSED' : 'FAILED'}</span>
<span class="muted">${escapeText(startedAt.replace('T', ' ').replace(/\..*/, ' UTC'))}, ${seconds.toFixed(0)} s</span>
</header>`;
}

/** What failed, as a card; nothing where nothing did. */
export function failuresCard(failures: readonly string[]): string {
  if (failures.length === 0) return '';
  const items = failures.map((one) => `<li>${escapeText(one)}</li>`).join('');
  return `<section class="card"><h2>What failed</h2><ul class="failures">${items}</ul></section>`;
}

/** Facts, each with its name, as a list. */
export function factList(facts: readonly (readonly [what: string, value: string])[]): string {
  return `<dl>${facts.map(([what, value]) => `<dt>${escapeText(what)}</dt><dd>${escapeText(value)}</dd>`).join('')}</dl>`;
}
