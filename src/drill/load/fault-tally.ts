import type { ConnectionFaults } from '../ledger/connection-ledger.js';
import type { Stretch } from '../ledger/fault-numbers.js';
import type { FaultCount, StepStretches } from './messages.js';

/** Examples given of a step's faults, and numbers in one of them. */
const EXAMPLES = 5;
const NUMBERS = 8;

/** A client that can say what is wrong with what it was given. */
export interface Accountable {
  /** Within a stretch of a publisher's numbers; nothing of publishers it does not hear of. */
  faults(publisher: string, stretch: Stretch): ConnectionFaults;
}

/** The faults of a step, added up over clients, the first of which has the number `first`. */
export function tallyOf(
  clients: readonly Accountable[],
  first: number,
  stretches: StepStretches,
): FaultCount {
  const count = noFaults();
  const whole = Object.entries(stretches).map(
    ([publisher, { from, to, unknown }]) => [publisher, { from, to, unknown: new Set(unknown) }] as const,
  );
  for (const [index, client] of clients.entries()) {
    let isFaulty = false;
    for (const [publisher, stretch] of whole) {
      const who = `client ${String(first + index)}, ${publisher}`;
      if (add(count, client.faults(publisher, stretch), who)) isFaulty = true;
    }
    if (isFaulty) count.clients += 1;
  }
  return count;
}

/** Counts of several processes as one. */
export function sumOf(counts: readonly FaultCount[]): FaultCount {
  const sum = noFaults();
  for (const { lost, doubled, outOfOrder, missed, clients, examples } of counts) {
    sum.lost += lost;
    sum.doubled += doubled;
    sum.outOfOrder += outOfOrder;
    sum.missed += missed;
    sum.clients += clients;
    sum.examples.push(...examples.slice(0, EXAMPLES - sum.examples.length));
  }
  return sum;
}

function noFaults(): FaultCount {
  return { lost: 0, doubled: 0, outOfOrder: 0, missed: 0, clients: 0, examples: [] };
}

/** Adds a client's faults; true where there are any. What it missed while it was away is none. */
function add(count: FaultCount, faults: ConnectionFaults, who: string): boolean {
  const { lost, doubled, outOfOrder, missed } = faults;
  count.lost += lost.length;
  count.doubled += doubled.length;
  count.outOfOrder += outOfOrder.length;
  count.missed += missed.length;
  for (const [what, numbers] of Object.entries({ lost, doubled, 'out of order': outOfOrder })) {
    if (numbers.length === 0 || count.examples.length === EXAMPLES) continue;
    const rest = numbers.length > NUMBERS ? ', …' : '';
    count.examples.push(`${who}: ${what} ${numbers.slice(0, NUMBERS).join(', ')}${rest}`);
  }
  return lost.length + doubled.length + outOfOrder.length > 0;
}
