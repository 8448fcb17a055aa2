/**
 * The kinds of clients, as far as they let it be known. `sdk`: names itself as the SDK does, and follows the profile from one
 * transport to the other. `bundle`: asked for bundles over Socket.IO and does not name itself. `eventsource`: reads an event
 * stream and does not name itself. `stock`: a legacy client of Socket.IO.
 */
export const CLIENT_KINDS = ['sdk', 'bundle', 'eventsource', 'stock'] as const;

/** One of {@link CLIENT_KINDS}. */
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** A number for each kind of client. */
export type ClientCounts = Readonly<Record<ClientKind, number>>;

/** The label of an SDK, `sdk/<version>`. */
const SDK_LABEL = /^sdk\/[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/;

/**
 * Decides the kind of a client from the label it names itself by (`client=` in its query; any value a client sent) and the
 * kind of those that connect as it does without a label. A label gives no right: one that is malformed is ignored.
 */
export function clientKind(label: unknown, unnamed: Exclude<ClientKind, 'sdk'>): ClientKind {
  // The SDK always asks for bundles: a legacy client is given what legacy clients are given, whatever it calls itself.
  if (unnamed === 'stock') return unnamed;
  return typeof label === 'string' && SDK_LABEL.test(label) ? 'sdk' : unnamed;
}

/** True of kinds that come back over another transport by themselves when theirs is turned off. */
export function followsProfile(kind: ClientKind): boolean {
  return kind === 'sdk';
}

/** Makes a value for each kind. */
export function forEachKind<T>(valueOf: (kind: ClientKind) => T): Record<ClientKind, T> {
  return {
    sdk: valueOf('sdk'),
    bundle: valueOf('bundle'),
    eventsource: valueOf('eventsource'),
    stock: valueOf('stock'),
  };
}
