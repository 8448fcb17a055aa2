import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { textFrame } from '../../../../src/profiles/socketio/websocket-frame.js';

// The package exports its parser without declaring it.
const { Receiver } = ws as unknown as {
  Receiver: new (options: object) => NodeJS.WritableStream;
};

/** What the ws package reads out of the bytes. */
async function read(bytes: Buffer): Promise<string[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const texts: string[] = [];
  receiver.on('message', (data: Buffer) => texts.push(data.toString()));
  await new Promise<void>((resolve, reject) => {
    receiver.on('error', reject);
    receiver.end(bytes, () => resolve());
  });
  return texts;
}

describe('textFrame', () => {
  test('any text comes out as it went in, frame by frame', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { minLength: 1 }),
        async (texts) => {
          expect(await read(Buffer.concat(texts.map(textFrame)))).toEqual(texts);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([0, 125, 126, 65_535, 65_536, 200_000])(
    'a text of %i bytes has the right length',
    async (length) => {
      const text = 'x'.repeat(length);
      expect(await read(textFrame(text))).toEqual([text]);
    },
  );
});
