import { CLIENT_KINDS } from '../delivery/client-kind.js';

/** How a name of the {@link Counters} is told to those who scrape. */
export interface CountedMetric {
  /** What is counted, as a sentence. */
  readonly help: string;
  /** What its reasons are, as a label; null: it has none. */
  readonly label: string | null;
  /** Reasons told from the start, at 0, so that the first time is seen as a rise. Others are told once they happened. */
  readonly known?: readonly string[];
}

const TRANSPORTS = ['websocket', 'sse'];

/**
 * Every counter there is, by its name: it is told as `flipgate_<name>_total`. A counter that is not in this table is not
 * told; a test finds those.
 */
export const COUNTER_METRICS: Readonly<Record<string, CountedMetric>> = {
  callers_refused: {
    help: 'Requests and connections of whom it was not found out who makes them, by code: their token or key was refused.',
    label: 'reason',
    known: [
      'unauthenticated',
      'invalid_token',
      'token_expired',
      'principal_denied',
      'auth_unavailable',
      'too_many_attempts',
    ],
  },
  http_refused: {
    help: 'What was turned away before it was a request for something, by code: connections beyond the bound, hosts and origins that are not allowed, what is no HTTP or too large or slow.',
    label: 'reason',
    known: ['too_many_connections'],
  },
  answers_refused: {
    help: 'States and histories of rooms that were refused since too many were under way, by whose limit.',
    label: 'reason',
    known: ['principal', 'all'],
  },
  answers_cut: {
    help: 'HTTP connections that were cut since the client took nothing of an answer for 10 s.',
    label: null,
  },
  jwks_fetches: {
    help: 'Times that the keys of tokens were fetched, by how that went.',
    label: 'outcome',
    known: ['good', 'failed'],
  },
  sessions_opened: {
    help: 'Clients that were taken in, by transport.',
    label: 'transport',
    known: TRANSPORTS,
  },
  clients_opened: {
    help: 'Clients that were taken in, by kind: the SDK, which names itself, and of the others bundle clients, readers of event streams and stock Socket.IO clients.',
    label: 'kind',
    known: CLIENT_KINDS,
  },
  clients_turned_off: {
    help: 'Clients that a flip disconnected because it turned their transport off, by kind; those of the SDK come back over another transport.',
    label: 'kind',
    known: CLIENT_KINDS,
  },
  sessions_ended: {
    help: 'Sessions that the gateway ended, by the code their client was told; not those that went by themselves.',
    label: 'reason',
    known: [
      'slow_consumer',
      'transport_disabled',
      'token_expired',
      'invalid_token',
      'principal_denied',
      'shutting_down',
      'internal',
    ],
  },
  sessions_refused: {
    help: 'Clients that were not taken in, by code.',
    label: 'reason',
    known: ['too_many_connections', 'shutting_down'],
  },
  room_changes_refused: { help: 'Changes of rooms that were refused, by code.', label: 'reason' },
  connections_cut: {
    help: 'Connections that the gateway destroyed, by reason: rate_limited (more packets than a client may send), and of clients that had not signed in displaced (for a newer connection), not_signed_in (in time), too_large and binary (input).',
    label: 'reason',
    known: ['rate_limited', 'displaced', 'not_signed_in', 'too_large', 'binary'],
  },
  requests_refused: { help: 'Requests over Socket.IO that were refused, by code.', label: 'reason' },
  events_logged: { help: 'Events that the log brought to this node: events in.', label: null },
  events_refused: {
    help: 'Events that did not get into the log, by code: of publications by HTTP one each, of Redis one an event.',
    label: 'reason',
    known: ['log_unavailable', 'outcome_unknown'],
  },
  events_dropped: {
    help: 'Events lost at a bound, by which: client_queue of one client, told by a gap; bridge_full and bridge_closed for all; bridge_standby_full at a node that stands by; bridge_expired at a node that was stopped for minutes, where others may have copied them.',
    label: 'reason',
    known: ['client_queue', 'bridge_full', 'bridge_closed', 'bridge_standby_full', 'bridge_expired'],
  },
  gaps: {
    help: 'Gaps that sessions were told of, each a stretch of the log they could not be given, by reason.',
    label: 'reason',
    known: ['trimmed', 'overflow'],
  },
  snapshots_skipped: {
    help: 'Snapshots a client asked for that were left out, since too much awaited it already.',
    label: null,
  },
  snapshot_values_forgotten: {
    help: 'Newest values that were forgotten, for the bound on those whose event was trimmed.',
    label: null,
  },
  log_breaks: { help: 'Times that the log could not be followed without loss.', label: null },
  bridge_subscriptions_lost: {
    help: 'Times that the subscription to published messages was lost.',
    label: null,
  },
  socket_io_subscriptions_lost: {
    help: "Times that the subscription of Socket.IO's adapter was lost: messages that backends emitted meanwhile did not reach clients.",
    label: null,
  },
  permissions_refused: {
    help: 'Commands that Redis refused to the user of this process for lack of a permission, by what they are for.',
    label: 'purpose',
    known: ['events', 'published', 'nodes', 'emitters', 'commands'],
  },
  published_events_late: {
    help: 'Published events that came into the log after events published later: the nodes that had them could not copy them in time.',
    label: null,
  },
  subscriptions_renewed: {
    help: 'Subscriptions that were made anew since nothing came on them any more, as after a failover that kept the connection, by which.',
    label: 'subscription',
    known: ['bridge', 'nodes', 'socket_io'],
  },
  commands: {
    help: 'Commands that ended, by how; with Redis each is counted by one node of all.',
    label: 'status',
    known: ['succeeded', 'failed'],
  },
  command_refusals: {
    help: 'Requests for commands that were refused, by code.',
    label: 'reason',
    known: ['rate_limited', 'queue_full', 'queue_unavailable'],
  },
  command_replays: {
    help: 'Requests for commands that repeated an idempotency key, and got the first outcome.',
    label: null,
  },
  command_publish_failures: {
    help: 'Outcomes of commands that could not be published as events, by code.',
    label: 'reason',
  },
  outcome_breaks: { help: 'Times after which outcomes of commands may be missing.', label: null },
  outcomes_unknown: {
    help: 'Outcomes whose command was forgotten already, and could not be told.',
    label: null,
  },
  flips: {
    help: 'Flips of this node that are over, by how: done, failed, or superseded by another.',
    label: 'outcome',
    known: ['done', 'failed', 'superseded'],
  },
  spans_lost: { help: 'Spans of traces that could not be sent to the collector.', label: null },
  traces_dropped: { help: 'Events whose delivery was not traced, since too many awaited it.', label: null },
  host_monitor_skipped: {
    help: 'Readings of the host that were left out, since the one before was still being published.',
    label: null,
  },
  host_monitor_failures: { help: 'Readings of the host that could not be published.', label: null },
  node_reports_refused: { help: 'Reports of other nodes that made no sense.', label: null },
  node_requests_refused: {
    help: 'Requests to other nodes that were not sent, for a bound, by which.',
    label: 'reason',
    known: ['too_large', 'in_flight'],
  },
  node_requests_failed: {
    help: 'Requests to other nodes that got no answer, by reason.',
    label: 'reason',
    known: ['unsent', 'timeout'],
  },
  node_replies_lost: { help: 'Answers to other nodes that could not be sent.', label: null },
  node_messages_ignored: {
    help: 'Messages between nodes that made no sense or came too late, by reason.',
    label: 'reason',
    known: ['malformed', 'unexpected', 'unknown_subject', 'late', 'socket_io'],
  },
};
