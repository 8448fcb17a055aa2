import { type Request, type Response, Router } from 'express';
import { Refusal } from '../../../core/errors.js';
import type { Flips } from '../../../core/flip/flips.js';
import type { Callers } from '../callers.js';
import { callerOf, requires } from '../guard.js';
import { sendJson, sendRefusal } from '../reply.js';

const PATH = '/api/admin/profile';

/**
 * `PUT /api/admin/profile {profile, all?}` flips this node, or, with `all`, begins to flip every node, one after the
 * other; `GET` tells what is served and how the newest flip goes on. Both answer 200 with the same report. Right: `flip`;
 * to be told, `status` will do.
 */
export function flipRoutes(flips: Flips, callers: Callers): Router {
  return Router()
    .get(PATH, requires('status', 'flip'), (_req, res) => {
      sendJson(res, 200, flips.report());
    })
    .put(PATH, requires('flip'), async (req: Request, res: Response) => {
      const { profile, all = false } = bodyOf(req);
      if (typeof all !== 'boolean')
        return sendRefusal(res, new Refusal('bad_request', 'all must be a boolean'));
      const origin = { by: callerOf(res).id, address: callers.addressOf(req), via: 'http' } as const;
      const report = await (all ? flips.flipAll(profile, origin) : flips.flip(profile, origin));
      if (report instanceof Refusal) sendRefusal(res, report);
      else sendJson(res, 200, report);
    });
}

/** The body's fields; none where the body is no object. */
function bodyOf(req: Request): { readonly profile?: unknown; readonly all?: unknown } {
  const body: unknown = req.body;
  return typeof body === 'object' && body !== null ? body : {};
}
