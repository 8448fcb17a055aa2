import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  actionOf,
  type LegacyCommand,
  type LegacyMapping,
  parseLegacyMapping,
} from '../../../../src/profiles/socketio/legacy-mapping.js';

const governor: LegacyCommand = { command: 'governor.{action}', values: { action: ['start', 'stop'] } };

const faultsOf = (json: unknown): string[] => {
  const parsed = parseLegacyMapping(json);
  return Array.isArray(parsed) ? parsed : [];
};

describe('parseLegacyMapping', () => {
  test('reads the mapping that ships', () => {
    const file = path.resolve(__dirname, '../../../../config/hak-gal.json');
    const mapping = parseLegacyMapping(JSON.parse(readFileSync(file, 'utf8'))) as LegacyMapping;
    expect(mapping.onConnect).toEqual([{ type: 'connection_status', data: { connected: true } }]);
    expect([...mapping.events.keys()]).toEqual([
      'request_initial_data',
      'request_status',
      'governor_control',
    ]);
  });

  test('needs nothing', () => {
    expect(parseLegacyMapping({})).toEqual({ onConnect: [], events: new Map() });
  });

  test('keeps names of the prototype for what they are: names', () => {
    const json: unknown = JSON.parse(
      '{"events":{"__proto__":{"snapshot":"all"},"constructor":{"snapshot":[]}}}',
    );
    const { events } = parseLegacyMapping(json) as LegacyMapping;
    expect([...events]).toEqual([
      ['__proto__', { snapshot: 'all' }],
      ['constructor', { snapshot: [] }],
    ]);
    expect(events.get('toString')).toBeUndefined();
  });

  test.each([null, [], 'text', 7])('is no %j', (json) => {
    expect(faultsOf(json)).toEqual([expect.stringContaining('must be an object')]);
  });

  test.each([
    ['no list', {}],
    ['of no objects', [null]],
    ['without a type', [{ data: 1 }]],
    ['without data', [{ type: 'a' }]],
    ['of a type that is none', [{ type: 'a b', data: 1 }]],
    ['of a type that Socket.IO keeps, whose emission throws', [{ type: 'disconnect', data: 1 }]],
  ])('greetings %s are a fault', (_what, onConnect) => {
    expect(faultsOf({ onConnect })).toEqual([expect.stringContaining('"onConnect" must be a list')]);
  });

  test.each([
    ['null', null],
    ['a text', 'governor.start'],
    ['nothing', {}],
    ['a snapshot of no list', { snapshot: true }],
    ['a snapshot of types that are none', { snapshot: ['a b'] }],
    ['a command that is no text', { command: 7 }],
    ['a command that is no action', { command: 'governor start' }],
    ['a placeholder without values', { command: 'governor.{action}' }],
    ['a placeholder with the values of another', { command: 'a.{b}', values: { c: ['d'] } }],
    ['a placeholder named like a property of every object', { command: 'a.{toString}', values: {} }],
    ['a placeholder named like the prototype', { command: 'a.{__proto__}', values: {} }],
    ['values of no list', { command: 'a.{b}', values: { b: 'c' } }],
    ['values that are no names', { command: 'a.{b}', values: { b: ['c d'] } }],
    ['values that are no object', { command: 'a.b', values: [] }],
    ['a reply that is no object', { command: 'a.b', reply: 'c' }],
    ['a reply without a type', { command: 'a.b', reply: { otherwise: {} } }],
    ['a reply of a type that Socket.IO keeps', { command: 'a.b', reply: { type: 'connect', otherwise: {} } }],
    ['a reply without data to fall back on', { command: 'a.b', reply: { type: 'c' } }],
    ['a reply whose fallback is no object', { command: 'a.b', reply: { type: 'c', otherwise: [] } }],
  ])('a rule that is or has %s is a fault that names the event', (_what, rule) => {
    expect(faultsOf({ events: { the_event: rule } })).toEqual([
      expect.stringMatching(/^"the_event" must be /),
    ]);
  });

  test('tells all faults at once', () => {
    const faults = faultsOf({ onConnect: 1, events: { a: 1, b: { snapshot: 'all' }, c: {} }, more: 1 });
    expect(faults.map((fault) => fault.slice(0, 6))).toEqual(['"more"', '"onCon', '"a" mu', '"c" mu']);
    expect(faultsOf({ events: [] })).toEqual(['"events" must be an object']);
  });
});

describe('actionOf', () => {
  test('puts what the client sent into the action, when it is one of the values', () => {
    expect(actionOf(governor, { action: 'start' })).toBe('governor.start');
    expect(actionOf(governor, { action: 'stop', more: 1 })).toBe('governor.stop');
    expect(actionOf({ command: 'a.b' }, undefined)).toBe('a.b');
    const two = { command: '{x}.{y}.{x}', values: { x: ['1'], y: ['2'] } };
    expect(actionOf(two, { x: '1', y: '2' })).toBe('1.2.1');
    expect(actionOf(two, { x: '1' })).toMatchObject({
      message: expect.stringMatching(/^y is missing: it is one of /),
    });
  });

  test.each([
    undefined,
    null,
    'start',
    7,
    ['start'],
    {},
    { action: 'restart' },
    { action: 'START' },
    { action: ['start'] },
    { action: { toString: 'start' } },
    { action: '__proto__' },
    { action: 'constructor' },
    { action: '{action}' },
    Object.create({ action: 'start' }),
  ])('%j names no action', (sent) => {
    expect(actionOf(governor, sent)).toMatchObject({
      code: 'invalid_action',
      message: expect.stringMatching(/^action (is missing: it is|must be) one of start, stop$/),
    });
  });
});
