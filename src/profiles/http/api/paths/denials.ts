import { DENIALS_LIMIT } from '../../routes/denials.js';
import { jsonAnswer } from '../answers.js';
import { operation } from '../operation.js';
import { inPath, jsonBody, optional } from '../request-parts.js';
import { ref, type Schema, text } from '../schema.js';

const DENIAL = {
  until: 1795421345969,
  principal: 'key:page',
  reason: 'the key is in a public repository',
  by: 'key:operator',
  at: 1795334945969,
};

const PRINCIPAL = inPath(
  'principal',
  'A principal as `GET /api/me` shows it, percent-encoded: `key:<id>`, `user:<sub>` or `address:<ip>`.',
  text(),
  DENIAL.principal,
);

const list = operation({
  id: 'listDenied',
  tag: 'operations',
  summary: 'List who is denied',
  text: 'The newest denials, newest first. The right `admin` with `status` will do, too.',
  access: 'admin: deny',
  parameters: [
    optional('query', 'limit', 'Most denials of the answer.', {
      type: 'integer',
      minimum: 1,
      maximum: DENIALS_LIMIT.max,
      default: DENIALS_LIMIT.default,
    }),
  ],
  answers: { 200: jsonAnswer('The newest.', ref('DeniedList'), { denied: [DENIAL], total: 1 }) },
});

const deny = operation({
  id: 'denyPrincipal',
  tag: 'operations',
  summary: 'Deny a principal',
  text:
    'Ends its sessions on all nodes, and has each of its requests and connections refused with `principal_denied`, until the ' +
    'denial is lifted or over. An IPv6 address stands for its /64 block. Repeated, the new reason and time count.',
  access: 'admin: deny',
  trailed: true,
  parameters: [PRINCIPAL],
  body: jsonBody(ref('DenialTerms'), {
    forADay: { reason: DENIAL.reason, seconds: 86_400 },
    untilLifted: {},
  }),
  answers: { 200: jsonAnswer('It is denied.', ref('Denial'), DENIAL) },
  refusals: ['own_principal', 'too_many_denials', 'node_unavailable'],
});

const lift = operation({
  id: 'liftDenial',
  tag: 'operations',
  summary: 'Lift the denial of a principal',
  text: 'It may come back at once.',
  access: 'admin: deny',
  trailed: true,
  parameters: [PRINCIPAL],
  answers: {
    200: jsonAnswer('It is denied no longer.', ref('LiftedDenial'), {
      principal: DENIAL.principal,
      lifted: true,
    }),
  },
  refusals: ['node_unavailable'],
});

/** Paths by which operators deny principals access. */
export const denialPaths: Readonly<Record<string, Schema>> = {
  '/api/admin/denied': { get: list },
  '/api/admin/denied/{principal}': { put: deny, delete: lift },
};
