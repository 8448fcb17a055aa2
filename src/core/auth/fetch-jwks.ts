import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import { parseJson } from '../parse-json.js';
import { parseJwk, type VerificationKey } from './verification-key.js';

const TIMEOUT_MS = 5000;
const MAX_BYTES = 1024 * 1024;
const MAX_KEYS = 100;

/**
 * Fetches a JWKS: the public keys in it that tokens can be checked with, at least one; those of other kinds are passed over.
 * A fault, in words, when it can't be had: no answer within 5 s, an answer other than 200 (redirects are not followed),
 * more than 1 MiB or 100 keys, no JWKS, no usable key. Source: RFC 7517, section 5.
 */
export async function fetchJwks(url: string, clock: Clock): Promise<readonly VerificationKey[] | string> {
  const body = await fetchText(url, clock);
  if (!(body instanceof Uint8Array)) return body;
  const parsed = parseJson(Buffer.from(body).toString());
  if (parsed instanceof Refusal) return 'it is not JSON';
  const json = parsed.value;
  const keys = typeof json === 'object' && json !== null && 'keys' in json ? json.keys : undefined;
  if (!Array.isArray(keys)) return 'it has no list of keys';
  if (keys.length > MAX_KEYS) return `it has more than ${String(MAX_KEYS)} keys`;
  const usable = keys.map(parseJwk).filter((key) => key !== undefined);
  return usable.length > 0 ? usable : 'it has no key that can be used';
}

async function fetchText(url: string, clock: Clock): Promise<Uint8Array | string> {
  const aborter = new AbortController();
  const cancel = clock.after(TIMEOUT_MS, () => {
    aborter.abort();
  });
  try {
    const response = await fetch(url, {
      // Where it leads is not what was configured.
      redirect: 'manual',
      headers: { accept: 'application/jwk-set+json, application/json' },
      signal: aborter.signal,
    });
    if (response.status === 200) return await bodyOf(response);
    await response.body?.cancel();
    return `the answer was ${String(response.status)}`;
  } catch (error) {
    return aborter.signal.aborted ? 'no answer came in time' : `it could not be reached: ${reasonOf(error)}`;
  } finally {
    cancel();
  }
}

async function bodyOf(response: Response): Promise<Uint8Array | string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > MAX_BYTES) return 'it is larger than 1 MiB';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reasonOf(error: unknown): string {
  // fetch says why in the cause of its error.
  const { cause, message } = error as {
    readonly cause?: { readonly code?: unknown };
    readonly message?: unknown;
  };
  return String(cause?.code ?? message);
}
