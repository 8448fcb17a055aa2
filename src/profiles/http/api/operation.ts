import type { ErrorCode } from '../../../core/errors.js';
import { REQUEST_ID } from '../request-trail.js';
import { type Answers, withAnswers, withRequestId } from './answers.js';
import { ALWAYS, IDENTIFIED, refusalAnswers, WITH_BODY } from './refusals.js';
import { optional } from './request-parts.js';
import type { Schema } from './schema.js';
import { type Access, accessInWords, isGuarded, securityOf } from './security.js';

/** What is told of one operation of the HTTP API. */
export interface OperationParts {
  /** Its name in programs that are made from the document. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly text: string;
  readonly access: Access;
  readonly parameters?: readonly Schema[];
  readonly body?: Schema;
  /** By status; what says no is not among them. */
  readonly answers: Answers;
  /** Codes it may say no with, besides those of every operation of its kind. */
  readonly refusals?: readonly ErrorCode[];
  /** Whether it may change something, so that it has an id, and a span where there are traces. Default false. */
  readonly trailed?: boolean;
  /** Codes that a command it takes may fail with. */
  readonly failures?: readonly ErrorCode[];
}

/** What the operations are sorted by. */
export const TAGS = {
  events: 'Publish events, follow them, and read what rooms hold.',
  commands: 'Have workers do something.',
  profile: 'What is served, and flips to another profile.',
  operations: 'For operators and what watches the gateway.',
  pages: 'For browsers: the console and the clients.',
} as const;

/** One of {@link TAGS}. */
export type Tag = keyof typeof TAGS;

/** The operation as OpenAPI has it. */
export function operation(parts: OperationParts): Schema {
  const { id, tag, summary, text, access, body, refusals = [], failures, trailed = false } = parts;
  const parameters = [...(parts.parameters ?? []), ...(trailed ? TRAIL : [])];
  const answers = trailed ? withRequestId(parts.answers) : parts.answers;
  const codes = new Set([
    ...refusals,
    ...(body === undefined ? [] : WITH_BODY),
    ...(isGuarded(access) ? IDENTIFIED : []),
    ...(isGuarded(access) && access !== 'known' ? (['forbidden'] as const) : []),
    ...ALWAYS,
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${text}\n\n${accessInWords(access)}`,
    security: securityOf(access),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: withAnswers(refusalAnswers([...codes], failures), answers),
  };
}

/** What joins a request with what others do. */
const TRAIL: readonly Schema[] = [
  optional('header', 'X-Request-Id', 'Its id in the log; without one it is given one.', {
    type: 'string',
    pattern: REQUEST_ID.source,
  }),
  optional('header', 'traceparent', 'The span it is part of, as W3C Trace Context has it.', {
    type: 'string',
  }),
];
