import type { Clock } from '../clock.js';
import { type ProfileName, PROFILES, servesNothing } from '../config/profile.js';
import type { ClientReading } from '../delivery/client-tally.js';
import type { Drain } from '../delivery/drain.js';
import type { Session, Transport } from '../delivery/session.js';
import { type ErrorCode, Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Counters } from '../metrics/counters.js';
import type { FlipAccepted, FlipOrigin, FlipReport } from './flip-report.js';
import { FlipRecord } from './flip-record.js';
import { FlippedClients } from './flipped-clients.js';
import type { ServedProfile } from './served-profile.js';
import type { ServedTransport } from './served-transport.js';

const TRANSPORTS = ['websocket', 'sse'] as const;
/** How long after a flip clients that come back do so because of it, ms: twice the longest pause between two attempts. */
const RETURN_MS = 60_000;

/** What a {@link ProfileSwitch} works with. */
export interface ProfileSwitchParts {
  /** What is served at the start, and from then on what the switch says. */
  readonly served: ServedProfile;
  /** ms over which the clients of a transport that goes off are moved. */
  readonly drainMs: number;
  /** Opens a transport: it serves from then on. Rejects when it can't. */
  readonly open: Readonly<Record<Transport, () => Promise<ServedTransport>>>;
  /** Ends sessions, spread over `overMs`. */
  readonly drain: (leaving: (session: Session) => boolean, reason: ErrorCode, overMs: number) => Drain;
  /** The counts of clients so far. */
  readonly clients: () => ClientReading;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * Which profile this process serves, and the flip to another one while it runs: the transport that comes is open before
 * the other takes no more clients, and whoever is left on that is moved gently. Log, rooms and listener know nothing of it.
 */
export class ProfileSwitch {
  readonly #parts: ProfileSwitchParts;
  /** All that are open: those that are served, and those that are being left. */
  readonly #open = new Map<Transport, ServedTransport>();
  #flip: FlipRecord | undefined;
  #flips = 0;
  /** When the profile that is served began to be, ms since the epoch. */
  #since: number;
  /** Flips, and what they end with, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: ProfileSwitchParts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  /** Opens what the profile serves. Rejects when that can't be done. */
  async start(): Promise<void> {
    for (const transport of this.#on(this.#parts.served.profile)) await this.#openOne(transport);
  }

  /** What is served, and how the newest flip goes on. */
  report(): FlipReport {
    const { profile, transports } = this.#parts.served;
    const flip = this.#flip?.toReport() ?? null;
    return { profile, transports, since: this.#since, repeated: false, flip };
  }

  /**
   * Serves another profile (any value, checked here). Resolves when it is served; clients are moved from then on. A
   * flip to the profile that is served changes nothing, and its report says so; one during another that still moves clients takes
   * its place. `accepted` is called before anything else is logged of it.
   * Refused: `invalid_profile`, `serves_nothing`, `flip_failed` (then all is as it was), `shutting_down`.
   */
  flip(to: unknown, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipReport | Refusal> {
    const profile = this.check(to);
    if (profile instanceof Refusal) return Promise.resolve(profile);
    return this.#inTurn(() => this.#flipTo(profile, origin, accepted));
  }

  /**
   * The profile that any value names; letter case does not matter. Refused: `invalid_profile`, `serves_nothing`,
   * `shutting_down`.
   */
  check(to: unknown): ProfileName | Refusal {
    if (this.#closed) return new Refusal('shutting_down', 'this node is going down', 1000);
    if (to === undefined || to === null) {
      return new Refusal('invalid_profile', `profile is missing: it is one of ${PROFILES.join(', ')}`);
    }
    const profile = PROFILES.find((name) => name === (typeof to === 'string' ? to.trim().toUpperCase() : to));
    if (profile === undefined) {
      return new Refusal('invalid_profile', `a profile is one of ${PROFILES.join(', ')}`);
    }
    return servesNothing(this.#parts.served.under(profile))
      ? new Refusal('serves_nothing', `by the ENABLE_ variables nothing would be served under ${profile}`)
      : profile;
  }

  /** Flips no more: the process is going down. */
  freeze(): void {
    this.#closed = true;
    // Its clients are the stop's now.
    this.#flip?.supersede();
  }

  /** Flips no more, and closes what is open; to be called once the sessions have ended. */
  close(): Promise<void> {
    this.freeze();
    return this.#inTurn(async () => {
      for (const transport of this.#open.keys()) await this.#closeOne(transport);
    });
  }

  async #flipTo(to: ProfileName, origin: FlipOrigin, accepted?: FlipAccepted): Promise<FlipReport | Refusal> {
    const { served, clock, logger, counters } = this.#parts;
    const from = served.profile;
    if (this.#closed) return new Refusal('shutting_down', 'this node is going down', 1000);
    if (to === from) {
      accepted?.(to, undefined);
      return { ...this.report(), repeated: true };
    }
    const before = this.#flip;
    this.#flips += 1;
    accepted?.(to, this.#flips);
    const facts = { audit: 'flip', flip: this.#flips, from, to, ...origin };
    logger.info('the profile is being flipped', facts);
    const flip = new FlipRecord({ id: this.#flips, from, to, ...origin, startedAt: clock.now() }, counters);
    this.#flip = flip;
    const opened: Transport[] = [];
    try {
      for (const transport of this.#on(to)) {
        if (this.#open.has(transport)) continue;
        await this.#openOne(transport);
        opened.push(transport);
      }
    } catch (error) {
      for (const transport of opened) {
        this.#open.get(transport)?.turnAway();
        await this.#closeOne(transport);
      }
      logger.error('the flip failed, all is served as before', { ...facts, error });
      const refusal = new Refusal('flip_failed', `${to} can not be served; ${from} goes on`);
      flip.fail(refusal);
      return refusal;
    }
    if (this.#closed) {
      // A stop began meanwhile; it closes what is open, and moves everybody.
      const refusal = new Refusal('shutting_down', 'this node is going down', 1000);
      flip.fail(refusal);
      return refusal;
    }
    before?.settle();
    served.become(to);
    this.#since = clock.now();
    // While it moves clients all transports are open: no flip that comes then can fail.
    before?.supersede();
    this.#move(flip, facts);
    return this.report();
  }

  /** From here on it can't fail: clients of what went off are disconnected, and what is left then is closed. */
  #move(flip: FlipRecord, facts: object): void {
    const { served: now, clock, drain, drainMs, clients, logger } = this.#parts;
    const on = this.#on(now.profile);
    const leaving = new Set<Transport>();
    for (const [transport, served] of this.#open) {
      if (on.includes(transport)) {
        served.admit();
      } else {
        served.turnAway();
        leaving.add(transport);
      }
    }
    const flipped = new FlippedClients(clients, [...leaving], on);
    const moving = drain(({ transport }) => leaving.has(transport), 'transport_disabled', drainMs);
    flip.moves(flipped, moving);
    logger.info('the profile was flipped', { ...facts, sessions: moving.total });
    const end = async (): Promise<void> => {
      await moving.done;
      await this.#inTurn(async () => {
        if (flip.state !== 'draining') return;
        for (const transport of leaving) await this.#closeOne(transport);
        flip.end();
        const { total, clients: told } = flipped.report();
        logger.info('the clients of the profile before have been disconnected', {
          ...facts,
          sessions: total,
          moved: told?.moved,
          cutOff: told?.cutOff,
          tookMs: clock.now() - flip.startedAt,
        });
        clock.after(RETURN_MS, () => {
          flip.settle();
        });
      });
    };
    void end();
  }

  #on(profile: ProfileName): readonly Transport[] {
    const transports = this.#parts.served.under(profile);
    return TRANSPORTS.filter((transport) => transports[transport]);
  }

  async #openOne(transport: Transport): Promise<void> {
    this.#open.set(transport, await this.#parts.open[transport]());
  }

  async #closeOne(transport: Transport): Promise<void> {
    const served = this.#open.get(transport);
    this.#open.delete(transport);
    try {
      await served?.close();
    } catch (error) {
      this.#parts.logger.error('a transport failed to close', { transport, error });
    }
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
