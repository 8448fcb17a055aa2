import { type Request, type Response, Router } from 'express';
import { blockId } from '../../../core/auth/principal-id.js';
import type { RoomReader } from '../../../core/delivery/room-reader.js';
import { Refusal } from '../../../core/errors.js';
import { type Event, isRoomName, jsonAfterData, jsonBeforeData } from '../../../core/event.js';
import { callerOf } from '../guard.js';
import type { LargeAnswers } from '../large-answers.js';
import { sendRefusal } from '../reply.js';

/** Events of one answer of a room's history: default and most. */
export const HISTORY_LIMIT = { default: 100, max: 1000 };

/**
 * `GET /api/rooms/{room}/state`: the newest value of each (type, key), with an ETag, for pages that poll.
 * `GET /api/rooms/{room}/events?after=&limit=`: the room's events after a cursor, for healing a gap. For callers that may
 * subscribe to the room.
 */
export function roomRoutes(rooms: RoomReader, answers: LargeAnswers): Router {
  const sendEvents = (res: Response, fields: object, events: readonly Event[]): void => {
    answers.sendJson(res, blockId(callerOf(res).id), eventTexts(fields, events));
  };
  return Router()
    .get('/api/rooms/:room/state', (req, res) => {
      const { room } = req.params;
      const refusal = refusalFor(room, res);
      if (refusal !== undefined) return sendRefusal(res, refusal);
      const state = rooms.state(room);
      if (state instanceof Refusal) return sendRefusal(res, state);
      const { events, epoch, cursor } = state;
      const newest = events[events.length - 1];
      res.setHeader('ETag', `"${epoch}.${newest?.id ?? 'empty'}-${String(events.length)}"`);
      if (isFresh(req, res)) return void res.status(304).end();
      sendEvents(res, { room, epoch, cursor }, events);
    })
    .get('/api/rooms/:room/events', (req, res) => {
      const { room } = req.params;
      const refusal = refusalFor(room, res);
      if (refusal !== undefined) return sendRefusal(res, refusal);
      const { after = null, limit = String(HISTORY_LIMIT.default) } = req.query;
      const count = Number(limit);
      if (!Number.isInteger(count) || count < 1 || count > HISTORY_LIMIT.max) {
        return sendRefusal(res, new Refusal('bad_request', 'limit must be a whole number from 1 to 1000'));
      }
      if (after !== null && typeof after !== 'string') {
        return sendRefusal(res, new Refusal('bad_request', 'after must be one cursor'));
      }
      const page = rooms.history(room, after, count);
      if (page instanceof Refusal) return sendRefusal(res, page);
      const { cursor, whole, more, events } = page;
      res.setHeader('ETag', `"${cursor}-${String(events.length)}-${whole ? 'whole' : 'cut'}"`);
      if (isFresh(req, res)) return void res.status(304).end();
      sendEvents(res, { room, cursor, whole, more }, events);
    });
}

function refusalFor(room: string, res: Response): Refusal | undefined {
  if (!isRoomName(room)) return new Refusal('invalid_room', 'room must be 1–128 of A-Z a-z 0-9 _ . : -');
  return callerOf(res).rights.maySubscribe(room)
    ? undefined
    : new Refusal('forbidden', `the room ${room} may not be subscribed to`);
}

/** `no-cache` means: keep it, but ask each time. */
function isFresh(req: Request, res: Response): boolean {
  res.setHeader('Cache-Control', 'no-cache');
  return req.fresh;
}

/** The JSON text of an object of these fields and the events, in parts. */
function* eventTexts(fields: object, events: readonly Event[]): Generator<string> {
  yield `${JSON.stringify(fields).slice(0, -1)},"events":[`;
  for (const [index, event] of events.entries()) {
    if (index > 0) yield ',';
    yield jsonBeforeData(event);
    yield event.dataJson;
    yield jsonAfterData(event);
  }
  yield ']}';
}
