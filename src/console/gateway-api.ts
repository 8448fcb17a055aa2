import { Fields } from './fields.js';

/** Longest wait for an answer, ms. */
const PATIENCE_MS = 10_000;

/** What the gateway said no with. */
export class RefusedError extends Error {
  /** The gateway's code; `unreachable` when no answer came. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Everything the gateway says of itself, `GET /api/admin/status`. Rejects with a {@link RefusedError}. */
export function fetchStatus(): Promise<Fields> {
  return request('/api/admin/status');
}

/** The newest commands, `GET /api/admin/commands`. Rejects with a {@link RefusedError}. */
export function fetchCommands(): Promise<Fields> {
  return request('/api/admin/commands?limit=50');
}

/** How the newest flip goes on, `GET /api/admin/profile`. Rejects with a {@link RefusedError}. */
export function fetchFlipReport(): Promise<Fields> {
  return request('/api/admin/profile');
}

/** Flips the gateway, or `all` nodes. Resolves with the report; rejects with a {@link RefusedError}. */
export function putProfile(profile: string, all: boolean): Promise<Fields> {
  return request('/api/admin/profile', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(all ? { profile, all } : { profile }),
  });
}

async function request(path: string, init: RequestInit = {}): Promise<Fields> {
  const { answer, ok } = await ask(path, init);
  if (ok) return answer;
  const error = answer.fields('error');
  throw new RefusedError(error.text('code') ?? 'unreachable', error.text('message') ?? 'no readable answer');
}

async function ask(path: string, init: RequestInit): Promise<{ answer: Fields; ok: boolean }> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(path, { cache: 'no-store', signal, ...init });
    return { answer: new Fields(await response.json()), ok: response.ok };
  } catch {
    throw new RefusedError('unreachable', 'the gateway does not answer');
  }
}
