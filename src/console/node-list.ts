import { Fields } from './fields.js';
import { formatDuration, formatNumber, UNKNOWN } from './quantity.js';
import { type Cell, Rows } from './rows.js';

/** The elements of the table of nodes. */
export interface NodeListParts {
  /** Hidden while there is no cluster. */
  readonly card: HTMLElement;
  readonly body: HTMLElement;
  readonly note: HTMLElement;
}

/** The gateways that share a Redis: where each is, what it serves, and how many sessions it has. */
export class NodeList {
  readonly #parts: NodeListParts;
  readonly #rows: Rows;

  constructor(parts: NodeListParts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.body);
  }

  /** Shows what a status says; `own` is the node whose figures the page shows. */
  take(status: Fields, own: string | undefined): void {
    const cluster = status.fields('cluster');
    const nodes = nodesOf(status);
    this.#parts.card.hidden = nodes.length === 0;
    this.#parts.note.textContent =
      cluster.flag('reachable') === false ? 'The other nodes can not be reached; shown as they were.' : '';
    this.#rows.draw(nodes.map((node) => rowOf(node, own)));
  }
}

/** The nodes that a status tells of; none where a gateway is by itself. */
export function nodesOf(status: Fields): readonly Fields[] {
  const nodes = status.fields('cluster').value('nodes');
  return Array.isArray(nodes) ? nodes.map((node) => new Fields(node)) : [];
}

function rowOf(node: Fields, own: string | undefined): Cell[] {
  const id = node.text('id') ?? UNKNOWN;
  const sessions = node.fields('sessions');
  const here = id === own ? ' (this node)' : '';
  return [
    { text: `${id.slice(0, 8)}${here}`, title: id },
    {
      text: node.text('url') ?? UNKNOWN,
      title: `${node.text('host') ?? ''} ${node.text('url') ?? ''}`,
      className: 'address',
    },
    { text: node.text('profile') ?? UNKNOWN, state: node.text('profile') ?? '', className: 'served' },
    { text: formatNumber(sessions.number('sse'), 0), className: 'number', label: 'SSE' },
    { text: formatNumber(sessions.number('websocket'), 0), className: 'number', label: 'Socket.IO' },
    { text: formatDuration(node.number('uptimeSeconds')), className: 'number', label: 'Up for' },
  ];
}
