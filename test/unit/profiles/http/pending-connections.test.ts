import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { PendingConnections } from '../../../../src/profiles/http/pending-connections.js';

interface Connection {
  readonly name: number;
}

type Step =
  | { readonly kind: 'add'; readonly name: number; readonly address: string }
  | { readonly kind: 'remove'; readonly name: number }
  | { readonly kind: 'take'; readonly address: string | undefined };

const address = fc.constantFrom('a', 'b', 'c');
const name = fc.nat(8);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), name, address }),
  fc.record({ kind: fc.constant('remove' as const), name }),
  fc.record({ kind: fc.constant('take' as const), address: fc.option(address, { nil: undefined }) }),
);

describe('PendingConnections', () => {
  test('are what a list in order of age is, in all and by address', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const connections = Array.from({ length: 9 }, (_, index): Connection => ({ name: index }));
        const pending = new PendingConnections<Connection>();
        let model: { readonly name: number; readonly address: string }[] = [];
        for (const one of steps) {
          if (one.kind === 'take') {
            const oldest = model.find(({ address: from }) => (one.address ?? from) === from);
            expect(pending.takeOldest(one.address)?.name).toBe(oldest?.name);
            model = model.filter((other) => other !== oldest);
          } else {
            model = model.filter(({ name: other }) => other !== one.name);
            const connection = connections[one.name] as Connection;
            if (one.kind === 'remove') pending.remove(connection);
            else {
              model.push(one);
              pending.add(connection, one.address);
            }
          }
          expect(pending.size).toBe(model.length);
          for (const from of ['a', 'b', 'c'])
            expect(pending.countOf(from)).toBe(model.filter((other) => other.address === from).length);
          for (const connection of connections)
            expect(pending.has(connection)).toBe(model.some((other) => other.name === connection.name));
        }
      }),
    );
  });
});
