import { beforeEach, describe, expect, test } from '@jest/globals';
import { Slice } from '../../../../src/core/delivery/slice.js';
import type { Event } from '../../../../src/core/event.js';
import type { EngineWriter } from '../../../../src/profiles/socketio/engine-writer.js';
import { LegacyConnection } from '../../../../src/profiles/socketio/legacy-connection.js';
import type { SocketIoFrame } from '../../../../src/profiles/socketio/socketio-wire.js';
import { newEvent } from '../../../support/new-event.js';

let frames: SocketIoFrame[];
let connection: LegacyConnection;

beforeEach(() => {
  frames = [];
  const writer: Pick<EngineWriter, 'write'> = {
    write: (frame) => {
      frames.push(frame);
      return frame.bytes.length;
    },
  };
  connection = new LegacyConnection(
    writer as EngineWriter,
    () => undefined,
    () => undefined,
  );
});

const sliceOf = (room: string, ...data: number[]): Slice => {
  const events = data.map(
    (number): Event => ({
      ...newEvent({ type: 't', room, dataJson: String(number) }),
      id: `${String(number)}-0`,
      room,
      slot: null,
      position: number,
    }),
  );
  return new Slice(events, 0, 'e.9-0');
};

describe('LegacyConnection', () => {
  test('writes one room as the frame that all its sessions share', () => {
    const slice = sliceOf('a', 1, 2);
    const bytes = connection.deliver([slice]);
    connection.deliver([slice]);
    expect(frames[0]).toBe(frames[1]);
    expect(frames[0]?.packets).toEqual(['2["t",1]', '2["t",2]']);
    expect(bytes).toBe(frames[0]?.bytes.length);
  });

  test('writes several rooms at once, each event under its own name, in order', () => {
    connection.deliver([sliceOf('a', 1, 3), sliceOf('b', 2)]);
    expect(frames.map(({ packets }) => packets)).toEqual([['2["t",1]', '2["t",3]', '2["t",2]']]);
    expect(frames[0]?.bytes.toString('latin1')).toBe('\x81\x0942["t",1]\x81\x0942["t",3]\x81\x0942["t",2]');
  });

  test('writes nothing where there is no event', () => {
    expect([connection.deliver([]), connection.deliver([sliceOf('a')]), frames]).toEqual([0, 0, []]);
  });
});
