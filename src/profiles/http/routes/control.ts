import { type Request, type Response, Router } from 'express';
import type { CommandState } from '../../../core/command.js';
import type { CommandGate } from '../../../core/control/gate.js';
import { ERRORS, Refusal } from '../../../core/errors.js';
import type { Tracing } from '../../../core/tracing.js';
import type { Callers } from '../callers.js';
import { takeApiKey } from '../credentials.js';
import { callerOf } from '../guard.js';
import { CONTROL_PATH } from '../profile-document.js';
import { sendJson, sendRefusal } from '../reply.js';
import { beginTrail } from '../request-trail.js';

/**
 * `POST /api/control {action, data?}`, `POST /api/{target}/control {action, data?}` (the same with `target.action`)
 * and `GET /api/control/{id}`, for who knows the id. An `Idempotency-Key` header makes a repeated request give the first one's
 * outcome. An API key may come as `apiKey` in the body, or in `data`, as legacy pages have it.
 */
export function controlRoutes(gate: CommandGate, callers: Callers, tracing: Tracing): Router {
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
    .post(CONTROL_PATH, async (req, res) => {
      const { action, data } = bodyOf(req);
      await submit(req, res, action, data);
    })
    .post('/api/:target/control', async (req, res) => {
      const { action, data } = bodyOf(req);
      await submit(req, res, typeof action === 'string' ? `${req.params.target}.${action}` : action, data);
    })
    .get(`${CONTROL_PATH}/:id`, async (req, res) => {
      const state = await gate.state(req.params.id);
      if (state instanceof Refusal) sendRefusal(res, state);
      else sendJson(res, 200, state);
    });
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
