import { describe, expect, it } from '@jest/globals';
import { dropsIn } from '../../../src/console/drop-list.js';
import { Fields } from '../../../src/console/fields.js';

describe('drops by reason', () => {
  it('are what the counters say of them, most first, and nothing else', () => {
    const drops = dropsIn(
      new Fields({
        events_logged: { all: 9 },
        events_dropped: { client_queue: 2, bridge_full: 5 },
        snapshot_values_forgotten: { all: 1 },
        gaps: 'none',
      }),
    );
    expect(drops.map(({ words, reason, count }) => [words, reason, count])).toEqual([
      ['Events dropped', 'bridge_full', 5],
      ['Events dropped', 'client_queue', 2],
      ['Newest values forgotten', '', 1],
    ]);
  });

  it('do not count clients that were moved', () => {
    const ended = { transport_disabled: 40, shutting_down: 3, slow_consumer: 1 };
    expect(dropsIn(new Fields({ sessions_ended: ended })).map(({ reason }) => reason)).toEqual([
      'slow_consumer',
    ]);
  });
});
