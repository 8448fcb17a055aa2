import * as fc from 'fast-check';

/** Words that mean something to somebody between the socket and the room: to parsers, to objects, to Redis, to patterns. */
const WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'canary',
  'CANARY',
  ' canary',
  'canary ',
  'canary\n',
  'canary\0',
  'c%61nary',
  'canary/',
  'team.*/../canary',
  'team.a,canary',
  'ｃanary',
  'cаnary',
  'team.a',
  'team.',
  'team.*',
  'default',
  '*',
  '**',
  '',
  '.',
  '..',
  '../..',
  '\0',
  '\r\nX-Injected: 1',
  '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  '\n\ndata: {"injected":1}\n\n',
  '%0d%0aX-Injected:%201',
  '\u2028',
  '\ud800',
  '\udfff\ud800',
  '\u{1f4a9}',
  'é',
  'A'.repeat(300),
  'A'.repeat(9000),
  '{}',
  '[]',
  'null',
  'NaN',
  '-1',
  '1e999',
  '0-0',
  '9999999999999-99999999',
  '${7*7}',
  '<script>',
  "'; DROP",
  '(a+)+$',
];

/** Text as nobody expects it. */
export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom(...WORDS)).map(([one, other]) => one + other),
);

const scalar = fc.oneof(nastyText, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));

/** JSON text that is one, of any shape: with keys that objects have already, and the same key twice. */
export const nastyJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.tuple(nastyText, scalar), { maxLength: 4 }).map(asObject) },
  { weight: 2, arbitrary: scalar.map((value) => asJson(value)) },
  fc.array(scalar, { maxLength: 6 }).map((list) => asJson(list)),
  fc.json({ maxDepth: 4 }),
  fc.integer({ min: 1, max: 3000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 3000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
);

/** JSON text that is none, or is so large or so deep that who reads it must take care. */
export const brokenJson: fc.Arbitrary<string> = fc.oneof(
  nastyText,
  fc.tuple(nastyJson, fc.nat(50)).map(([text, cut]) => text.slice(0, cut)),
  fc.constantFrom(
    '['.repeat(100_000),
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    '{"a":'.repeat(50_000),
  ),
  fc.constantFrom(
    '{"__proto__":{"rights":{"subscribe":["*"]}}}',
    '[1,]',
    '{"a":1,}',
    '\ufeff{}',
    '1e400',
    '"\\ud800"',
  ),
);

/** Fields of a message as a client would name them, each with any value: mostly one that is nearly right. */
export function nastyFields(likely: Readonly<Record<string, readonly unknown[]>>): fc.Arbitrary<string> {
  const fields = Object.entries(likely).map(([name, values]) =>
    fc.option(
      fc
        .oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, scalar)
        .map((value) => [name, value] as const),
    ),
  );
  const others = fc.array(fc.tuple(nastyText, scalar), { maxLength: 2 });
  return fc
    .tuple(fc.tuple(...fields), others)
    .map(([known, rest]) => asObject([...known.filter((field) => field !== null), ...rest]));
}

/** As text, not as an object: a key may come twice, and `__proto__` is one as any other. */
function asObject(fields: readonly (readonly [string, unknown])[]): string {
  return `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${asJson(value)}`).join(',')}}`;
}

function asJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}
