import type { Identified } from '../../core/auth/authenticator.js';
import type { Caller } from '../../core/auth/caller.js';
import type { CommandState } from '../../core/command.js';
import type { CommandGate } from '../../core/control/gate.js';
import type { CommandRegistry } from '../../core/control/command-registry.js';
import type { Delivery } from '../../core/delivery/delivery.js';
import type { Session } from '../../core/delivery/session.js';
import { type ErrorBody, Refusal } from '../../core/errors.js';
import type { EventTypes } from '../../core/event-types.js';
import { takeApiKey } from '../http/credentials.js';
import { actionOf, type LegacyCommand, type LegacyMapping, type LegacyReply } from './legacy-mapping.js';

/** What answering a client's requests takes. */
export interface RequestParts {
  readonly delivery: Delivery;
  readonly gate: CommandGate;
  readonly registry: CommandRegistry;
  readonly mapping: LegacyMapping;
  readonly types: EventTypes;
}

/** The client a request comes from. */
export interface Requester {
  readonly session: Session;
  readonly principal: Caller;
  readonly address: string;
  /** Who it is with this key in a request's data; itself, where there is none. */
  withKey(apiKey: unknown): Identified;
  /** Sends this client alone an event, at once. */
  emit(type: string, data: unknown): void;
}

/** What a request is acked with. */
export type Answer = CommandState | ErrorBody | object;

/**
 * Answers what Socket.IO clients emit: `join` and `leave` with rooms, `control {action, data?, idempotencyKey?}`,
 * whatever the legacy mapping names, and events named like a command's action. Anything else is an unknown event.
 */
export class Requests {
  readonly #parts: RequestParts;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** Resolves to what the ack says, if there is one. `sent` is the event's first argument. */
  async answer(requester: Requester, name: string, sent: unknown): Promise<Answer> {
    const { delivery, mapping, registry } = this.#parts;
    const { session } = requester;
    const rule = mapping.events.get(name);
    if (name === 'join') return roomsOrError(delivery.join(session, roomsOf(sent)));
    if (name === 'leave') return roomsOrError(delivery.leave(session, roomsOf(sent)));
    if (name === 'control') return bodyOf(await this.#submit(requester, fieldsOf(sent)));
    if (rule !== undefined && 'snapshot' in rule) {
      const { snapshot } = rule;
      const events = delivery.snapshot(
        session,
        (event) => snapshot === 'all' || snapshot.includes(event.type),
      );
      return events instanceof Refusal ? events.toBody() : { events };
    }
    if (rule !== undefined) return this.#runMapped(requester, rule, sent);
    if (registry.find(name) !== undefined) {
      return bodyOf(await this.#submit(requester, { action: name, data: sent }));
    }
    return new Refusal('unknown_event', 'no such event is handled here').toBody();
  }

  async #runMapped(requester: Requester, rule: LegacyCommand, sent: unknown): Promise<Answer> {
    const action = actionOf(rule, sent);
    const state = action instanceof Refusal ? action : await this.#submit(requester, { action, data: sent });
    if (rule.reply !== undefined) this.#reply(requester, rule.reply, state);
    return bodyOf(state);
  }

  #reply(requester: Requester, reply: LegacyReply, state: CommandState | Refusal): void {
    if (!(state instanceof Refusal) && state.status !== 'failed') {
      // Where the outcome comes as an event anyway, sent from here it would overtake that, and come twice.
      const isTold = state.status === 'queued' || this.#isTold(requester.session, state.action, reply.type);
      if (!isTold) requester.emit(reply.type, state.result);
      return;
    }
    const known = this.#parts.delivery.snapshot(requester.session, (event) => event.type === reply.type);
    if (typeof known === 'number' && known > 0) return;
    const { error } = bodyOf(state) as { error?: unknown };
    requester.emit(reply.type, { ...reply.otherwise, error });
  }

  /** True when the session gets the action's outcome as an event of that type. */
  #isTold(session: Session, action: string, type: string): boolean {
    const { registry, types } = this.#parts;
    const publishes = registry.find(action)?.publishes;
    return publishes?.type === type && types.roomsOf(publishes).some((room) => session.rooms.has(room));
  }

  async #submit(
    requester: Requester,
    asked: { readonly action?: unknown; readonly data?: unknown; readonly idempotencyKey?: unknown },
  ): Promise<CommandState | Refusal> {
    const { action, data, idempotencyKey } = asked;
    if (idempotencyKey !== undefined && typeof idempotencyKey !== 'string') {
      return new Refusal('bad_request', 'idempotencyKey must be a string');
    }
    const { apiKey, rest } = takeApiKey(data);
    const principal = await requester.withKey(apiKey);
    if (principal instanceof Refusal) return principal;
    return this.#parts.gate.submit({
      action,
      data: rest,
      principal,
      address: requester.address,
      idempotencyKey,
    });
  }
}

/** Rooms as clients name them: one, a list, or either under `room` or `rooms`. */
export function roomsOf(sent: unknown): unknown {
  const bare = typeof sent === 'string' || Array.isArray(sent);
  const { room, rooms = room } = (bare ? { rooms: sent } : fieldsOf(sent)) as {
    room?: unknown;
    rooms?: unknown;
  };
  return Array.isArray(rooms) ? rooms : [rooms];
}

function fieldsOf(sent: unknown): object {
  return typeof sent === 'object' && sent !== null ? sent : {};
}

function roomsOrError(rooms: readonly string[] | Refusal): Answer {
  return rooms instanceof Refusal ? rooms.toBody() : { rooms };
}

function bodyOf(state: CommandState | Refusal): CommandState | ErrorBody {
  return state instanceof Refusal ? state.toBody() : state;
}
