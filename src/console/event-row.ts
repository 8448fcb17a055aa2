import type { Gap, GatewayEvent } from '../client/index.js';
import { preview } from './preview.js';
import { formatTimeOfDay } from './quantity.js';

/** What a row of the list shows: an event, a gap in them, or what the gateway said about the stream. */
export type Entry =
  | { readonly kind: 'event'; readonly seq: number; readonly event: GatewayEvent }
  | { readonly kind: 'gap'; readonly seq: number; readonly at: number; readonly gap: Gap }
  | { readonly kind: 'notice'; readonly seq: number; readonly at: number; readonly text: string };

/** Most characters of an opened event; larger ones are cut, and say so. */
const MAX_DETAIL_CHARS = 50_000;

/** The list item of an entry. Everything from outside enters as text. */
export function createEventRow(entry: Entry): HTMLLIElement {
  const row = document.createElement('li');
  row.className = `row row-${entry.kind}`;
  row.dataset['kind'] = entry.kind;
  switch (entry.kind) {
    case 'event':
      fillEvent(row, entry.event);
      break;
    case 'gap':
      row.dataset['type'] = 'gap';
      row.append(span('row-time', formatTimeOfDay(entry.at)), span('row-text', describeGap(entry.gap)));
      break;
    case 'notice':
      row.dataset['type'] = 'notice';
      row.append(span('row-time', formatTimeOfDay(entry.at)), span('row-text', entry.text));
      break;
  }
  return row;
}

function fillEvent(row: HTMLLIElement, event: GatewayEvent): void {
  row.dataset['type'] = event.type;
  row.dataset['id'] = event.id;
  row.style.setProperty('--type-hue', String(hueOf(event.type)));
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  const name = event.key === undefined ? event.room : `${event.room} · ${event.key}`;
  summary.append(
    span('row-time', formatTimeOfDay(event.timestamp)),
    span('row-type', event.type),
    span('row-room', name),
    span('row-data', preview(event.data)),
  );
  details.append(summary);
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(createDetail(event));
  });
  row.append(details);
}

function createDetail(event: GatewayEvent): HTMLPreElement {
  const pre = document.createElement('pre');
  pre.tabIndex = 0;
  const text = toText(event);
  pre.textContent =
    text.length <= MAX_DETAIL_CHARS
      ? text
      : `${text.slice(0, MAX_DETAIL_CHARS)}\n… ${String(text.length - MAX_DETAIL_CHARS)} more characters`;
  return pre;
}

function toText(event: GatewayEvent): string {
  try {
    return JSON.stringify(event, null, 2);
  } catch {
    return 'This event is nested too deeply to be shown.';
  }
}

function describeGap({ reason, dropped }: Gap): string {
  if (dropped === null) return `Gap: events are missing here (${reason})`;
  return `Gap: ${String(dropped)} ${dropped === 1 ? 'event is' : 'events are'} missing here (${reason})`;
}

function span(className: string, text: string): HTMLSpanElement {
  const made = document.createElement('span');
  made.className = className;
  made.textContent = text;
  return made;
}

/** A hue in degrees, the same for the same type, so that types can be told apart at a glance. */
function hueOf(type: string): number {
  let hash = 0;
  for (const char of type) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 360;
  return hash;
}
