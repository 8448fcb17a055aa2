/** A transport that is, or was until now, served: what a profile implements. It takes clients in from the start. */
export interface ServedTransport {
  /** Takes clients in again, after {@link turnAway}. */
  admit(): void;
  /** Takes no new clients, who are answered as if it were off; those it has stay. */
  turnAway(): void;
  /** Lets go of everything. Its sessions have ended. */
  close(): Promise<void>;
}
