import { type Request, type Response, Router } from 'express';
import type { Denials } from '../../../core/auth/denials.js';
import { type Denial, type DeniedPrincipals, MAX_DENIALS } from '../../../core/auth/denied-principals.js';
import { blockId, parseBlockId } from '../../../core/auth/principal-id.js';
import type { Clock } from '../../../core/clock.js';
import { Refusal } from '../../../core/errors.js';
import { LineAllowance } from '../../../core/line-allowance.js';
import type { Logger } from '../../../core/logger.js';
import type { Tracing } from '../../../core/tracing.js';
import type { Callers } from '../callers.js';
import { callerOf, requires, stillLetIn } from '../guard.js';
import { jsonBody } from '../json-body.js';
import { sendJson, sendRefusal } from '../reply.js';
import { beginTrail } from '../request-trail.js';

const PATH = '/api/admin/denied';
/** Denials of one answer: default and most. */
export const DENIALS_LIMIT = { default: 100, max: 1000 };
/** Most characters of a reason, and the longest time a denial lasts, s: ten years. */
export const DENIAL_BOUNDS = { reason: 200, seconds: 315_360_000 };
/** Most bytes of the terms of a denial. */
const MAX_BODY_BYTES = 16 * 1024;
/** Most lines about refused ones that are logged in a second. */
const REFUSALS_PER_SECOND = 10;
const REASON = /^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;

/** The answer that lists who is denied. */
export interface DeniedList {
  /** Newest first. */
  readonly denied: readonly Denial[];
  /** How many there are in all. */
  readonly total: number;
}

/** The answer to who lifts a denial. */
export interface LiftedDenial {
  readonly principal: string;
  /** False: it was not denied. */
  readonly lifted: boolean;
}

/** What {@link denialRoutes} stand on; as the app has it. */
export interface DenialRoutesParts {
  readonly denials: Denials;
  readonly denied: DeniedPrincipals;
  readonly callers: Callers;
  readonly tracing: Tracing;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * `PUT /api/admin/denied/{principal} {reason?, seconds?}` denies a principal access, on all nodes, and ends its sessions;
 * `DELETE` lifts that; `GET /api/admin/denied?limit=` lists the newest. Right: `deny`; to read the list, `status` will do.
 */
export function denialRoutes({
  denials,
  denied,
  callers,
  tracing,
  logger,
  clock,
}: DenialRoutesParts): Router {
  const refusals = new LineAllowance(clock, REFUSALS_PER_SECOND, (leftOut) => {
    logger.warn('lines about refused denials were left out', { audit: 'deny', leftOut });
  });
  /** Answers a change, and writes it to the audit log. */
  const change = async (
    req: Request,
    res: Response,
    done: string,
    run: (principal: string) => Promise<object | Refusal>,
  ): Promise<void> => {
    const { id: request } = beginTrail(tracing, `${req.method} ${PATH}`, req, res);
    const principal = parseBlockId(String(req.params['principal']));
    const facts = { audit: 'deny', request, by: callerOf(res).id, address: callers.addressOf(req) };
    const answer = principal === undefined ? noPrincipal() : await run(principal);
    if (!(answer instanceof Refusal)) {
      logger.info(done, { ...facts, principal, ...answer });
      return sendJson(res, 200, answer);
    }
    if (refusals.take()) {
      const { code } = answer;
      logger.info('a change of who is denied was refused', { ...facts, principal: principal ?? null, code });
    }
    sendRefusal(res, answer);
  };
  return Router()
    .get(PATH, requires('status', 'deny'), (req, res) => {
      const { limit = String(DENIALS_LIMIT.default) } = req.query;
      const count = Number(limit);
      if (!Number.isInteger(count) || count < 1 || count > DENIALS_LIMIT.max) {
        return sendRefusal(res, new Refusal('bad_request', 'limit must be a whole number from 1 to 1000'));
      }
      const all = denied.newest(MAX_DENIALS);
      sendJson(res, 200, { denied: all.slice(0, count), total: all.length } satisfies DeniedList);
    })
    .put(
      `${PATH}/:principal`,
      requires('deny'),
      jsonBody(MAX_BODY_BYTES),
      stillLetIn(callers),
      (req: Request, res) =>
        change(req, res, 'a principal was denied', async (principal) => {
          const by = callerOf(res).id;
          if (blockId(by) === principal) return ownPrincipal();
          const terms = termsIn(req.body, clock.now());
          if (terms instanceof Refusal) return terms;
          const denial: Denial = { until: terms.until, principal, reason: terms.reason, by, at: clock.now() };
          return (await denials.deny(denial)) ?? denial;
        }),
    )
    .delete(`${PATH}/:principal`, requires('deny'), (req, res) =>
      change(req, res, 'a denial was lifted', async (principal) => {
        const lifted = await denials.lift(principal);
        return lifted instanceof Refusal ? lifted : ({ principal, lifted } satisfies LiftedDenial);
      }),
    );
}

/** The reason and the end of a denial, as the body has them; both may be left out, as may the body. */
function termsIn(body: unknown, now: number): Pick<Denial, 'reason' | 'until'> | Refusal {
  const fields = typeof body === 'object' && body !== null ? body : {};
  const { reason = null, seconds = null } = fields as { reason?: unknown; seconds?: unknown };
  if (reason !== null && !(typeof reason === 'string' && REASON.test(reason))) {
    return new Refusal('bad_request', 'reason must be 1–200 characters on one line');
  }
  if (seconds === null) return { reason, until: null };
  const isDuration = typeof seconds === 'number' && Number.isInteger(seconds);
  return isDuration && seconds >= 1 && seconds <= DENIAL_BOUNDS.seconds
    ? { reason, until: now + seconds * 1000 }
    : new Refusal('bad_request', 'seconds must be a whole number from 1 to 315360000');
}

function noPrincipal(): Refusal {
  return new Refusal(
    'bad_request',
    'the path must end with a principal as GET /api/me shows it, percent-encoded: key:<id>, user:<sub> or address:<ip>',
  );
}

function ownPrincipal(): Refusal {
  return new Refusal('own_principal', 'this is you: to deny it, use another key or token');
}
