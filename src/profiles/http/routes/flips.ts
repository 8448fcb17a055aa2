import { type Request, type Response, Router } from 'express';
import { Refusal } from '../../../core/errors.js';
import type { FlipAccepted } from '../../../core/flip/flip-report.js';
import type { Flips } from '../../../core/flip/flips.js';
import type { Clock } from '../../../core/clock.js';
import { LineAllowance } from '../../../core/line-allowance.js';
import type { Logger } from '../../../core/logger.js';
import type { Tracing } from '../../../core/tracing.js';
import type { Callers } from '../callers.js';
import { callerOf, requires, stillLetIn } from '../guard.js';
import { jsonBody } from '../json-body.js';
import { sendJson, sendRefusal } from '../reply.js';
import { beginTrail } from '../request-trail.js';

const PATH = '/api/admin/profile';
/** Most bytes of a request to flip. */
const MAX_BODY_BYTES = 16 * 1024;
/** Most lines about them that are logged in a second. */
const REFUSALS_PER_SECOND = 10;

/** What {@link flipRoutes} stand on; as the app has it. */
export interface FlipRoutesParts {
  readonly flips: Flips;
  readonly callers: Callers;
  readonly tracing: Tracing;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
}

/**
 * `PUT /api/admin/profile {profile, all?}` flips this node, or, with `all`, begins to flip every node, one after the
 * other; `GET` tells what is served and how the newest flip goes on. Both answer 200 with the same report. Right: `flip`;
 * to be told, `status` will do.
 */
export function flipRoutes({
  maxBodyBytes,
  flips,
  callers,
  tracing,
  logger,
  clock,
}: FlipRoutesParts): Router {
  const refusals = new LineAllowance(clock, REFUSALS_PER_SECOND, (leftOut) => {
    logger.warn('lines about refused flips were left out', { audit: 'flip', leftOut });
  });
  return Router()
    .get(PATH, requires('status', 'flip'), (_req, res) => {
      sendJson(res, 200, flips.report());
    })
    .put(
      PATH,
      requires('flip'),
      jsonBody(Math.min(maxBodyBytes, MAX_BODY_BYTES)),
      stillLetIn(callers),
      async (req: Request, res: Response) => {
        const { id: request } = beginTrail(tracing, `PUT ${PATH}`, req, res);
        const { profile, all = false } = bodyOf(req);
        if (typeof all !== 'boolean')
          return sendRefusal(res, new Refusal('bad_request', 'all must be a boolean'));
        const origin = { by: callerOf(res).id, address: callers.addressOf(req), via: 'http' } as const;
        const facts = { audit: 'flip', request, by: origin.by, address: origin.address, all };
        // Before what is logged of the flip itself.
        const accepted: FlipAccepted = (to, id) => {
          const joins = all && id !== undefined ? { rollout: id } : { flip: id };
          logger.info('a flip was asked for', { ...facts, to, ...joins, repeated: id === undefined });
        };
        const report = await (all
          ? flips.flipAll(profile, origin, accepted)
          : flips.flip(profile, origin, accepted));
        if (report instanceof Refusal) {
          if (refusals.take()) logger.info('a flip was refused', { ...facts, code: report.code });
          return sendRefusal(res, report);
        }
        sendJson(res, 200, report);
      },
    );
}

/** The body's fields; none where the body is no object. */
function bodyOf(req: Request): { readonly profile?: unknown; readonly all?: unknown } {
  const body: unknown = req.body;
  return typeof body === 'object' && body !== null ? body : {};
}
