import { GAP_REASONS, type Gap, type Welcome } from '../../../../core/delivery/outlet.js';
import { closed, count, listOf, oneOfNames, orNull, ref, type Schema, text } from '../schema.js';

/** Schemas of what clients of both wires are told besides events. */
export const streamSchemas: Readonly<Record<string, Schema>> = {
  Welcome: closed<Welcome>('What a session is told first.', {
    sessionId: text('Not to be guessed: who knows it may change the rooms of the session.'),
    profile: ref('Profile'),
    rooms: listOf(ref('Name')),
    epoch: ref('Epoch'),
    cursor: { ...orNull(ref('Cursor')), description: 'The one it came with when resumed, else null.' },
    resumed: {
      type: 'boolean',
      description: 'True: what follows goes on from the cursor. False: the snapshot follows.',
    },
    heartbeatMs: count('The longest time between two writes, ms.'),
  }),
  Gap: closed<Gap>('A stretch of the log that the session could not be given.', {
    reason: oneOfNames(
      GAP_REASONS,
      'The log no longer has what follows the cursor; the cursor is none of its own; or the oldest `append` events were ' +
        'left out for a slow client. The snapshot follows, but for `overflow`.',
    ),
    dropped: orNull(count('Events lost to the session; null when that is not known.')),
    epoch: ref('Epoch'),
    cursor: ref('Cursor'),
  }),
};
