import { ERRORS, type ErrorCode } from '../../../core/errors.js';
import { ref, type Schema } from './schema.js';

/** What a refusal's body looks like: the bare error, or one that tells more beside it. */
type Form = 'Error' | 'TransportDisabled' | 'CommandFailed';

/** What any request may be answered with. */
export const ALWAYS = known(
  'host_not_allowed',
  'url_too_long',
  'headers_too_large',
  'request_timeout',
  'internal',
);
/** What a request may be answered with that needs a right. */
export const GUARDED = known(
  'unauthenticated',
  'invalid_token',
  'token_expired',
  'forbidden',
  'auth_unavailable',
);
/** What a request with a JSON body may be answered with. */
export const WITH_BODY = known('bad_request', 'invalid_json', 'payload_too_large', 'unsupported_media_type');

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
  const mayWait = all.some((code) => ERRORS[code].retryable);
  return {
    description: all.map((code) => `\`${code}\``).join(', '),
    ...(mayWait ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
    content: { 'application/json': { schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas } } },
  };
}

const RETRY_AFTER = {
  description:
    'Whole seconds after which trying again makes sense: `retryAfterMs`, rounded up. With some codes only.',
  schema: { type: 'integer', minimum: 0 },
};

function withCode(codes: readonly ErrorCode[]): Schema {
  return { properties: { error: { properties: { code: { enum: codes } } } } };
}

/** Those of the names that are in the table. */
function known(...names: readonly string[]): readonly ErrorCode[] {
  return names.filter((name): name is ErrorCode => Object.hasOwn(ERRORS, name));
}
