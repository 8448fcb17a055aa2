const SHORT = 126;
const MASK = [1, 2, 3, 4] as const;

/** A text message as clients must send it, masked; of at most 64 KiB. Source: RFC 6455, section 5.2. */
export function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = length < SHORT ? [0x81, 0x80 | length] : [0x81, 0x80 | SHORT, length >> 8, length & 0xff];
  return Buffer.concat([
    Buffer.from([...head, ...MASK]),
    payload.map((byte, index) => byte ^ Number(MASK[index % 4])),
  ]);
}

/**
 * Takes the first whole frame that a server sent off the front of `bytes`; undefined while there is none. `text` is
 * its payload, `isText` false for a control frame. Source: RFC 6455, section 5.2.
 */
export function takeFrame(
  bytes: Buffer,
): { readonly text: string; readonly isText: boolean; readonly rest: Buffer } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const wide = second === SHORT ? 2 : second === SHORT + 1 ? 8 : 0;
  const start = 2 + wide;
  if (bytes.length < start) return undefined;
  const length = wide === 0 ? second : Number(wide === 2 ? bytes.readUInt16BE(2) : bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  return {
    text: bytes.toString('utf8', start, start + length),
    isText: (first & 0x0f) === 1,
    rest: bytes.subarray(start + length),
  };
}
