/** One dispatched message of an event stream. */
export interface StreamMessage {
  /** The event's name; `message` when the stream gave none. */
  readonly type: string;
  readonly data: string;
  /** What `Last-Event-ID` was when it was dispatched. */
  readonly lastEventId: string;
}

/**
 * Reads an event stream as the standard says, step by step and with nothing left out, as a browser would.
 * Source: WHATWG HTML, sections 9.2.5 and 9.2.6.
 */
export class EventStreamParser {
  readonly messages: StreamMessage[] = [];
  readonly comments: string[] = [];
  /** The reconnection time, ms; undefined while the stream named none. */
  retryMs: number | undefined;
  /** The last event ID string: a block sets it also when it dispatches nothing. */
  lastEventId: string;

  readonly #decoder = new TextDecoder();
  readonly #onMessage: (message: StreamMessage) => void;
  #line = '';
  #afterCr = false;
  #data = '';
  #type = '';
  #idBuffer: string;

  /** `lastEventId` is what an earlier connection left. */
  constructor(onMessage: (message: StreamMessage) => void = () => undefined, lastEventId = '') {
    this.#onMessage = onMessage;
    this.lastEventId = lastEventId;
    this.#idBuffer = lastEventId;
  }

  /** Takes the next bytes, however they are cut. */
  feed(bytes: Uint8Array): void {
    for (const char of this.#decoder.decode(bytes, { stream: true })) {
      const isRestOfCrLf = this.#afterCr && char === '\n';
      this.#afterCr = char === '\r';
      if (isRestOfCrLf) continue;
      if (char === '\r' || char === '\n') this.#endLine();
      else this.#line += char;
    }
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return void this.comments.push(line.slice(1));
    const value = colon === -1 ? '' : line.slice(colon + 1);
    this.#field(colon === -1 ? line : line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value);
  }

  #field(name: string, value: string): void {
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data += `${value}\n`;
    else if (name === 'id' && !value.includes('\0')) this.#idBuffer = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): void {
    this.lastEventId = this.#idBuffer;
    const data = this.#data;
    const type = this.#type === '' ? 'message' : this.#type;
    this.#data = '';
    this.#type = '';
    if (data === '') return;
    const message = { type, data: data.slice(0, -1), lastEventId: this.lastEventId };
    this.messages.push(message);
    this.#onMessage(message);
  }
}
