import { describe, expect, test } from '@jest/globals';
import type { Packet } from 'socket.io-parser';
import { Refusal } from '../../../../src/core/errors.js';
import { packetParser } from '../../../../src/profiles/socketio/packet-parser.js';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** What a decoder makes of these, one after the other. */
function decoded(...sent: readonly (string | Buffer)[]): Packet[] {
  const { Decoder } = packetParser(1000);
  const decoder = new Decoder();
  const packets: Packet[] = [];
  decoder.on('decoded', (packet) => void packets.push(packet));
  for (const one of sent) decoder.add(one);
  return packets;
}

describe('packetParser', () => {
  test('reads what the stock parser reads', () => {
    expect(decoded('0{"token":"x"}', '2/chat,12["join",["a"]]', '1')).toMatchObject([
      { type: 0, nsp: '/', data: { token: 'x' } },
      { type: 2, nsp: '/chat', id: 12, data: ['join', ['a']] },
      { type: 1 },
    ]);
    const binary = decoded('51-["x",{"_placeholder":true,"num":0}]', Buffer.from('abc'));
    expect(binary).toMatchObject([{ type: 2, data: ['x', Buffer.from('abc')] }]);
  });

  test('100 levels are read, 101 are not, however large the rest is', () => {
    expect(decoded(`2["x",${deep(99)}]`)).toMatchObject([{ type: 2, data: ['x', expect.any(Array)] }]);
    const [packet] = decoded(`2/a,7["x",${deep(500_000)}]`);
    expect(packet).toMatchObject({ type: 2, nsp: '/a', id: 7, data: ['unread', expect.any(Refusal)] });
    expect(decoded(`2["x",${deep(100)}]`)[0]).not.toHaveProperty('id');
  });

  test('a quote in the head hides nothing', () => {
    expect(decoded(`2/a",["x",${deep(500_000)}]`)[0]).toMatchObject({
      nsp: '/a"',
      data: ['unread', expect.any(Refusal)],
    });
    expect(() => decoded(`0/a",{"a":${deep(500_000)}}`)).toThrow('nested too deep');
  });

  test.each([`0{"a":${deep(200)}}`, `31${deep(200)}`, `4${deep(200)}`, '['.repeat(300)])(
    'what is no event ends the connection when it is nested too deep: %s',
    (packet) => {
      expect(() => decoded(packet)).toThrow('nested too deep');
    },
  );

  test('attachments have the bound together', () => {
    const head =
      '53-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]';
    expect(decoded(head, Buffer.alloc(300), Buffer.alloc(300), Buffer.alloc(400))).toHaveLength(1);
    expect(
      decoded(
        head,
        Buffer.alloc(300),
        Buffer.alloc(300),
        Buffer.alloc(400),
        head,
        Buffer.alloc(900),
        Buffer.alloc(50),
        Buffer.alloc(50),
      ),
    ).toHaveLength(2);
    expect(() => decoded(head, Buffer.alloc(300), Buffer.alloc(300), Buffer.alloc(401))).toThrow('too large');
  });
});
