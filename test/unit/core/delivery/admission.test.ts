import { describe, expect, test } from '@jest/globals';
import { Admission, type SessionLimits } from '../../../../src/core/delivery/admission.js';
import { Hub } from '../../../../src/core/delivery/hub.js';
import { Session } from '../../../../src/core/delivery/session.js';
import { freeCaller } from '../../../support/caller.js';
import { Rights } from '../../../../src/core/auth/rights.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';

function setUp(limits: Partial<SessionLimits> = {}) {
  const hub = new Hub();
  const admission = new Admission(
    {
      maxConnections: 0,
      maxConnectionsPerAddress: 0,
      maxRoomsPerSession: 3,
      maxRoomSize: 2,
      roomOverflow: 'split',
      ...limits,
    },
    hub,
  );
  return { hub, admission };
}

/** Fills the room `full`. */
function fill({ hub }: { readonly hub: Hub }): void {
  for (const id of ['1', '2'])
    hub.join(new Session(id, freeCaller(id), 'sse', new RecordingOutlet()), 'full', 0);
}

const NONE: ReadonlySet<string> = new Set();

describe('Admission', () => {
  test('0 is no limit', () => {
    const { admission } = setUp();
    for (let count = 0; count < 1000; count += 1) admission.enter('1.2.3.4');
    expect(admission.refusalFor('1.2.3.4')).toBeUndefined();
  });

  test('connections in all', () => {
    const { admission } = setUp({ maxConnections: 2 });
    admission.enter('a');
    expect(admission.refusalFor('b')).toBeUndefined();
    admission.enter('b');
    expect(admission.refusalFor('c')).toMatchObject({ code: 'too_many_connections', retryAfterMs: 5000 });
    admission.leave('a');
    expect(admission.refusalFor('c')).toBeUndefined();
  });

  test('connections of one IPv6 network are those of one address', () => {
    const { admission } = setUp({ maxConnectionsPerAddress: 2 });
    admission.enter('2001:db8:1:2::1');
    admission.enter('2001:db8:1:2::2');
    expect(admission.refusalFor('2001:db8:1:2:ffff::')).toMatchObject({ code: 'too_many_connections' });
    expect(admission.refusalFor('2001:db8:1:3::1')).toBeUndefined();
    admission.leave('2001:db8:1:2::1');
    expect(admission.refusalFor('2001:db8:1:2::9')).toBeUndefined();
  });

  test('connections of one address', () => {
    const { admission } = setUp({ maxConnectionsPerAddress: 2 });
    admission.enter('a');
    admission.enter('a');
    expect(admission.refusalFor('a')).toMatchObject({ code: 'too_many_connections' });
    expect(admission.refusalFor('b')).toBeUndefined();
    admission.leave('a');
    expect(admission.refusalFor('a')).toBeUndefined();
    admission.leave('a');
    admission.enter('a');
    expect(admission.refusalFor('a')).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['a text', 'a'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { 0: 'a', length: 1 }],
    ['a name that is none', ['a', 'b c']],
    ['an empty name', ['']],
    ['a number', [1]],
    ['a list in a list', [['a']]],
  ])('rooms must be a list of names, not %s', (_name, rooms) => {
    expect(setUp().admission.checkRooms(rooms, NONE, Rights.ALL)).toMatchObject({ code: 'invalid_room' });
  });

  test.each([undefined, null, [undefined], [null]])('of %j it says that the room is missing', (rooms) => {
    expect(setUp().admission.checkNames(rooms)).toMatchObject({
      code: 'invalid_room',
      message: expect.stringMatching(/^the room is missing/),
    });
  });

  test('gives the rooms that are new, each once', () => {
    const { admission } = setUp();
    expect(admission.checkRooms(['a', 'b', 'a', 'c'], new Set(['b']), Rights.ALL)).toEqual(['a', 'c']);
    expect(admission.checkRooms([], NONE, Rights.ALL)).toEqual([]);
  });

  test('rooms of one session', () => {
    const { admission } = setUp();
    expect(admission.checkRooms(['a', 'b', 'c'], NONE, Rights.ALL)).toEqual(['a', 'b', 'c']);
    expect(admission.checkRooms(['a', 'b', 'c', 'd'], NONE, Rights.ALL)).toMatchObject({
      code: 'too_many_rooms',
    });
    expect(admission.checkRooms(['c', 'd'], new Set(['a', 'b']), Rights.ALL)).toMatchObject({
      code: 'too_many_rooms',
    });
    expect(admission.checkRooms(['a', 'b', 'c'], new Set(['a', 'b']), Rights.ALL)).toEqual(['c']);
  });

  test('members of one room, where the limit is hard', () => {
    const hard = setUp({ roomOverflow: 'reject' });
    fill(hard);
    expect(hard.admission.checkRooms(['free', 'full'], NONE, Rights.ALL)).toMatchObject({
      code: 'room_full',
      retryAfterMs: 5000,
    });
    expect(hard.admission.checkRooms(['full'], new Set(['full']), Rights.ALL)).toEqual([]);
    const soft = setUp({ roomOverflow: 'split' });
    fill(soft);
    expect(soft.admission.checkRooms(['full'], NONE, Rights.ALL)).toEqual(['full']);
  });
});
