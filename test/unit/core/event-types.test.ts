import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { coalesce } from '../../../src/core/delivery/coalesce.js';
import type { Event, NewEvent } from '../../../src/core/event.js';
import { EventTypes } from '../../../src/core/event-types.js';
import { newEvent } from '../../support/new-event.js';

function tableOf(json: unknown, defaultRooms: readonly string[] = ['default']): EventTypes {
  const types = EventTypes.parse(json, defaultRooms);
  if (Array.isArray(types)) throw new Error(types.join('; '));
  return types;
}

let ids = 0;
function placed(types: EventTypes, parts: Partial<NewEvent>): Event[] {
  return types.place({ ...newEvent(parts), id: `1-${String(++ids)}` }, ids);
}

function slotOf(types: EventTypes, parts: Partial<NewEvent>): string | null | undefined {
  return placed(types, parts)[0]?.slot;
}

const SHIPPED: unknown = JSON.parse(
  readFileSync(path.resolve(__dirname, '../../../config/event-types.json'), 'utf8'),
);

describe('EventTypes.parse', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['an array', []],
    ['a text', 'kb_update'],
    ['a name that is none', { 'a b': { policy: 'latest' } }],
    ['a row that is none', { a: 'latest' }],
    ['a row of null', { a: null }],
    ['no policy', { a: {} }],
    ['another policy', { a: { policy: 'newest' } }],
    ['a room that is none', { a: { policy: 'latest', rooms: ['a b'] } }],
    ['no rooms', { a: { policy: 'latest', rooms: [] } }],
    ['rooms as a text', { a: { policy: 'latest', rooms: 'monitor' } }],
    ['another per', { a: { policy: 'latest', per: 'size' } }],
    ['per of an append type', { a: { policy: 'append', per: 'shape' } }],
    ['an unknown property', { a: { policy: 'latest', room: ['x'] } }],
  ])('refuses %s', (_name, json) => {
    expect(EventTypes.parse(json, ['default'])).toEqual([expect.any(String)]);
  });

  test('tells all faults at once, each with its name', () => {
    const faults = EventTypes.parse({ good: { policy: 'latest' }, bad: {}, 'worse one': {} }, []);
    expect(faults).toEqual([expect.stringContaining('"bad"'), expect.stringContaining('"worse one"')]);
  });

  test('takes the table that ships', () => {
    expect(EventTypes.parse(SHIPPED, ['default'])).toBeInstanceOf(EventTypes);
  });
});

describe('EventTypes.place', () => {
  const types = tableOf(
    {
      kb_update: { policy: 'latest', rooms: ['monitor', 'kb'] },
      fact_added: { policy: 'append' },
      status: { policy: 'latest', per: 'shape' },
    },
    ['default', 'lobby'],
  );
  const roomsOf = (parts: Partial<NewEvent>) => placed(types, parts).map(({ room }) => room);

  test('an event goes to the room it names, else to those of its type, else to the default rooms', () => {
    expect(roomsOf({ type: 'kb_update', room: 'own' })).toEqual(['own']);
    expect(roomsOf({ type: 'kb_update', room: undefined })).toEqual(['monitor', 'kb']);
    expect(roomsOf({ type: 'fact_added', room: undefined })).toEqual(['default', 'lobby']);
    expect(roomsOf({ type: 'unheard_of', room: undefined })).toEqual(['default', 'lobby']);
  });

  test('every room gets the same event, with the position it was given', () => {
    const entry = { ...newEvent({ type: 'kb_update', room: undefined, dataJson: '{"a":1}' }), id: '5-1' };
    expect(types.place(entry, 42)).toEqual([
      { ...entry, room: 'monitor', slot: 'kb_update', position: 42 },
      { ...entry, room: 'kb', slot: 'kb_update', position: 42 },
    ]);
  });

  test('append events and those of unknown types have no slot', () => {
    expect(slotOf(types, { type: 'fact_added' })).toBeNull();
    expect(slotOf(types, { type: 'unheard_of' })).toBeNull();
    expect(slotOf(types, { type: 'constructor' })).toBeNull();
  });

  test('an event with a key is latest by key, whatever its type', () => {
    for (const type of ['fact_added', 'unheard_of', 'kb_update', 'status']) {
      const slot = slotOf(types, { type, key: 'k' });
      expect(slot).toEqual(expect.any(String));
      expect(slotOf(types, { type, key: 'k', dataJson: '{"other":"shape"}' })).toBe(slot);
      expect(slotOf(types, { type, key: 'l' })).not.toBe(slot);
      expect(slotOf(types, { type })).not.toBe(slot);
    }
  });

  test('no type, key and shape share a slot by their spelling', () => {
    const slots = [
      slotOf(types, { type: 'kb_update' }),
      slotOf(types, { type: 'kb_update', key: 'status' }),
      slotOf(types, { type: 'kb_updat', key: 'e' }),
      slotOf(types, { type: 'status', key: '["a"]', dataJson: '{"a":1}' }),
      slotOf(types, { type: 'status', dataJson: '{"a":1}' }),
      slotOf(types, { type: 'status', dataJson: '{"a,b":1}' }),
      slotOf(types, { type: 'status', dataJson: '{"a":1,"b":1}' }),
      slotOf(types, { type: 'status', dataJson: '["a"]' }),
      slotOf(types, { type: 'status', dataJson: '"array"' }),
      slotOf(types, { type: 'status', dataJson: '1' }),
      slotOf(types, { type: 'status', dataJson: '{}' }),
    ];
    expect(new Set(slots).size).toBe(slots.length);
  });

  test('a shape is the names of the properties, not their order, values or spacing', () => {
    const slot = slotOf(types, { type: 'status', dataJson: '{"a":1,"b":2}' });
    expect(slotOf(types, { type: 'status', dataJson: '{"b":null,\n "a":[{"c":1}]}' })).toBe(slot);
  });

  test('two shapes of system_status_update never swallow each other', () => {
    const shipped = tableOf(SHIPPED);
    const one = (dataJson: string) => placed(shipped, { type: 'system_status_update', dataJson });
    const cpu = [one('{"cpu":1,"memory":2}'), one('{"cpu":3,"memory":4}')].flat();
    const governor = [one('{"governor":"on"}'), one('{"governor":"off"}')].flat();
    const mixed = [cpu[0], governor[0], governor[1], cpu[1]] as Event[];
    expect(coalesce(mixed)).toEqual([governor[1], cpu[1]]);
  });
});
