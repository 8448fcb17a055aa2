/** An answer of HTTP/1.1 as it stands in a stream of bytes. */
export interface RawAnswer {
  readonly status: number;
  /** By name in lower case; of several, the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** False where more of its body is to come. */
  readonly isWhole: boolean;
}

/**
 * The answers that `bytes` hold, in order; what follows a switch of protocols, or is cut short in a head, is left out. Those to
 * HEAD have no bodies.
 */
export function answersIn(bytes: Buffer, toHead = false): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes;
  for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
    const [start = '', ...lines] = rest.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(start)?.[1]);
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    if (Number.isNaN(status)) break;
    const after = rest.subarray(end + 4);
    const taken = toHead ? { body: '', rest: after } : takeBody(after, status, headers);
    answers.push({ status, headers, body: taken.body, isWhole: taken.rest !== undefined });
    if (taken.rest === undefined || status === 101) break;
    rest = taken.rest;
  }
  return answers;
}

interface TakenBody {
  readonly body: string;
  /** What follows it; undefined while it is not whole. */
  readonly rest: Buffer | undefined;
}

function takeBody(bytes: Buffer, status: number, headers: ReadonlyMap<string, string>): TakenBody {
  if (status < 200 || status === 204 || status === 304) return { body: '', rest: bytes };
  if (headers.get('transfer-encoding') === 'chunked') return takeChunks(bytes);
  const length = Number(headers.get('content-length') ?? Infinity);
  const body = bytes.toString('utf8', 0, length);
  return { body, rest: bytes.length < length ? undefined : bytes.subarray(length) };
}

function takeChunks(bytes: Buffer): TakenBody {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const length = lineEnd === -1 ? NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (Number.isNaN(length) || bytes.length < start + length + 2) return { body, rest: undefined };
    body += bytes.toString('utf8', start, start + length);
    at = start + length + 2;
    if (length === 0) return { body, rest: bytes.subarray(at) };
  }
}
