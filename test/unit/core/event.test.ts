import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { ErrorCode } from '../../../src/core/errors.js';
import { Refusal } from '../../../src/core/errors.js';
import {
  type EventLimits,
  eventToJson,
  isRoomName,
  isTypeName,
  type NewEvent,
  parseEvent,
  parseFields,
  RESERVED_TYPES,
  toFields,
} from '../../../src/core/event.js';

const NOW_MS = 1_732_219_200_123;
const LIMITS: EventLimits = { maxDataBytes: 10_000, nowMs: NOW_MS };
const NAME_CHARACTERS = 'ABCXYZabcxyz0189_.:-'.split('');

const name = fc.string({ unit: fc.constantFrom(...NAME_CHARACTERS), minLength: 1, maxLength: 128 });
const typeName = name.filter((text) => !RESERVED_TYPES.has(text));
const key = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u.test(text));

/** Reads an event as a publisher in JavaScript would send it. */
function parsed(input: unknown, limits = LIMITS): NewEvent | Refusal {
  const isObject = typeof input === 'object' && input !== null && 'data' in input;
  return parseEvent(input, isObject ? JSON.stringify(input.data) : undefined, limits);
}

function accepted(input: unknown, limits = LIMITS): NewEvent {
  const event = parsed(input, limits);
  if (event instanceof Refusal) throw new Error(`refused: ${event.code} ${event.message}`);
  return event;
}

/** What is said of an event that is refused. */
function said(input: unknown): string {
  const refusal = parsed(input);
  return refusal instanceof Refusal ? refusal.message : '';
}

function codeOf(event: NewEvent | Refusal): ErrorCode | 'accepted' {
  return event instanceof Refusal ? event.code : 'accepted';
}

/** A flat list of fields, as Redis gives them, as a map. */
function fieldsOf(flat: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2)
    fields.set(String(flat[index]), String(flat[index + 1]));
  return fields;
}

/** What comes of data by each way in. */
/** What becomes of an entry with this data. */
function codeOfData(data: string): ErrorCode | 'accepted' {
  return codeOf(parseFields(fieldsOf(['type', 'x', 'data', data]), { ...LIMITS, maxDataBytes: 1e9 }));
}

/** JSON nested `depth` arrays deep. */
function nestedJson(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

describe('parseEvent', () => {
  test('takes a full event as it is', () => {
    expect(
      accepted({ type: 'kb_update', room: 'monitor', key: 'host-1', data: { a: [1] }, timestamp: 1.5 }),
    ).toEqual({ type: 'kb_update', room: 'monitor', key: 'host-1', dataJson: '{"a":[1]}', timestamp: 1.5 });
  });

  test('what is optional may be missing or null; the time of ingest stands in for a timestamp, in seconds', () => {
    const bare = { type: 'x', room: undefined, key: undefined, dataJson: 'null', timestamp: NOW_MS / 1000 };
    expect(accepted({ type: 'x' })).toEqual(bare);
    expect(accepted({ type: 'x', room: null, key: null, data: null, timestamp: null })).toEqual(bare);
  });

  test.each<[string, unknown, ErrorCode]>([
    ['a text', 'event', 'invalid_event'],
    ['a number', 7, 'invalid_event'],
    ['null', null, 'invalid_event'],
    ['undefined', undefined, 'invalid_event'],
    ['an array', [{ type: 'x' }], 'invalid_event'],
    ['no type', {}, 'invalid_type'],
    ['an empty type', { type: '' }, 'invalid_type'],
    ['a type of 129', { type: 'x'.repeat(129) }, 'invalid_type'],
    ['a type with a space', { type: 'a b' }, 'invalid_type'],
    ['a type with a line end', { type: 'a\n' }, 'invalid_type'],
    ['a type with an umlaut', { type: 'ä' }, 'invalid_type'],
    ['a number as type', { type: 1 }, 'invalid_type'],
    ['an array as type', { type: ['x'] }, 'invalid_type'],
    ['an empty room', { type: 'x', room: '' }, 'invalid_room'],
    ['a room of 129', { type: 'x', room: 'r'.repeat(129) }, 'invalid_room'],
    ['a room with a slash', { type: 'x', room: 'a/b' }, 'invalid_room'],
    ['a list of rooms', { type: 'x', room: ['a'] }, 'invalid_room'],
    ['false as room', { type: 'x', room: false }, 'invalid_room'],
    ['an empty key', { type: 'x', key: '' }, 'invalid_key'],
    ['a key of 257', { type: 'x', key: 'k'.repeat(257) }, 'invalid_key'],
    ['a number as key', { type: 'x', key: 0 }, 'invalid_key'],
    ['a key with NUL', { type: 'x', key: 'a\0b' }, 'invalid_key'],
    ['a key with a tab', { type: 'x', key: 'a\tb' }, 'invalid_key'],
    ['a key with LF', { type: 'x', key: 'a\n' }, 'invalid_key'],
    ['a key with DEL', { type: 'x', key: '\u007f' }, 'invalid_key'],
    ['a key with U+2028', { type: 'x', key: 'a\u2028b' }, 'invalid_key'],
    ['a key with U+2029', { type: 'x', key: 'a\u2029b' }, 'invalid_key'],
    ['a key with a BOM', { type: 'x', key: '\ufeffa' }, 'invalid_key'],
    ['a key with a lone surrogate', { type: 'x', key: 'a\ud800' }, 'invalid_key'],
    ['a text as timestamp', { type: 'x', timestamp: '1732219200' }, 'invalid_timestamp'],
    ['NaN as timestamp', { type: 'x', timestamp: NaN }, 'invalid_timestamp'],
    ['infinity as timestamp', { type: 'x', timestamp: -Infinity }, 'invalid_timestamp'],
    ['data of too many bytes', { type: 'x', data: 'x'.repeat(9_999) }, 'payload_too_large'],
    ['data of too many bytes, fewer characters', { type: 'x', data: 'ä'.repeat(5_000) }, 'payload_too_large'],
  ])('refuses %s', (_name, input, code) => {
    expect(codeOf(parsed(input))).toBe(code);
  });

  test('tells what is missing from what is wrong', () => {
    expect(said({ data: 1 })).toMatch(/^type is missing/);
    expect(said({ type: null })).toMatch(/^type is missing/);
    expect(said({ type: 'a b' })).toMatch(/^type must be/);
    expect(said([])).toMatch(/^an event is a JSON object/);
    expect(parseFields(new Map([['data', '1']]), LIMITS)).toMatchObject({
      message: expect.stringMatching(/^type is missing/),
    });
  });

  test('data of exactly the limit is taken', () => {
    expect(accepted({ type: 'x', data: 'x'.repeat(9_998) }).dataJson).toHaveLength(10_000);
  });

  test('names of 1 and of 128 characters are taken, every allowed character with them', () => {
    const every = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-';
    for (const text of ['x', every, 'x'.repeat(128)]) {
      expect(accepted({ type: text, room: text })).toMatchObject({ type: text, room: text });
    }
  });

  test('a key of 256 characters is taken, counted as characters, not as code units', () => {
    for (const text of ['k'.repeat(256), '😀'.repeat(256), 'größe 10 µm', '東京', 'a "quoted" \\key'])
      expect(accepted({ type: 'x', key: text }).key).toBe(text);
    expect(codeOf(parsed({ type: 'x', key: '😀'.repeat(257) }))).toBe('invalid_key');
  });

  test.each([...RESERVED_TYPES])('refuses the type %s, which Socket.IO keeps for itself', (type) => {
    expect(codeOf(parsed({ type }))).toBe('invalid_type');
    expect(codeOf(parseFields(new Map([['type', type]]), LIMITS))).toBe('invalid_type');
    // Rooms and actions are never event names.
    expect([isRoomName(type), isTypeName(type)]).toEqual([true, true]);
  });

  test('reserves what Socket.IO reserves', () => {
    // Not exported by the package: read from where it is.
    const file = path.resolve(__dirname, '../../../node_modules/socket.io/dist/socket-types.js');
    const { RESERVED_EVENTS } = createRequire(file)(file) as { RESERVED_EVENTS: Set<string> };
    expect(new Set(RESERVED_TYPES)).toEqual(RESERVED_EVENTS);
  });

  test('never throws and never lets an invalid event through, whatever JSON comes in', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record(
            {
              type: fc.anything(),
              room: fc.anything(),
              key: fc.anything(),
              timestamp: fc.anything(),
              data: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
        ),
        (input) => {
          const event = parsed(input);
          if (event instanceof Refusal) return;
          expect(isTypeName(event.type)).toBe(true);
          expect(event.room === undefined || isRoomName(event.room)).toBe(true);
          expect(Number.isFinite(event.timestamp)).toBe(true);
          expect(() => JSON.parse(event.dataJson) as unknown).not.toThrow();
        },
      ),
    );
  });

  test('data is the source text, whatever its value', () => {
    const dataJson = '{"2":1234567890123456789,"1":1e400}';
    expect(parseEvent({ type: 'x', data: 'something else' }, dataJson, LIMITS)).toMatchObject({ dataJson });
  });
});

describe('fields of a Redis Stream', () => {
  test('an event goes into fields and comes out the same', () => {
    fc.assert(
      fc.property(
        typeName,
        fc.option(name, { nil: undefined }),
        fc.option(key, { nil: undefined }),
        fc.json(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        (type, room, key, dataJson, timestamp) => {
          const event = { type, room, key, dataJson, timestamp };
          expect(parseFields(fieldsOf(toFields(event)), { ...LIMITS, maxDataBytes: 1e9 })).toEqual(event);
        },
      ),
    );
  });

  test('optional fields may be missing or empty', () => {
    const bare = { type: 'x', room: undefined, key: undefined, dataJson: 'null', timestamp: NOW_MS / 1000 };
    expect(parseFields(new Map([['type', 'x']]), LIMITS)).toEqual(bare);
    const empty = fieldsOf([
      'type',
      'x',
      'room',
      '',
      'key',
      '',
      'timestamp',
      '',
      'data',
      'null',
      'other',
      '1',
    ]);
    expect(parseFields(empty, LIMITS)).toEqual(bare);
  });

  test('pretty-printed JSON is kept as it came', () => {
    const data = JSON.stringify({ a: [1, 2], b: 'c\nd' }, null, 2);
    expect(parseFields(fieldsOf(['type', 'x', 'data', data]), LIMITS)).toMatchObject({ dataJson: data });
  });

  test.each<[string, string[], ErrorCode]>([
    ['no type', ['data', '1'], 'invalid_type'],
    ['data that is no JSON', ['type', 'x', 'data', '{a:1}'], 'invalid_data'],
    ['empty data', ['type', 'x', 'data', ''], 'invalid_data'],
    ['JSON with a tail', ['type', 'x', 'data', '{} {}'], 'invalid_data'],
    ['a room that is none', ['type', 'x', 'room', 'a b'], 'invalid_room'],
    ['a key that is none', ['type', 'x', 'key', 'a\u0000'], 'invalid_key'],
    ['a timestamp that is none', ['type', 'x', 'timestamp', 'yesterday'], 'invalid_timestamp'],
    ['an infinite timestamp', ['type', 'x', 'timestamp', '1e999'], 'invalid_timestamp'],
    ['too much data', ['type', 'x', 'data', `"${'x'.repeat(10_000)}"`], 'payload_too_large'],
  ])('refuses %s', (_name, flat, code) => {
    expect(codeOf(parseFields(fieldsOf(flat), LIMITS))).toBe(code);
  });

  test('data may be nested 100 levels deep, brackets in strings not counted', () => {
    for (const json of [nestedJson(100), `["${'['.repeat(2000)}"]`, `[${'[1],'.repeat(2000)}{}]`]) {
      expect(codeOfData(json)).toBe('accepted');
    }
    for (const json of [
      nestedJson(101),
      nestedJson(200_000),
      `["\\"${',{"a":[1'.repeat(60)}${']}'.repeat(60)}]`,
    ]) {
      expect(codeOfData(json)).toBe('invalid_data');
    }
  });

  test('data of too many bytes is not parsed', () => {
    const parse = jest.spyOn(JSON, 'parse');
    const fields = fieldsOf(['type', 'x', 'data', `"${'x'.repeat(10_000)}"`]);
    expect(codeOf(parseFields(fields, LIMITS))).toBe('payload_too_large');
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });
});

describe('eventToJson', () => {
  test('is the JSON of the event as clients get it', () => {
    fc.assert(
      fc.property(
        typeName,
        name,
        fc.option(key, { nil: undefined }),
        fc.jsonValue(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        (type, room, key, data, timestamp) => {
          const dataJson = JSON.stringify(data);
          const event = { id: '17-0', type, room, key, dataJson, timestamp, slot: null, position: 5 };
          expect(JSON.parse(eventToJson(event))).toEqual({
            id: '17-0',
            type,
            room,
            ...(key === undefined ? {} : { key }),
            data: JSON.parse(dataJson) as unknown,
            timestamp,
          });
        },
      ),
    );
  });
});
