import type { NewEvent } from '../event.js';

/** Roughly the bytes an entry costs in memory: its texts, and a flat 200 for the objects around them. */
export function entrySize(event: NewEvent): number {
  return 200 + event.dataJson.length + (event.key?.length ?? 0) + event.type.length;
}
