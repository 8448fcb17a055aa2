import { NOTICES } from '../../../../core/delivery/outlet.js';
import { closed, type Schema } from '../schema.js';

/** What a client of either wire may be told, by the message's name: schema and example of what it says. */
export interface Told {
  readonly summary: string;
  readonly says: Schema;
  readonly example: unknown;
}

const EPOCH = 'q2aXw0Zf';
const ID = '1795334945969-0';
const CURSOR = `${EPOCH}.${ID}`;

/** A welcome of a newcomer. */
export const WELCOME = {
  sessionId: '23078e51a337.f4aac312-71e0-4d11-bca1-0488c0448a05',
  profile: 'HYBRID',
  rooms: ['default'],
  epoch: EPOCH,
  cursor: null,
  resumed: false,
  heartbeatMs: 10_000,
};

/** A gap of a client that came back too late. */
export const GAP = { reason: 'trimmed', dropped: null, epoch: EPOCH, cursor: CURSOR };

/** Some events, as bundles have them. */
export const EVENTS = [
  { id: ID, type: 'fact_added', room: 'default', data: { facts: 42 }, timestamp: 1795334945.969 },
];

const NOTICE =
  'The connection closes now: come back, after `token_expired` with a fresh token, and ask for the profile first.';

/** What clients are told right before their connection closes, by the name of the message. */
export const notices: Readonly<Record<string, Told>> = Object.fromEntries(
  Object.entries(NOTICES).map(([reason, name]) => [
    name,
    {
      summary: NOTICE,
      says: closed<{ readonly reason: string }>('Why.', { reason: { const: reason } }),
      example: { reason },
    },
  ]),
);
