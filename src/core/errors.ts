/** What a client that got a code should do about its connection: come back, stay away, or nothing (it keeps it). */
export type DisconnectMeaning = 'reconnect' | 'stay_away' | 'none';

/** One row of the table of errors. */
export interface ErrorRow {
  /** HTTP status of an answer with this code. */
  readonly status: number;
  /** True when the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** What it means for a connection that is refused or closed with this code. */
  readonly disconnect: DisconnectMeaning;
}

const row = (status: number, retryable: boolean, disconnect: DisconnectMeaning = 'none'): ErrorRow => ({
  status,
  retryable,
  disconnect,
});

/**
 * Every code flipgate answers with: HTTP status, whether a retry may help, and the meaning for a connection.
 * The only such table: HTTP bodies, acks, SSE refusals and closed sessions all read it.
 */
export const ERRORS = {
  bad_request: row(400, false, 'stay_away'),
  invalid_json: row(400, false),
  invalid_event: row(400, false),
  invalid_type: row(400, false),
  invalid_room: row(400, false, 'stay_away'),
  invalid_key: row(400, false),
  invalid_data: row(400, false),
  invalid_timestamp: row(400, false),
  invalid_action: row(400, false),
  invalid_profile: row(400, false),
  too_many_events: row(413, false),
  too_many_rooms: row(400, false, 'stay_away'),
  payload_too_large: row(413, false),
  unsupported_media_type: row(415, false),
  /** Nothing was shown that says who asks. */
  unauthenticated: row(401, false, 'stay_away'),
  /** What was shown is none of ours. */
  invalid_token: row(401, false, 'stay_away'),
  /** It was good once: come back with a fresh one. */
  token_expired: row(401, false, 'reconnect'),
  /** Known, but not allowed to. */
  forbidden: row(403, false, 'stay_away'),
  /** Known, and denied access by an operator. */
  principal_denied: row(403, false, 'stay_away'),
  origin_not_allowed: row(403, false, 'stay_away'),
  host_not_allowed: row(421, false, 'stay_away'),
  not_found: row(404, false),
  transport_disabled: row(404, false, 'reconnect'),
  unknown_action: row(404, false),
  unknown_event: row(404, false),
  unknown_command: row(404, false),
  unknown_session: row(404, false),
  method_not_allowed: row(405, false),
  idempotency_mismatch: row(409, false),
  serves_nothing: row(409, false),
  /** A caller may not deny itself. */
  own_principal: row(409, false),
  too_many_denials: row(409, false),
  room_full: row(409, true, 'reconnect'),
  request_timeout: row(408, true),
  url_too_long: row(414, false),
  headers_too_large: row(431, false),
  rate_limited: row(429, true),
  /** Too many wrong credentials came from the address: what it shows is not looked at for a while. */
  too_many_attempts: row(429, true, 'reconnect'),
  too_many_connections: row(503, true, 'reconnect'),
  queue_full: row(503, true),
  queue_unavailable: row(503, true),
  not_ready: row(503, true, 'reconnect'),
  /** What a token is checked with can't be had now. */
  auth_unavailable: row(503, true, 'reconnect'),
  log_unavailable: row(503, true),
  /** Stored or not, nobody can say: trying again may store it twice. */
  outcome_unknown: row(503, true),
  node_unavailable: row(503, true),
  shutting_down: row(503, true, 'reconnect'),
  slow_consumer: row(503, true, 'reconnect'),
  command_failed: row(500, false),
  command_timeout: row(504, true),
  worker_lost: row(500, false),
  flip_failed: row(500, true),
  internal: row(500, true),
} as const satisfies Record<string, ErrorRow>;

/** A code of the table {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** The one shape of an error on every wire: HTTP body, ack, SSE refusal. Times in ms. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly retryable: boolean;
    readonly retryAfterMs?: number;
  };
}

/**
 * An expected "no", as a value: functions return it, they don't throw it. What is thrown is a bug.
 * Check with `instanceof`.
 */
export class Refusal {
  readonly code: ErrorCode;
  /** For people; may change. Never holds a secret. */
  readonly message: string;
  /** ms after which a retry makes sense; only with retryable codes. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterMs?: number) {
    this.code = code;
    this.message = message;
    this.retryAfterMs = retryAfterMs;
  }

  /** HTTP status of this refusal, from {@link ERRORS}. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  /** The refusal as it goes out on every wire. */
  toBody(): ErrorBody {
    return {
      error: {
        code: this.code,
        message: this.message,
        retryable: ERRORS[this.code].retryable,
        ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      },
    };
  }
}
