import type { ErrorCode } from '../../../core/errors.js';
import { REQUEST_ID } from '../request-trail.js';
import { ALWAYS, IDENTIFIED, refusalAnswers, WITH_BODY } from './refusals.js';
import type { Schema } from './schema.js';
import { type Access, accessInWords, isGuarded, securityOf } from './security.js';

/** Answers by status. */
type Answers = Readonly<Record<string, Schema>>;

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

function withRequestId(answers: Answers): Answers {
  const header = { required: true, schema: { type: 'string', pattern: REQUEST_ID.source } };
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { ...answer, headers: { ...(answer['headers'] as object), 'X-Request-Id': header } },
    ]),
  );
}

/** Where an answer has the status of a refusal, it may be either. */
function withAnswers(refusals: Answers, answers: Answers): Answers {
  const both = Object.entries(answers).map(([status, answer]) => {
    const refusal = refusals[status];
    return [status, refusal === undefined ? answer : either(answer, refusal)];
  });
  return { ...refusals, ...Object.fromEntries(both) } as Answers;
}

function either(answer: Schema, refusal: Schema): Schema {
  const [one, other] = [answer, refusal].map((each) => each['content'] as Record<string, Schema>);
  const content = { ...other, ...one };
  const [mine, theirs] = [one?.[JSON_TYPE], other?.[JSON_TYPE]];
  if (mine !== undefined && theirs !== undefined) {
    content[JSON_TYPE] = { ...mine, schema: { anyOf: [mine['schema'], theirs['schema']] } };
  }
  return {
    ...answer,
    description: `${String(answer['description'])} Or ${String(refusal['description'])}`,
    content,
  };
}

const JSON_TYPE = 'application/json';

/** A JSON body, with examples that are real: by name, each a value. */
export function jsonBody(schema: Schema, examples: Readonly<Record<string, unknown>>): Schema {
  return { required: true, content: { [JSON_TYPE]: { schema, examples: valued(examples) } } };
}

/** A JSON answer, with an example. */
export function jsonAnswer(
  description: string,
  schema: Schema,
  example: unknown,
  headers: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    description,
    headers: { 'Cache-Control': NO_STORE, ...headers },
    content: { [JSON_TYPE]: { schema, examples: valued({ answer: example }) } },
  };
}

/** An answer of another kind. */
export function fileAnswer(description: string, ...types: readonly string[]): Schema {
  return {
    description,
    headers: { ETag: ETAG, 'Cache-Control': { required: true, schema: { type: 'string' } } },
    content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }])),
  };
}

/** The answer to who has it already, by `If-None-Match`. */
export const NOT_MODIFIED: Schema = { description: 'As it was: see `If-None-Match`.', headers: {} };

/** What names the content of an answer. */
export const ETAG: Schema = {
  description: 'To be brought along as `If-None-Match`.',
  required: true,
  schema: { type: 'string', pattern: '^(W/)?"[^"]*"$' },
};

const NO_STORE: Schema = { required: true, schema: { type: 'string', const: 'no-store' } };

/** A parameter in the path. */
export function inPath(name: string, description: string, schema: Schema, example: unknown): Schema {
  return { name, in: 'path', required: true, description, schema, example };
}

/** A parameter that may be left out, in the query or a header. */
export function optional(
  place: 'query' | 'header',
  name: string,
  description: string,
  schema: Schema,
  more: Schema = {},
): Schema {
  return { name, in: place, description, schema, ...more };
}

function valued(examples: Readonly<Record<string, unknown>>): Schema {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}
