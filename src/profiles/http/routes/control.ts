import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { CommandState } from '../../../core/command.js';
import type { CommandGate } from '../../../core/control/gate.js';
import { ERRORS, Refusal } from '../../../core/errors.js';
import type { Tracing } from '../../../core/tracing.js';
import type { Callers } from '../callers.js';
import { takeApiKey } from '../credentials.js';
import { callerOf } from '../guard.js';
import { jsonBody } from '../json-body.js';
import { CONTROL_PATH } from '../profile-document.js';
import { sendJson, sendRefusal } from '../reply.js';
import { beginTrail } from '../request-trail.js';

/** Most bytes of a command of a caller that may send none by itself: it may show an API key in the body. */
const MAX_KEYED_BODY_BYTES = 64 * 1024;

/** What {@link controlRoutes} stand on; as the app has it. */
export interface ControlRoutesParts {
  readonly gate: CommandGate;
  readonly callers: Callers;
  readonly tracing: Tracing;
  readonly maxBodyBytes: number;
}

/**
 * `POST /api/control {action, data?}`, `POST /api/{target}/control {action, data?}` (the same with `target.action`)
 * and `GET /api/control/{id}`, for the principal whose command it is and the right `status`. An `Idempotency-Key` header makes a repeated request give the first one's
 * outcome. An API key may come as `apiKey` in the body, or in `data`, as legacy pages have it.
 */
export function controlRoutes({ gate, callers, tracing, maxBodyBytes }: ControlRoutesParts): Router {
  const readBody = commandBody(maxBodyBytes);
  const submit = async (req: Request, res: Response, action: unknown, data: unknown): Promise<void> => {
    const { id, span } = beginTrail(tracing, `POST ${CONTROL_PATH}`, req, res);
    const { apiKey, rest } = takeApiKey(data);
    const shown = apiKey ?? takeApiKey(req.body).apiKey;
    const address = callers.addressOf(req);
    const principal = await callers.withKey(callerOf(res), shown, address);
    if (principal instanceof Refusal) return sendRefusal(res, principal);
    const state = await gate.submit({
      action,
      data: rest,
      principal,
      address,
      idempotencyKey: req.get('Idempotency-Key'),
      request: id,
      traceparent: span.traceparent,
    });
    if (state instanceof Refusal) sendRefusal(res, state);
    else sendState(res, state);
  };
  return Router()
    .post(CONTROL_PATH, readBody, async (req: Request, res) => {
      const { action, data } = bodyOf(req);
      await submit(req, res, action, data);
    })
    .post('/api/:target/control', readBody, async (req: Request<{ target: string }>, res) => {
      const { action, data } = bodyOf(req);
      await submit(req, res, typeof action === 'string' ? `${req.params.target}.${action}` : action, data);
    })
    .get(`${CONTROL_PATH}/:id`, async (req, res) => {
      const state = await gate.state(req.params.id, callerOf(res));
      if (state instanceof Refusal) sendRefusal(res, state);
      else sendJson(res, 200, state);
    });
}

/** Reads a command: as much of it as the caller may send. */
function commandBody(maxBytes: number): RequestHandler {
  const readAny = jsonBody(maxBytes);
  const readKeyed = jsonBody(Math.min(maxBytes, MAX_KEYED_BODY_BYTES));
  return (req, res, next) => {
    const read = callerOf(res).rights.mayCommandNothing ? readKeyed : readAny;
    read(req, res, next);
  };
}

function sendState(res: Response, state: CommandState): void {
  if (state.status === 'queued') {
    res.setHeader('Location', `${CONTROL_PATH}/${state.id}`);
    sendJson(res, 202, state);
  } else {
    sendJson(res, state.status === 'failed' ? ERRORS[state.error.code].status : 200, state);
  }
}

/** The body's fields; none where the body is no object, which leaves the action to be refused. */
function bodyOf(req: Request): { readonly action?: unknown; readonly data?: unknown } {
  const body: unknown = req.body;
  return typeof body === 'object' && body !== null ? body : {};
}
