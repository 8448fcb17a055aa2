/** The fields of one block of a stream. */
export interface SseBlock {
  /** Text after a colon, which clients ignore. */
  readonly comment?: string;
  /** ms a client waits before it reconnects. */
  readonly retry?: number;
  /** What `Last-Event-ID` becomes. Line ends and NUL, which the format can't carry here, are left out. */
  readonly id?: string;
  /** The event's name; none means `message`. Line ends are left out. */
  readonly event?: string;
  /** Any text. Each of its lines (ended by CR LF, LF or CR) becomes a field of its own. */
  readonly data?: string;
}

const LINE_END = /\r\n|\r|\n/;

/**
 * Frames one block of an event stream, ended by an empty line. Pure. Whatever text comes in, a client that follows
 * the standard gets it as `data`, except that its line ends all become LF.
 * Source: WHATWG HTML, section 9.2.5, parsing an event stream.
 */
export function formatSseBlock(block: SseBlock): string {
  let text = '';
  if (block.comment !== undefined) text += lines(': ', block.comment);
  if (block.retry !== undefined) text += `retry: ${String(Math.round(block.retry))}\n`;
  if (block.id !== undefined) text += `id: ${block.id.replace(/[\r\n\0]/g, '')}\n`;
  if (block.event !== undefined) text += `event: ${block.event.replace(/[\r\n]/g, '')}\n`;
  if (block.data !== undefined) text += lines('data: ', block.data);
  return `${text}\n`;
}

function lines(prefix: string, text: string): string {
  // Most text is one line of JSON, for which the split is not worth it.
  if (!/[\r\n]/.test(text)) return `${prefix}${text}\n`;
  return text
    .split(LINE_END)
    .map((line) => `${prefix}${line}\n`)
    .join('');
}
