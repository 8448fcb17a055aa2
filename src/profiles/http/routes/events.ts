import type { ServerResponse } from 'node:http';
import { Refusal } from '../../../core/errors.js';
import type { Logger } from '../../../core/logger.js';
import type { Publisher } from '../../../core/publisher.js';
import type { BodyReader, JsonRequest } from '../json-body.js';
import type { Mount } from '../listener.js';
import { sendFailure, sendJson, sendRefusal } from '../reply.js';

/**
 * `POST /api/events`: publishes one event or an array of 1–1000; 202 `{ids}` once the log has them, all or none. A
 * mount of its own, since the way through Express costs several times what the publication does.
 */
export function eventsEntrance(publisher: Publisher, readBody: BodyReader, logger: Logger): Mount {
  return {
    path: '/api/events',
    exact: true,
    request: (req, res) => {
      if (req.method !== 'POST') {
        res.setHeader('Allow', 'POST');
        return sendRefusal(res, new Refusal('method_not_allowed', 'events are published with POST'));
      }
      readBody(req, res, () => {
        publish(publisher, req, res).catch((error: unknown) => {
          logger.error('a publication failed', { error });
          sendFailure(res);
        });
      });
    },
  };
}

async function publish(publisher: Publisher, req: JsonRequest, res: ServerResponse): Promise<void> {
  const ids = await publisher.publish(req.body);
  if (ids instanceof Refusal) sendRefusal(res, ids);
  else sendJson(res, 202, { ids });
}
