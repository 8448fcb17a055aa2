import type { Caller } from '../auth/caller.js';
import type { RoomChange } from '../delivery/room-changes.js';
import type { Refusal } from '../errors.js';

/** Sessions of other nodes, for requests that come to this one. */
export interface RemoteSessions {
  /**
   * As the node of the session would answer: all rooms it has then, or why not. Undefined when no node that is there
   * has such a session; `node_unavailable` when its node does not answer.
   */
  changeRooms(
    sessionId: string,
    change: RoomChange,
    by: Caller,
  ): Promise<readonly string[] | Refusal | undefined>;
}
