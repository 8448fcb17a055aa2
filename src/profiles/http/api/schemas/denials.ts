import type { Denial } from '../../../../core/auth/denied-principals.js';
import { type DeniedList, DENIAL_BOUNDS, type LiftedDenial } from '../../routes/denials.js';
import { closed, count, listOf, open, orNull, ref, type Schema, text } from '../schema.js';

/** The terms of a request to deny a principal. */
interface DenialTerms {
  readonly reason?: string | null;
  readonly seconds?: number | null;
}

const PRINCIPAL = text('`key:<id>`, `user:<sub>`, `address:<ip>`, or the /64 block of an IPv6 address.');

/** Schemas of who is denied access. */
export const denialSchemas: Readonly<Record<string, Schema>> = {
  DenialTerms: open<DenialTerms>(
    'Why, and for how long.',
    {
      reason: orNull({
        type: 'string',
        minLength: 1,
        maxLength: DENIAL_BOUNDS.reason,
        description: 'For operators, on one line; the principal is not told.',
      }),
      seconds: orNull({
        type: 'integer',
        minimum: 1,
        maximum: DENIAL_BOUNDS.seconds,
        description: 'How long it lasts; without it, until it is lifted.',
      }),
    },
    'reason',
    'seconds',
  ),
  Denial: closed<Denial>('A principal that an operator denies access to.', {
    principal: PRINCIPAL,
    reason: orNull(text('For operators.')),
    by: text('The principal of the operator.'),
    at: count('When it was denied, epoch ms.'),
    until: orNull(count('When the denial ends by itself, epoch ms; null: not before it is lifted.')),
  }),
  DeniedList: closed<DeniedList>('Who is denied.', {
    denied: { ...listOf(ref('Denial')), description: 'Newest first.' },
    total: count('How many there are in all.'),
  }),
  LiftedDenial: closed<LiftedDenial>('What became of a denial.', {
    principal: PRINCIPAL,
    lifted: { type: 'boolean', description: 'False: the principal was not denied.' },
  }),
};
