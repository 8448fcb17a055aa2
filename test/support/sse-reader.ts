import { HttpBody } from './http-body.js';
import type { RawReader } from './raw-reader.js';

/**
 * Reads the stream of a gateway fast: of the standard it knows what the gateway uses, one line of each field and LF
 * at the end of lines. The parser to the letter is `EventStreamParser`.
 */
export class SseReader implements RawReader {
  readonly #onMessage: (name: string, content: unknown, cursor: string | null) => void;
  readonly #body = new HttpBody();
  readonly #decoder = new TextDecoder();
  #text = '';

  /** `content` is undefined for a block that only moves the cursor. */
  constructor(onMessage: (name: string, content: unknown, cursor: string | null) => void) {
    this.#onMessage = onMessage;
  }

  feed(bytes: Buffer): void {
    for (const part of this.#body.feed(bytes)) {
      const blocks = (this.#text + this.#decoder.decode(part, { stream: true })).split('\n\n');
      this.#text = blocks.pop() ?? '';
      for (const block of blocks) this.#read(block);
    }
  }

  #read(block: string): void {
    let name = 'events';
    let cursor: string | null = null;
    let content: unknown;
    for (const line of block.split('\n')) {
      if (line.startsWith('data: ')) content = JSON.parse(line.slice(6));
      else if (line.startsWith('id: ')) cursor = line.slice(4);
      else if (line.startsWith('event: ')) name = line.slice(7);
    }
    this.#onMessage(name, content, cursor);
  }
}
