import type { Caller } from '../auth/caller.js';
import { Rights } from '../auth/rights.js';
import { isMissing } from '../delivery/admission.js';
import type { RoomChange } from '../delivery/room-changes.js';
import type { Session } from '../delivery/session.js';
import { Refusal } from '../errors.js';
import { isRoomName } from '../event.js';
import { fieldsOf, readRefusal, type RefusalAnswer, refusalAnswer } from './node-answer.js';
import { nodeOfSession } from './node-id.js';
import type { NodeMessages } from './node-messages.js';
import type { RemoteSessions } from './remote-sessions.js';

/** The subject of these requests. */
const SUBJECT = 'rooms';

/** The sessions of this node. */
export interface LocalSessions {
  session(id: string): Session | undefined;
  changeRooms(session: Session, change: RoomChange, by: Caller): readonly string[] | Refusal;
}

/** Changes rooms of sessions wherever they are: asks the node that has one, and answers others that ask this one. */
export class ClusterSessions implements RemoteSessions {
  readonly #node: string;
  readonly #local: LocalSessions;
  readonly #messages: NodeMessages;

  /** `node` is this node's id. */
  constructor(node: string, local: LocalSessions, messages: NodeMessages) {
    this.#node = node;
    this.#local = local;
    this.#messages = messages;
    messages.serve(SUBJECT, (body) => this.#answer(body));
  }

  async changeRooms(
    sessionId: string,
    { join, leave }: RoomChange,
    by: Caller,
  ): Promise<readonly string[] | Refusal | undefined> {
    const node = nodeOfSession(sessionId);
    if (node === undefined || node === this.#node) return undefined;
    const rooms = compact(join);
    // Rights are this node's to look at; whose session it is, only the other one knows.
    const forbidden = (rooms || []).find((room) => !by.rights.maySubscribe(room));
    if (forbidden !== undefined) {
      return new Refusal('forbidden', `the room ${forbidden} may not be subscribed to`);
    }
    const { id, isKnown, expiresAt } = by;
    const change = { session: sessionId, join: rooms, leave: compact(leave), by: { id, isKnown, expiresAt } };
    const answer = await this.#messages.ask(node, SUBJECT, change);
    if (answer === undefined || answer instanceof Refusal) return answer;
    return readAnswer(answer.body);
  }

  #answer(body: unknown): RoomsReply {
    const { session: id, join, leave, by } = fieldsOf(body);
    const session = typeof id === 'string' ? this.#local.session(id) : undefined;
    if (session === undefined) return { gone: true };
    const rooms = this.#local.changeRooms(session, { join, leave }, callerOf(by));
    return rooms instanceof Refusal ? refusalAnswer(rooms) : { rooms };
  }
}

/** Who asked another node, as that one has found out; what it may do was looked at there. */
function callerOf(by: unknown): Caller {
  const { id, isKnown, expiresAt } = fieldsOf(by);
  return {
    id: typeof id === 'string' ? id : 'unknown',
    isKnown: isKnown === true,
    rights: Rights.ALL,
    expiresAt: typeof expiresAt === 'number' ? expiresAt : null,
  };
}

/** What nodes answer; `gone` where there is no such session. */
type RoomsReply = { readonly rooms: readonly string[] } | RefusalAnswer | { readonly gone: true };

/** The same rooms for the node that gets the list; where they are none: null if they are missing, else false. */
function compact(rooms: unknown): readonly string[] | null | false {
  if (Array.isArray(rooms) && rooms.every(isRoomName)) return [...new Set(rooms)];
  return isMissing(rooms) ? null : false;
}

function readAnswer(body: unknown): readonly string[] | Refusal | undefined {
  const { rooms, gone } = fieldsOf(body);
  if (Array.isArray(rooms) && rooms.every(isRoomName)) return rooms;
  if (gone === true) return undefined;
  return (
    readRefusal(body) ??
    new Refusal('node_unavailable', 'the gateway that has this answers what is not understood', 1000)
  );
}
