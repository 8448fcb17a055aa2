import type { ServerResponse } from 'node:http';
import { Refusal } from '../../../core/errors.js';
import type { Logger } from '../../../core/logger.js';
import type { Caller } from '../../../core/auth/caller.js';
import type { Publisher } from '../../../core/publisher.js';
import type { Callers } from '../callers.js';
import type { BodyReader, JsonRequest } from '../json-body.js';
import type { Mount } from '../listener.js';
import { sendFailure, sendJson, sendRefusal } from '../reply.js';

/** What {@link eventsEntrance} works with. */
export interface EventsParts {
  readonly publisher: Publisher;
  readonly callers: Callers;
  readonly readBody: BodyReader;
  readonly logger: Logger;
}

/**
 * `POST /api/events`: publishes one event or an array of 1–1000; 202 `{ids}` once the log has them, all or none. A
 * mount of its own, since the way through Express costs several times what the publication does. Who asks must be allowed to
 * publish to each room the events go to.
 */
export function eventsEntrance({ publisher, callers, readBody, logger }: EventsParts): Mount {
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
        readBody(req, res, () => {
          publish(publisher, caller, req, res).catch(fail);
        });
      };
      const caller = callers.of(req);
      if (caller instanceof Promise) caller.then(enter).catch(fail);
      else enter(caller);
    },
  };
}

async function publish(
  publisher: Publisher,
  { rights }: Caller,
  req: JsonRequest,
  res: ServerResponse,
): Promise<void> {
  const ids = await publisher.publish(req.body, rights);
  if (ids instanceof Refusal) sendRefusal(res, ids);
  else sendJson(res, 202, { ids });
}
