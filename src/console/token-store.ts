/** What this tab shows of itself is kept under this name. */
const NAME = 'flipgate.token';

/** Keeps the key or token of this tab: for as long as the tab is open, and for no other. */
export class TokenStore {
  #token: string | undefined;

  constructor() {
    this.#token = storage()?.getItem(NAME) ?? undefined;
  }

  get token(): string | undefined {
    return this.#token;
  }

  keep(token: string): void {
    this.#token = token;
    storage()?.setItem(NAME, token);
  }

  forget(): void {
    this.#token = undefined;
    storage()?.removeItem(NAME);
  }
}

/** The tab's storage; undefined where the browser has been told to allow none. */
function storage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}
