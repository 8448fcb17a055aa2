import { beforeEach, describe, expect, test } from '@jest/globals';
import { DeliveryTraces } from '../../../../src/core/delivery/delivery-traces.js';
import type { Timeline } from '../../../../src/core/delivery/timeline.js';
import { Counters } from '../../../../src/core/metrics/counters.js';
import type { Span, SpanBeginning, SpanEnd, Tracing } from '../../../../src/core/tracing.js';
import { TurnedClock } from '../../../support/turned-clock.js';

let clock: TurnedClock;
let counters: Counters;
let traces: DeliveryTraces;
let spans: (SpanBeginning & SpanEnd & { readonly name: string })[];

beforeEach(() => {
  clock = new TurnedClock();
  counters = new Counters();
  spans = [];
  const tracing: Tracing = {
    on: true,
    begin: (name, beginning) => ({
      traceparent: undefined,
      end: (end = {}) => spans.push({ name, ...beginning, at: end.at ?? 0, ...beginning }),
    }),
  };
  traces = new DeliveryTraces({ tracing, clock, counters });
});

const spanOf = (number: number, flags = '01'): Span => ({
  traceparent: `00-${'a'.repeat(32)}-${String(number).padStart(16, '0')}-${flags}`,
  end() {},
});

/** A flush of these events, each to the room `a`. */
function flush(...ids: string[]): void {
  const entries = ids.map((id) => ({ id, isNew: true, rooms: ['a'] }));
  const timeline = { entriesBetween: () => entries } as unknown as Timeline;
  traces.flushed(timeline, 0, ids.length, 4);
}

const told = () => spans.map(({ parent, attributes }) => [parent, attributes?.['flipgate.events']]);

describe('DeliveryTraces', () => {
  test('tell of a flush that comes after the ids are known', () => {
    traces.publishing(spanOf(1))(['1-0', '1-1']);
    flush('1-0', '1-1', '9-9');
    expect(told()).toEqual([[spanOf(1).traceparent, 2]]);
    expect(spans[0]).toMatchObject({ name: 'deliver', kind: 'consumer', at: clock.now() - 4 });
    flush('1-0', '1-1');
    expect(spans).toHaveLength(1);
  });

  test('tell of a flush that came before', () => {
    const published = traces.publishing(spanOf(1));
    flush('1-0');
    flush('2-0', '1-1');
    published(['1-0', '1-1']);
    expect(told()).toEqual([
      [spanOf(1).traceparent, 1],
      [spanOf(1).traceparent, 1],
    ]);
  });

  test('tell publications apart that one flush takes', () => {
    traces.publishing(spanOf(1))(['1-0']);
    traces.publishing(spanOf(2))(['1-1', '1-2']);
    flush('1-0', '1-1', '1-2');
    expect(told()).toEqual([
      [spanOf(1).traceparent, 1],
      [spanOf(2).traceparent, 2],
    ]);
  });

  test('keep nothing of a publication that failed, or is not sampled', () => {
    traces.publishing(spanOf(1, '00'))(['1-0']);
    traces.publishing({ traceparent: undefined, end() {} })(['1-1']);
    const published = traces.publishing(spanOf(2));
    flush('1-2');
    published([]);
    flush('1-0', '1-1', '1-2');
    expect(spans).toEqual([]);
  });

  test('forget the oldest that too many await, and count them', () => {
    const ids = Array.from({ length: 1500 }, (_, number) => `1-${String(number)}`);
    traces.publishing(spanOf(1))(ids);
    expect(counters.get('traces_dropped')).toBe(500);
    flush(...ids);
    expect(told()).toEqual([[spanOf(1).traceparent, 1000]]);
  });

  test('remember no more than so many flushed events, of whomever they are', () => {
    const published = traces.publishing(spanOf(1));
    flush(...Array.from({ length: 3000 }, (_, number) => `1-${String(number)}`), '2-0');
    published(['1-0', '2-0']);
    expect(told()).toEqual([[spanOf(1).traceparent, 1]]);
    expect(counters.get('traces_dropped')).toBe(0);
  });
});
