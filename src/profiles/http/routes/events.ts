import { Router } from 'express';
import { Refusal } from '../../../core/errors.js';
import type { Publisher } from '../../../core/publisher.js';
import { sendJson, sendRefusal } from '../reply.js';

/** `POST /api/events`: publishes one event or an array of 1–1000; 202 `{ids}` once the log has them, all or none. */
export function eventRoutes(publisher: Publisher): Router {
  return Router().post('/api/events', async (req, res) => {
    const ids = await publisher.publish(req.body);
    if (ids instanceof Refusal) sendRefusal(res, ids);
    else sendJson(res, 202, { ids });
  });
}
