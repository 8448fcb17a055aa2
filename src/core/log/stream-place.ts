import { compareLogIds, FIRST_LOG_ID, logIdBefore } from './log-id.js';
import type { StreamState } from './stream-state.js';

/** Ids of a page that was read, the oldest and the newest; null for an empty page. */
export interface PageIds {
  readonly first: string;
  readonly last: string;
}

/** How far a reader has come in a stream, and what it needs to prove later that it missed nothing. */
export interface StreamPlace {
  readonly epoch: string;
  /** Everything up to this id was read. */
  readonly id: string;
  /**
   * An entry the stream held, after which nothing but what was read came up to {@link id}: while the stream still holds it,
   * nothing after it was trimmed, since trimming takes the oldest first. Null when the stream was empty.
   */
  readonly anchor: string | null;
  /** The anchor's digest, where it is known: after servers went apart, the same id may be another entry. */
  readonly digest: string | null;
  /** Where there is no anchor: how many entries had ever been added, as Redis 7.0 and later count them; else null. */
  readonly added: number | null;
  /** The largest deleted id of which it was told that it may be missing. */
  readonly deletedTo: string;
}

/** How a page that was read after a place follows it. */
export type Continuity =
  /** Nothing is missing. */
  | 'whole'
  /** Entries between may be missing: they were trimmed. */
  | 'trimmed'
  /** The stream has another history than the one that was read. */
  | 'replaced';

/**
 * Whether the entries read after `place` follow it without a hole, as of `state`, which was asked for after they were read.
 * Where that can't be proved, it is `trimmed`: one gap too many is better than one too few.
 */
export function continuityOf(place: StreamPlace, state: StreamState): Continuity {
  if (compareLogIds(state.lastGenerated, place.id) < 0) return 'replaced';
  const { anchor } = place;
  if (anchor === null) {
    if (state.length === 0) return state.lastGenerated === place.id ? 'whole' : 'trimmed';
    const isKnown = state.added !== null && place.added !== null;
    return isKnown && state.added - place.added === state.length ? 'whole' : 'trimmed';
  }
  if (state.held !== null) {
    return place.digest === null || place.digest === state.held ? 'whole' : 'replaced';
  }
  // Emptied when everything had been read.
  if (state.length === 0 && state.lastGenerated === place.id) return 'whole';
  // Trimming takes the oldest first: an entry that is gone while an older one is there was deleted, or never was.
  const isAmongOthers = state.first !== null && compareLogIds(state.first, anchor) < 0;
  const wasDeleted = state.maxDeleted !== null && compareLogIds(state.maxDeleted, anchor) >= 0;
  return isAmongOthers && !wasDeleted ? 'replaced' : 'trimmed';
}

/**
 * The id right before all that can be read of the stream now: a reader at or after it misses nothing. Null when the page is
 * empty although the stream, looked at later, is not: read again.
 */
export function floorOf(page: PageIds | null, state: StreamState): string | null {
  if (page !== null) {
    return state.added !== null && state.added === state.length ? FIRST_LOG_ID : logIdBefore(page.first);
  }
  return state.length === 0 ? state.lastGenerated : null;
}

/** The place after a page (null: it was empty) that was read after `from`. */
export function placeAfter(page: PageIds | null, from: StreamPlace, state: StreamState): StreamPlace {
  const digestOf = (id: string): string | null => (id === state.last ? state.lastDigest : null);
  if (page !== null) {
    return { ...from, id: page.last, anchor: page.last, digest: digestOf(page.last), added: null };
  }
  if (state.last === null) return { ...from, anchor: null, digest: null, added: state.added };
  // Entries that came since the page was read prove nothing about those before them.
  const isRead = compareLogIds(state.last, from.id) <= 0;
  return isRead ? { ...from, anchor: state.last, digest: state.lastDigest, added: null } : from;
}

/**
 * The largest id that `XDEL` removed from what follows the place and that was not read before; null when there is none,
 * or entries up to it are still to be read. Before Redis 7.0 nobody can tell.
 */
export function deletedAfter(
  place: Pick<StreamPlace, 'id' | 'deletedTo'>,
  page: PageIds | null,
  state: StreamState,
): string | null {
  const { maxDeleted } = state;
  if (maxDeleted === null || compareLogIds(maxDeleted, place.id) <= 0) return null;
  if (compareLogIds(maxDeleted, place.deletedTo) <= 0) return null;
  const readTo = page?.last ?? place.id;
  const isRead = state.last === null || compareLogIds(state.last, readTo) <= 0;
  return isRead || compareLogIds(maxDeleted, readTo) <= 0 ? maxDeleted : null;
}
