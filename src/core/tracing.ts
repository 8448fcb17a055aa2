/** A figure or a word that is noted with a span; never a secret, nor what clients sent. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** What a span is to others. */
export interface SpanBeginning {
  /**
   * `server`: a request of somebody else, which may begin a trace. The others only go on with one: `producer` hands work on,
   * `consumer` takes it up, `internal` is neither.
   */
  readonly kind: 'server' | 'producer' | 'consumer' | 'internal';
  /** The span that caused it, as `traceparent` of W3C Trace Context; any text may come in. */
  readonly parent: string | undefined;
  /** When it began, ms since the epoch. Default: now. */
  readonly at?: number;
  readonly attributes?: SpanAttributes;
}

/** How a span ended. */
export interface SpanEnd {
  /** When, ms since the epoch. Default: now. */
  readonly at?: number;
  readonly attributes?: SpanAttributes;
  /** Why it failed, a code; undefined: it did not. */
  readonly failed?: string | undefined;
}

/** A stretch of work of a trace, as long as it goes on. */
export interface Span {
  /** By which others name it as their parent; undefined when it is part of no trace. */
  readonly traceparent: string | undefined;
  /** It is over. */
  end(end?: SpanEnd): void;
}

/** Where traces are written down. What keeps them is behind this: the rest of flipgate knows nothing of it. */
export interface Tracing {
  /** False where nothing is traced, and nobody need bother. */
  readonly on: boolean;
  /** Begins a span. */
  begin(name: string, beginning: SpanBeginning): Span;
}

/** A span of no trace. */
export const NO_SPAN: Span = { traceparent: undefined, end() {} };

/** What traces nothing. */
export const NO_TRACING: Tracing = { on: false, begin: () => NO_SPAN };

const SAMPLED = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f][13579bdf]$/;

/** True for a `traceparent` whose spans are kept. Source: W3C Trace Context, section 3.2.2.5. */
export function isSampled(traceparent: string | undefined): traceparent is string {
  return traceparent !== undefined && SAMPLED.test(traceparent);
}
