import { ERRORS, type ErrorCode } from '../../../core/errors.js';
import { ref, type Schema } from './schema.js';

/** What a refusal's body looks like: the bare error, or one that tells more beside it. */
type Form = 'Error' | 'TransportDisabled' | 'CommandFailed';

/** What any request may be answered with, whatever it wants. */
export const ALWAYS: readonly ErrorCode[] = [
  'bad_request',
  'origin_not_allowed',
  'host_not_allowed',
  'request_timeout',
  'url_too_long',
  'headers_too_large',
  'too_many_connections',
  'internal',
];
/** What a request may be answered with of which it must be known who makes it. */
export const IDENTIFIED: readonly ErrorCode[] = [
  'unauthenticated',
  'invalid_token',
  'token_expired',
  'principal_denied',
  'auth_unavailable',
  'too_many_attempts',
];
/** What a request with a JSON body may be answered with. */
export const WITH_BODY: readonly ErrorCode[] = [
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
];

/**
 * The answers, by status, that say no with these codes. Those of `failures` come as the state of a command that was taken
 * and failed; a code may be of both kinds.
 */
export function refusalAnswers(
  codes: readonly ErrorCode[],
  failures: readonly ErrorCode[] = [],
): Record<string, Schema> {
  const statuses = new Set([...codes, ...failures].map((code) => ERRORS[code].status));
  return Object.fromEntries(
    [...statuses]
      .sort((one, other) => one - other)
      .map((status) => {
        const ofStatus = (code: ErrorCode): boolean => ERRORS[code].status === status;
        return [String(status), answer(codes.filter(ofStatus), failures.filter(ofStatus))];
      }),
  );
}

function answer(codes: readonly ErrorCode[], failures: readonly ErrorCode[]): Schema {
  const forms = new Map<Form, Set<ErrorCode>>();
  const add = (form: Form, code: ErrorCode): void => {
    forms.set(form, (forms.get(form) ?? new Set()).add(code));
  };
  for (const code of codes) add(code === 'transport_disabled' ? 'TransportDisabled' : 'Error', code);
  for (const code of failures) add('CommandFailed', code);
  const schemas = [...forms].map(([form, of]) => ({ allOf: [ref(form), withCode([...of])] }));
  const all = [...new Set([...codes, ...failures])];
  return {
    description: all.map((code) => `\`${code}\``).join(', '),
    ...headersOf(all),
    content: { 'application/json': { schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas } } },
  };
}

function headersOf(codes: readonly ErrorCode[]): Schema {
  if (codes.some((code) => ERRORS[code].status === 401)) return { headers: { 'WWW-Authenticate': BEARER } };
  return codes.some((code) => ERRORS[code].retryable) ? { headers: { 'Retry-After': RETRY_AFTER } } : {};
}

const BEARER = { required: true, schema: { const: 'Bearer' } };

const RETRY_AFTER = {
  description:
    'Whole seconds after which trying again makes sense: `retryAfterMs`, rounded up. With some codes only.',
  schema: { type: 'integer', minimum: 0 },
};

function withCode(codes: readonly ErrorCode[]): Schema {
  return { properties: { error: { properties: { code: { enum: codes } } } } };
}
