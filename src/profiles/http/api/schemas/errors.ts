import { ERRORS, type ErrorBody } from '../../../../core/errors.js';
import { closed, count, oneOfNames, ref, type Schema, text } from '../schema.js';

/** Schemas of what every refusal is told with. */
export const errorSchemas: Readonly<Record<string, Schema>> = {
  ErrorCode: oneOfNames(Object.keys(ERRORS), 'What went wrong, for programs.'),
  ErrorDetail: closed<ErrorBody['error']>(
    'What went wrong.',
    {
      code: ref('ErrorCode'),
      message: text('For people; may change.'),
      retryable: { type: 'boolean', description: 'True when the same request may succeed later, unchanged.' },
      retryAfterMs: count('ms after which trying again makes sense.'),
    },
    'retryAfterMs',
  ),
  Error: {
    ...closed<ErrorBody>('The one shape of an error on every wire.', { error: ref('ErrorDetail') }),
    examples: [
      { error: { code: 'rate_limited', message: 'too many commands', retryable: true, retryAfterMs: 180 } },
    ],
  },
};
