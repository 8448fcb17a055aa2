import { isLogId } from './log-id.js';

/** Epochs as {@link newEpoch} makes them, and longer ones. */
const EPOCH = /^[A-Za-z0-9_-]{1,32}$/;

/** A place in one log: everything up to the entry `id`, or up to where it would be. */
export interface Cursor {
  /** The log's epoch: ids of another one mean nothing here. */
  readonly epoch: string;
  /** An id of the log. */
  readonly id: string;
}

/** A cursor as clients get it: `<epoch>.<id>`, URL-safe, at most 74 characters. */
export function formatCursor(epoch: string, id: string): string {
  return `${epoch}.${id}`;
}

/** Reads a cursor; any text may come in. Undefined for a text that is none, such as a bare id. */
export function parseCursor(text: string): Cursor | undefined {
  const dot = text.indexOf('.');
  const epoch = text.slice(0, Math.max(0, dot));
  const id = text.slice(dot + 1);
  return EPOCH.test(epoch) && isLogId(id) ? { epoch, id } : undefined;
}
