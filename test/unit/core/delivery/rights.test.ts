import { describe, expect, test } from '@jest/globals';
import type { Caller } from '../../../../src/core/auth/caller.js';
import { Refusal } from '../../../../src/core/errors.js';
import { freeCaller, keyCaller } from '../../../support/caller.js';
import { DeliveryRig, type RigClient } from '../../../support/delivery-rig.js';
import { RecordingOutlet } from '../../../support/recording-outlet.js';

/** A client of the rig's that is let in as this caller. */
function enter(rig: DeliveryRig, principal: Caller, rooms?: readonly string[]): RigClient {
  const outlet = new RecordingOutlet();
  const session = rig.request({ principal, rooms, outlet });
  if (session instanceof Refusal) throw new Error(`refused: ${session.code}`);
  return { session, outlet };
}

const ann = keyCaller('key:ann', { subscribe: ['a', 'team.*'] });

describe('rooms, by right', () => {
  test('those that are named must all be allowed', () => {
    const rig = DeliveryRig.ready();
    expect(rig.request({ principal: ann, rooms: ['a', 'b'] })).toMatchObject({ code: 'forbidden' });
    expect(rig.counters.get('sessions_refused', 'forbidden')).toBe(1);
    const { session } = enter(rig, ann, ['a', 'team.x']);
    expect([...session.rooms.keys()]).toEqual(['a', 'team.x']);
  });

  test('of the default rooms it gets those it may have; with none of them it is refused', () => {
    const rig = DeliveryRig.ready({ defaultRooms: ['default', 'a', 'team.y'] });
    const { session } = enter(rig, ann);
    expect([...session.rooms.keys()]).toEqual(['a', 'team.y']);
    const nobody = keyCaller('key:nobody', {});
    expect(rig.request({ principal: nobody, rooms: [] })).toMatchObject({ code: 'forbidden' });
  });

  test('joining: by its own rights, or by those its client has by now', () => {
    const rig = DeliveryRig.ready();
    const { session } = enter(rig, ann, ['a']);
    expect(rig.delivery.join(session, ['b'])).toMatchObject({ code: 'forbidden' });
    expect(rig.delivery.join(session, ['team.z'])).toEqual(['a', 'team.z']);
    const later = keyCaller('key:ann', { subscribe: ['b'] });
    expect(rig.delivery.changeRooms(session, { join: ['b'], leave: ['a'] }, later)).toEqual(['team.z', 'b']);
  });

  test('nobody changes the rooms of another client, whatever rights it has', () => {
    const rig = DeliveryRig.ready();
    const { session } = enter(rig, ann, ['a']);
    const change = { join: [], leave: ['a'] };
    for (const by of [keyCaller('key:bob', { subscribe: ['*'] }), freeCaller(), freeCaller('key:ann2')]) {
      expect(rig.delivery.changeRooms(session, change, by)).toMatchObject({ code: 'forbidden' });
    }
    const open = rig.open(['a']).session;
    expect(rig.delivery.changeRooms(open, change, ann)).toMatchObject({ code: 'forbidden' });
    // Where nobody is known, who knows the session's id is taken for its client.
    expect(rig.delivery.changeRooms(open, change, freeCaller('address:10.9.9.9'))).toEqual([]);
    expect(rig.counters.get('room_changes_refused', 'forbidden')).toBe(4);
  });

  test('a backend with access to Redis may place any session anywhere', () => {
    const rig = DeliveryRig.ready();
    const { session } = enter(rig, ann, ['a']);
    expect(rig.delivery.placeIn(session, { join: ['b'], leave: ['a'] })).toEqual(['b']);
  });
});

describe('what expires', () => {
  test('takes with it what was joined by it: the session ends then, and not before', async () => {
    const rig = DeliveryRig.ready();
    const { session } = enter(rig, ann, ['a']);
    const short = keyCaller('key:ann', { subscribe: ['secret'] }, rig.clock.now() + 3000);
    rig.delivery.changeRooms(session, { join: [], leave: [] }, short);
    expect(session.endsAt).toBeNull();
    rig.delivery.changeRooms(session, { join: ['secret'], leave: [] }, short);
    const later = keyCaller('key:ann', { subscribe: ['secret', 'b'] }, rig.clock.now() + 60_000);
    rig.delivery.changeRooms(session, { join: ['b'], leave: [] }, later);
    await rig.clock.turn(2000);
    expect(session.state).toBe('live');
    await rig.clock.turn(2000);
    expect(session.state).toBe('closed');
  });

  test('at once for very many, in stretches', async () => {
    const rig = DeliveryRig.ready();
    const at = keyCaller('user:ann', { subscribe: ['a'] }, rig.clock.now() + 1000);
    const sessions = Array.from({ length: 500 }, () => enter(rig, at, ['a']).session);
    await rig.clock.turn(5000);
    expect(sessions.filter(({ state }) => state !== 'closed')).toEqual([]);
  });

  test('ends its session within a second, and no other', async () => {
    const rig = DeliveryRig.ready();
    const at = (ms: number) => keyCaller('user:ann', { subscribe: ['a'] }, rig.clock.now() + ms);
    const [soon, later] = [enter(rig, at(3000), ['a']), enter(rig, at(9000), ['a'])];
    const never = enter(rig, ann, ['a']);
    const gone = enter(rig, at(3000), ['a']);
    rig.delivery.close(gone.session);
    await rig.clock.turn(2000);
    expect(soon.session.state).toBe('live');
    await rig.clock.turn(2000);
    expect([soon, later, never].map(({ session }) => session.state)).toEqual(['closed', 'live', 'live']);
    expect(soon.outlet.ended).toBe('token_expired');
    expect(gone.outlet.ended).not.toBe('token_expired');
    await rig.clock.turn(10_000);
    expect([later, never].map(({ session }) => session.state)).toEqual(['closed', 'live']);
    expect(rig.counters.get('sessions_ended', 'token_expired')).toBe(2);
  });
});
