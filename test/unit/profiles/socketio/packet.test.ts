import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { eventPacket } from '../../../../src/profiles/socketio/packet.js';

/** What the parser of the stock client makes of a packet. */
function decode(text: string): Packet[] {
  const packets: Packet[] = [];
  const decoder = new Decoder();
  decoder.on('decoded', (packet: Packet) => packets.push(packet));
  decoder.add(text);
  return packets;
}

const anyName = fc.string({
  unit: fc.constantFrom('a', 'b', 'z', 'A', '0', '9', '_', '.', ':', '-'),
  minLength: 1,
  maxLength: 128,
});

describe('eventPacket', () => {
  test('the parser of the stock client reads the name and every argument', () => {
    fc.assert(
      fc.property(anyName, fc.array(fc.json(), { maxLength: 3 }), (name, argumentsJson) => {
        expect(decode(eventPacket(name, ...argumentsJson))).toEqual([
          {
            type: PacketType.EVENT,
            nsp: '/',
            data: [name, ...argumentsJson.map((json) => JSON.parse(json))],
          },
        ]);
      }),
    );
  });

  test('it is what the stock encoder writes', () => {
    const data = { text: 'a"\u2028\r\n\0\ud800', list: [1, null], '': {} };
    const stock = new Encoder().encode({ type: PacketType.EVENT, nsp: '/', data: ['kb_update', data] });
    expect([eventPacket('kb_update', JSON.stringify(data))]).toEqual(stock);
  });

  test('a name that needs quoting is quoted, so that nothing breaks out of it', () => {
    expect(decode(eventPacket('a","b', '1'))[0]?.data).toEqual(['a","b', 1]);
  });
});
