import { type Request, Router } from 'express';
import type { RemoteSessions } from '../../../core/cluster/remote-sessions.js';
import type { Delivery } from '../../../core/delivery/delivery.js';
import type { RoomChange } from '../../../core/delivery/room-changes.js';
import { Refusal } from '../../../core/errors.js';
import type { Callers } from '../callers.js';
import { callerOf, stillLetIn } from '../guard.js';
import { jsonBody } from '../json-body.js';
import { sendJson, sendRefusal } from '../reply.js';

/** Most bytes of a change: as many names as a session may have rooms, and more. */
const MAX_BODY_BYTES = 256 * 1024;

/** What {@link sessionRoutes} stand on; as the app has it. */
export interface SessionRoutesParts {
  readonly delivery: Delivery;
  /** Sessions of other nodes; undefined where there are none. */
  readonly remoteSessions: RemoteSessions | undefined;
  readonly callers: Callers;
  readonly maxBodyBytes: number;
}

/**
 * `POST /api/sessions/{id}/rooms {join?, leave?}`: changes the rooms of a live session, all of it or nothing; 200
 * `{rooms}`. Only the session's own client may, into rooms it may subscribe to. A session that this node does not have
 * is asked for among those of other nodes.
 */
export function sessionRoutes({
  delivery,
  remoteSessions,
  callers,
  maxBodyBytes,
}: SessionRoutesParts): Router {
  return Router().post(
    '/api/sessions/:id/rooms',
    jsonBody(Math.min(maxBodyBytes, MAX_BODY_BYTES)),
    stillLetIn(callers),
    async (req: Request<{ id: string }>, res) => {
      const { id } = req.params;
      const caller = callerOf(res);
      const change = changeOf(req.body);
      const session = delivery.session(id);
      const rooms =
        session === undefined
          ? await remoteSessions?.changeRooms(id, change, caller)
          : delivery.changeRooms(session, change, caller);
      if (rooms === undefined) sendRefusal(res, new Refusal('unknown_session', 'no such session is open'));
      else if (rooms instanceof Refusal) sendRefusal(res, rooms);
      else sendJson(res, 200, { rooms });
    },
  );
}

/** What the body asks for; nothing where it is no object. */
function changeOf(body: unknown): RoomChange {
  const { join = [], leave = [] } = (typeof body === 'object' && body !== null ? body : {}) as {
    join?: unknown;
    leave?: unknown;
  };
  return { join, leave };
}
