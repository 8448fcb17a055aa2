import type { ServerResponse } from 'node:http';
import { Refusal } from '../../../core/errors.js';
import type { Logger } from '../../../core/logger.js';
import type { Caller } from '../../../core/auth/caller.js';
import type { Publisher } from '../../../core/publisher.js';
import type { DeliveryTraces } from '../../../core/delivery/delivery-traces.js';
import type { Tracing } from '../../../core/tracing.js';
import type { Callers } from '../callers.js';
import type { BodyReader, JsonRequest } from '../json-body.js';
import type { Mount } from '../listener.js';
import { setCaller } from '../refusal-audit.js';
import { sendFailure, sendJson, sendRefusal } from '../reply.js';
import { beginTrail } from '../request-trail.js';

/** What {@link eventsEntrance} works with. */
export interface EventsParts {
  readonly publisher: Publisher;
  readonly callers: Callers;
  /** Leaves the body as text: the log gets `data` as it was sent. */
  readonly readText: BodyReader;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** What joins publications with deliveries; undefined where nothing is traced. */
  readonly traces: DeliveryTraces | undefined;
}

/**
 * `POST /api/events`: publishes one event or an array of 1–1000; 202 `{ids}` once the log has them, all or none. A
 * mount of its own, since the way through Express costs several times what the publication does. Who asks must be allowed to
 * publish to each room the events go to.
 */
export function eventsEntrance(parts: EventsParts): Mount {
  const { publisher, callers, readText, logger } = parts;
  return {
    path: '/api/events',
    exact: true,
    request: (req, res) => {
      if (req.method !== 'POST') {
        res.setHeader('Allow', 'POST');
        return sendRefusal(res, new Refusal('method_not_allowed', 'events are published with POST'));
      }
      const fail = (error: unknown): void => {
        logger.error('a publication failed', { error });
        sendFailure(res);
      };
      const enter = (caller: Caller | Refusal): void => {
        if (caller instanceof Refusal) return sendRefusal(res, caller);
        setCaller(res, caller);
        const refusal = publisher.refusalFor(caller.rights);
        if (refusal !== undefined) return sendRefusal(res, refusal);
        readText(req, res, () => {
          const refusal = callers.refusalNow(caller);
          if (refusal !== undefined) return sendRefusal(res, refusal);
          publish(parts, caller, req, res).catch(fail);
        });
      };
      const caller = callers.of(req);
      if (caller instanceof Promise) caller.then(enter).catch(fail);
      else enter(caller);
    },
  };
}

async function publish(
  { publisher, tracing, traces, logger }: EventsParts,
  { id: principal, rights }: Caller,
  req: JsonRequest,
  res: ServerResponse,
): Promise<void> {
  const { id: request, span } = beginTrail(tracing, 'POST /api/events', req, res);
  const tell = traces?.publishing(span);
  let ids: readonly string[] | Refusal = [];
  try {
    ids = await publisher.publish(typeof req.body === 'string' ? req.body : '', rights);
  } finally {
    tell?.(ids instanceof Refusal ? [] : ids);
  }
  if (ids instanceof Refusal) {
    logger.debug('a publication was refused', { request, principal, code: ids.code });
    sendRefusal(res, ids);
  } else {
    logger.debug('events were published', { request, principal, events: ids.length, first: ids[0] });
    sendJson(res, 202, { ids });
  }
}
