/** What is wrong with a stretch of one publisher's numbers, as one client got them. */
export interface FaultNumbers {
  /** Numbers that were acknowledged and did not come. */
  readonly lost: readonly number[];
  /** Numbers that came more than once, once for each time too many. */
  readonly doubled: readonly number[];
  /** Numbers that came after a larger one, and had not come before. */
  readonly outOfOrder: readonly number[];
}

/** A stretch of a publisher's numbers: from the first to before the last. */
export interface Stretch {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Numbers of which the publisher does not know whether they were stored: they may be missing, and may come late. */
  readonly unknown: ReadonlySet<number>;
}
