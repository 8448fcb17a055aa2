import { CLIENT_KINDS, type ClientKind, followsProfile, forEachKind } from '../delivery/client-kind.js';
import type { ClientReading } from '../delivery/client-tally.js';
import type { Transport } from '../delivery/session.js';
import type { FlipClients, FlippedKind, MovedSessions } from './flip-report.js';

const NO_KIND: FlippedKind = { total: 0, left: 0, ended: 0 };

/** The sessions of a flip that has not got so far. */
export const NO_SESSIONS: MovedSessions = {
  total: 0,
  left: 0,
  clients: { moved: 0, returned: 0, cutOff: 0, gone: 0, byKind: forEachKind(() => NO_KIND) },
};

/** The clients whose transport a flip turned off between two readings of the counts. */
export class FlippedClients {
  readonly #read: () => ClientReading;
  readonly #leaving: readonly Transport[];
  readonly #staying: readonly Transport[];
  readonly #atStart: ClientReading;
  #last: MovedSessions | undefined;
  #returned: number | undefined;

  /** Begins now: `leaving` transports have just been turned off, `staying` ones are on. */
  constructor(read: () => ClientReading, leaving: readonly Transport[], staying: readonly Transport[]) {
    this.#read = read;
    this.#leaving = leaving;
    this.#staying = staying;
    this.#atStart = read();
  }

  /** The sessions as they are now; once it has {@link end}ed, as they were then, but for the clients that came back. */
  report(): MovedSessions {
    const sessions = this.#last ?? this.#now();
    const { clients } = sessions;
    if (clients === null) return sessions;
    return { ...sessions, clients: { ...clients, returned: this.#returned ?? this.#countReturned() } };
  }

  /** The flip is over: what happens to sessions from now on is not its doing. */
  end(): void {
    this.#last ??= this.#now();
  }

  /** Clients that come back from now on do so for other reasons. */
  settle(): void {
    this.#returned ??= this.#countReturned();
  }

  #now(): MovedSessions {
    const byKind = this.#byKind();
    const sum = (count: (one: FlippedKind, kind: ClientKind) => number): number =>
      CLIENT_KINDS.reduce((total, kind) => total + count(byKind[kind], kind), 0);
    const clients: FlipClients = {
      moved: sum(({ ended }, kind) => (followsProfile(kind) ? ended : 0)),
      returned: 0,
      cutOff: sum(({ ended }, kind) => (followsProfile(kind) ? 0 : ended)),
      gone: sum(({ total, left, ended }) => total - left - ended),
      byKind,
    };
    return { total: sum(({ total }) => total), left: sum(({ left }) => left), clients };
  }

  #byKind(): FlipClients['byKind'] {
    const now = this.#read();
    return forEachKind((kind) => {
      const openIn = ({ open }: ClientReading): number => sumOf(this.#leaving, (one) => open[one][kind]);
      const left = openIn(now);
      const ended = now.turnedOff[kind] - this.#atStart.turnedOff[kind];
      // A client that was on its way in when the flip began comes on top.
      return { total: Math.max(openIn(this.#atStart), left + ended), left, ended };
    });
  }

  #countReturned(): number {
    const now = this.#read();
    return sumOf(CLIENT_KINDS.filter(followsProfile), (kind) =>
      sumOf(this.#staying, (one) => now.returned[one][kind] - this.#atStart.returned[one][kind]),
    );
  }
}

function sumOf<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}
