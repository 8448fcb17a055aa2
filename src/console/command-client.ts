import { Fields } from './fields.js';

/** How a command ended, as far as this page knows. */
export type CommandAnswer =
  | { readonly kind: 'succeeded'; readonly result: Fields }
  | { readonly kind: 'queued' }
  | { readonly kind: 'refused'; readonly message: string; readonly retryAfterMs: number | undefined };

/** A command's life over HTTP. */
export interface CommandRequest {
  /** Where commands go, as discovery named it. */
  readonly path: string;
  /** `target.verb`. */
  readonly action: string;
  readonly data?: object;
}

/** How long a queued command is followed, and how often it is asked for, ms. */
const FOLLOW_MS = 30_000;
const ASK_MS = 1000;
/** How long one request may take; above the gateway's own wait for an outcome. */
const REQUEST_MS = 15_000;

/**
 * Sends a command and follows it to its outcome; `queued` when it has none after 30 s. Never throws: what goes wrong
 * on the way is a refusal too.
 */
export async function sendCommand({ path, action, data }: CommandRequest): Promise<CommandAnswer> {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': createKey() },
      body: JSON.stringify(data === undefined ? { action } : { action, data }),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const body = await readBody(response);
    const answer = readAnswer(response, body);
    const id = body.text('id');
    if (answer.kind !== 'queued' || id === undefined) return answer;
    return await follow(`${path}/${encodeURIComponent(id)}`);
  } catch {
    return { kind: 'refused', message: 'The gateway could not be reached.', retryAfterMs: undefined };
  }
}

async function follow(url: string): Promise<CommandAnswer> {
  const untilMs = performance.now() + FOLLOW_MS;
  while (performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(REQUEST_MS) });
    const answer = readAnswer(response, await readBody(response));
    if (answer.kind !== 'queued') return answer;
  }
  return { kind: 'queued' };
}

function readAnswer(response: Response, body: Fields): CommandAnswer {
  const error = body.fields('error');
  const message = error.text('message');
  if (!response.ok || message !== undefined) {
    return {
      kind: 'refused',
      message: message ?? `The gateway answered ${String(response.status)}.`,
      retryAfterMs: error.number('retryAfterMs') ?? readRetryAfter(response),
    };
  }
  return body.text('status') === 'succeeded'
    ? { kind: 'succeeded', result: body.fields('result') }
    : { kind: 'queued' };
}

/** `Retry-After` in ms, when it is given in seconds. */
function readRetryAfter(response: Response): number | undefined {
  const value = response.headers.get('Retry-After');
  return value !== null && /^\d+$/.test(value) ? Number(value) * 1000 : undefined;
}

/** The answer's JSON; without fields when a proxy answered with something else. */
async function readBody(response: Response): Promise<Fields> {
  const text = await response.text();
  try {
    return new Fields(JSON.parse(text));
  } catch {
    return new Fields(undefined);
  }
}

/** A fresh key. Not `crypto.randomUUID`, which pages served over plain HTTP do not have. */
function createKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
