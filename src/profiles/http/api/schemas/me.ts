import type { RightsSpec } from '../../../../core/auth/rights.js';
import type { Me } from '../../routes/me.js';
import { closed, count, listOf, orNull, ref, type Schema, text } from '../schema.js';

const patterns = (what: string): Schema => ({ ...listOf(text()), description: what });

/** Schemas of who asks. */
export const meSchemas: Readonly<Record<string, Schema>> = {
  Rights: closed<RightsSpec>(
    'What somebody may do: patterns of names, in which `*` stands for anything.',
    {
      subscribe: patterns('Rooms to receive, and to read.'),
      publish: patterns('Rooms to publish to.'),
      publishTypes: patterns('Types of events to publish; absent: all.'),
      command: patterns('Actions to ask for.'),
      admin: patterns('Of `status`, `metrics`, `flip`, `deny`.'),
    },
    'publishTypes',
  ),
  Me: closed<Me>('Who asks.', {
    id: text('`key:<id>`, `user:<sub>` or `address:<ip>`.'),
    rights: ref('Rights'),
    expiresAt: orNull(count('When what was shown expires, epoch ms; null: never.')),
  }),
};
