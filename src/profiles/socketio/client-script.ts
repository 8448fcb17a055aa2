import { createReadStream, existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { WEBSOCKET_PATH } from '../http/profile-document.js';

const NAME = /^socket\.io(\.esm)?(\.min)?\.js(\.map)?$/;

/** Serves the stock client where pages look for it: `/socket.io/socket.io.js` and its variants. */
export class ClientScript {
  readonly #folder = path.join(
    path.dirname(createRequire(import.meta.url).resolve('socket.io/package.json')),
    'client-dist',
  );

  /** Answers and returns true when `requestPath` is one of the client's files. */
  serve(requestPath: string, res: ServerResponse): boolean {
    const name = requestPath.slice(WEBSOCKET_PATH.length + 1);
    if (!NAME.test(name)) return false;
    const file = path.join(this.#folder, name);
    if (!existsSync(file)) return false;
    res.setHeader(
      'Content-Type',
      name.endsWith('.map') ? 'application/json' : 'text/javascript; charset=utf-8',
    );
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Cache-Control', 'public, max-age=3600');
    pipeline(createReadStream(file), res, () => undefined);
    return true;
  }
}
