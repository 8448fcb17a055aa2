import path from 'node:path';
import { Router } from 'express';

/**
 * `GET /client.js`: the SDK as one module, and the map of its source. Browsers may keep it, and ask each time whether it is
 * still the one. `folder` has both files.
 */
export function clientScriptRoutes(folder: string): Router {
  return Router().get(['/client.js', '/client.js.map'], (req, res) => {
    res.setHeader('Cache-Control', 'no-cache');
    // As a shared worker the script would be bound by it, and could not reach the other nodes of a cluster.
    res.removeHeader('Content-Security-Policy');
    res.sendFile(path.join(folder, req.path));
  });
}
