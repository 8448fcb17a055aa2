/** Takes the bytes of an HTTP/1.1 answer as they come and gives its body, without the chunks it is cut into. */
export class HttpBody {
  /** The status line and the headers; undefined until they are complete. */
  head: string | undefined;
  #pending: Buffer = Buffer.alloc(0);

  /** The parts of the body that these bytes complete. */
  feed(bytes: Buffer): Buffer[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (this.head === undefined) {
      const end = this.#pending.indexOf('\r\n\r\n');
      if (end === -1) return [];
      this.head = this.#pending.toString('latin1', 0, end);
      this.#pending = this.#pending.subarray(end + 4);
    }
    if (!/transfer-encoding: chunked/i.test(this.head)) return [this.#takeAll()];
    const parts: Buffer[] = [];
    for (let part = this.#takeChunk(); part !== undefined; part = this.#takeChunk()) parts.push(part);
    return parts;
  }

  #takeAll(): Buffer {
    const all = this.#pending;
    this.#pending = Buffer.alloc(0);
    return all;
  }

  #takeChunk(): Buffer | undefined {
    const lineEnd = this.#pending.indexOf('\r\n');
    if (lineEnd === -1) return undefined;
    const start = lineEnd + 2;
    const end = start + Number.parseInt(this.#pending.toString('latin1', 0, lineEnd), 16);
    if (this.#pending.length < end + 2) return undefined;
    const part = this.#pending.subarray(start, end);
    this.#pending = this.#pending.subarray(end + 2);
    return part;
  }
}
