import { Router } from 'express';
import type { Delivery } from '../../../core/delivery/delivery.js';
import { Refusal } from '../../../core/errors.js';
import { sendJson, sendRefusal } from '../reply.js';

/** `POST /api/sessions/{id}/rooms {join?, leave?}`: changes the rooms of a live session, all of it or nothing; 200 `{rooms}`. */
export function sessionRoutes(delivery: Delivery): Router {
  return Router().post('/api/sessions/:id/rooms', (req, res) => {
    const session = delivery.session(req.params.id);
    if (session === undefined) {
      return sendRefusal(res, new Refusal('unknown_session', 'no such session is open on this node'));
    }
    const body: unknown = req.body;
    const { join = [], leave = [] } = (typeof body === 'object' && body !== null ? body : {}) as {
      join?: unknown;
      leave?: unknown;
    };
    const rooms = delivery.changeRooms(session, { join, leave });
    if (rooms instanceof Refusal) sendRefusal(res, rooms);
    else sendJson(res, 200, { rooms });
  });
}
