import { randomBytes, randomUUID } from 'node:crypto';

const NODE = /^[0-9a-f]{12}$/;
const SESSION = /^([0-9a-f]{12})\.[0-9a-f-]{36}$/;

/** An id for this process, as a node among others: 12 hexadecimal digits, new at each start. */
export function newNodeId(): string {
  return randomBytes(6).toString('hex');
}

/** True for an id that {@link newNodeId} may have given. */
export function isNodeId(value: unknown): value is string {
  return typeof value === 'string' && NODE.test(value);
}

/** An id for a session of the node `node`: it says where the session is, and its rest can't be guessed. */
export function newSessionId(node: string): string {
  return `${node}.${randomUUID()}`;
}

/** The node whose session this is; undefined for what is no session's id. */
export function nodeOfSession(id: string): string | undefined {
  return SESSION.exec(id)?.[1];
}
