import path from 'node:path';
import { Router } from 'express';

/** The SDK as a module, what it loads where tabs share a stream, and the maps of their sources. */
export const CLIENT_FILES = ['/client.js', '/client.js.map', '/client-shared.js', '/client-shared.js.map'];

/**
 * `GET /client.js` and its companions, out of `folder`. Browsers may keep them, and ask each time whether they are still the
 * ones.
 */
export function clientScriptRoutes(folder: string): Router {
  // As they are spelt: what a file system makes of other spellings differs from one to the next.
  return Router({ caseSensitive: true, strict: true }).get(CLIENT_FILES, (req, res) => {
    res.setHeader('Cache-Control', 'no-cache');
    // As a shared worker the script would be bound by it, and could not reach the other nodes of a cluster.
    res.removeHeader('Content-Security-Policy');
    if (req.path.endsWith('.js')) res.setHeader('SourceMap', `${req.path}.map`);
    res.sendFile(path.join(folder, req.path));
  });
}
