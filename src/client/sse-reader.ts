/** One block of a stream of Server-Sent Events. */
export interface SseBlock {
  readonly event: string;
  /** null for a block without data. */
  readonly data: string | null;
  /** null for a block without an id. */
  readonly id: string | null;
}

/**
 * Reads an event stream: returns what takes its text, in pieces cut anywhere. Parsers that follow the standard tell of
 * blocks with data only; this one also of those with an id alone, since on a quiet stream it is pings that move the cursor.
 * Source: WHATWG HTML, section 9.2.6, interpreting an event stream.
 */
export function readSse(take: (block: SseBlock) => void): (text: string) => void {
  let rest = '';
  let event = '';
  let data: string | null = null;
  let id: string | null = null;
  const read = (line: string): void => {
    const colon = `${line}:`.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data = data === null ? value : `${data}\n${value}`;
    if (name === 'event') event = value;
    if (name === 'id' && !value.includes('\0')) id = value;
    if (line !== '') return;
    if (data !== null || id !== null) take({ event: event || 'message', data, id });
    event = '';
    data = id = null;
  };
  return (text) => {
    // A CR at the end may be the first half of a line's end.
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    lines.forEach(read);
  };
}
