/**
 * The place of a published message, the same on every node: how many messages had come since which mark. Redis hands
 * all its subscribers the same messages in the same order, and a mark is one of them.
 */
export interface Place {
  /** Number of the mark; later marks have higher ones. */
  readonly mark: number;
  /** Messages since that mark, this one included. */
  readonly count: number;
}

/** True when `place` is before `other`. */
export function isBefore(place: Place, other: Place): boolean {
  return place.mark < other.mark || (place.mark === other.mark && place.count < other.count);
}
