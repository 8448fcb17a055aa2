import { Refusal } from '../errors.js';
import { parseJson } from '../parse-json.js';
import { isNodeId } from './node-id.js';

/** Most characters of a message's body as JSON text. */
export const MAX_BODY_LENGTH = 4 * 1024 * 1024;
/** What a message may have around its body. */
const MAX_ENVELOPE_LENGTH = 1000;

/** A question of one node to another. */
export interface NodeRequest {
  readonly kind: 'request';
  /** Not to be guessed: who knows it can answer. */
  readonly id: string;
  /** The node that asks. */
  readonly from: string;
  /** What it is about; whoever takes it checks the body. */
  readonly subject: string;
  /** The time up to which an answer is waited for, on Redis' clock, ms: carried out later, it would be a surprise. */
  readonly until: number;
  readonly body: unknown;
}

/** The answer to it. */
export interface NodeReply {
  readonly kind: 'reply';
  /** The request's. */
  readonly id: string;
  /** True when the request could not be carried out for a fault of that node; then the body means nothing. */
  readonly failed: boolean;
  readonly body: unknown;
}

/** A node's message to itself, by which it knows that it still listens. */
export interface NodePing {
  readonly kind: 'ping';
}

/** What nodes send each other, as JSON text. */
export type NodeMessage = NodeRequest | NodeReply | NodePing;

/** Reads what came on a node's channel, from whomever; undefined when it is no message. */
export function parseNodeMessage(text: string): NodeMessage | undefined {
  if (text.length > MAX_BODY_LENGTH + MAX_ENVELOPE_LENGTH) return undefined;
  const parsed = parseJson(text);
  if (parsed instanceof Refusal) return undefined;
  const { value } = parsed;
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, id, from, subject, until, failed, body } = value as Record<string, unknown>;
  if (kind === 'ping') return { kind };
  if (typeof id !== 'string' || id.length > 100) return undefined;
  if (kind === 'reply') return { kind, id, failed: failed === true, body };
  if (kind !== 'request' || !isNodeId(from) || typeof subject !== 'string' || subject.length > 100) {
    return undefined;
  }
  return typeof until === 'number' ? { kind, id, from, subject, until, body } : undefined;
}
