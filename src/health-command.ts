import { whyNoAnswer } from './no-answer.js';

/** Longest time in ms that the answer may take: below the time after which what asks (Docker, a service manager) gives up. */
const ANSWER_MS = 4000;

/** What `flipgate health` is asked. */
export interface HealthCommand {
  /** Where a gateway listens. */
  readonly url: string;
  /** True to ask whether it should get new clients (`/readyz`), false to ask whether it lives (`/healthz`). */
  readonly ready: boolean;
  /** Takes a line for people. */
  readonly print: (line: string) => void;
}

/** Asks a gateway how it is, once. Resolves with the exit code: 0 if it says that it is well, 1 if it does not, or is silent. */
export async function runHealth({ url, ready, print }: HealthCommand): Promise<number> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    print(`--url ${url} is no address: name one such as http://127.0.0.1:5002`);
    return 1;
  }
  const address = new URL(`${url.replace(/\/+$/, '')}${ready ? '/readyz' : '/healthz'}`);
  try {
    const answer = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) });
    const text = (await answer.text()).trim();
    print(`${String(answer.status)} ${text}`);
    return answer.status === 200 ? 0 : 1;
  } catch (error) {
    print(whyNoAnswer(address.href, error));
    return 1;
  }
}
