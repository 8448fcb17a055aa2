import type { IncomingMessage, ServerResponse } from 'node:http';

/** A body of so many bytes is read to its end, so that its connection can serve the next request. */
const SMALL_BYTES = 16 * 1024;
/** Most bytes of a larger one that are read, and for how long, so that a client which sends all of it first comes to read the answer. */
const DISCARDED = { bytes: 4 * 1024 * 1024, ms: 2000 };

/** Whether the request has a body that nobody read, of more bytes than are read for the sake of the connection. */
export function leavesBody(req: IncomingMessage): boolean {
  if (req.complete) return false;
  const { 'transfer-encoding': encoding, 'content-length': length } = req.headers;
  return encoding !== undefined || Number(length ?? 0) > SMALL_BYTES;
}

/**
 * Answers a request whose body is left unread, and ends its connection. The client has the whole answer at once; its
 * connection is closed when the body has come, or so much of it that the client had its chance: closed before, it would be reset,
 * and the answer lost. The answer must have its `Content-Length`. Source: RFC 9112, section 9.6.
 */
export function answerUnread(res: ServerResponse, text: string): void {
  const { req } = res;
  let left = DISCARDED.bytes;
  const end = (): void => {
    clearTimeout(deadline);
    res.end();
  };
  const deadline = setTimeout(end, DISCARDED.ms);
  res.setHeader('Connection', 'close');
  res.write(text);
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) end();
  });
  req.once('end', end).once('close', end).resume();
}
