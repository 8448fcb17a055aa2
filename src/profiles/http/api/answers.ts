import { REQUEST_ID } from '../request-trail.js';
import { JSON_TYPE, valued } from './examples.js';
import type { Schema } from './schema.js';

/** Answers by status. */
export type Answers = Readonly<Record<string, Schema>>;

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

/** The same answers, with the id of the request. */
export function withRequestId(answers: Answers): Answers {
  const header = { required: true, schema: { type: 'string', pattern: REQUEST_ID.source } };
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { ...answer, headers: { ...(answer['headers'] as object), 'X-Request-Id': header } },
    ]),
  );
}

/** Where an answer has the status of a refusal, it may be either. */
export function withAnswers(refusals: Answers, answers: Answers): Answers {
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
