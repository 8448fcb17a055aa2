/** The elements of the sign-in. */
export interface SignInParts {
  readonly dialog: HTMLDialogElement;
  readonly form: HTMLFormElement;
  /** Why it is asked for. */
  readonly why: HTMLElement;
  readonly token: HTMLInputElement;
  /** Why the last try failed. */
  readonly error: HTMLElement;
  readonly submit: HTMLButtonElement;
  readonly cancel: HTMLButtonElement;
}

/** What is said to whoever is asked, by the code of the gateway's refusal. */
const REASONS: Readonly<Record<string, string>> = {
  unauthenticated: 'This gateway asks who you are.',
  invalid_token: 'What this tab has shown so far is not known to the gateway any more.',
  principal_denied: 'An operator has denied access to what this tab has shown.',
  token_expired: 'Your token has expired. What was shown stays; with a fresh one it goes on from there.',
};

/** Asks for a key or token. It is nowhere but in the field, which is emptied when it was taken. */
export class SignIn {
  readonly #parts: SignInParts;
  readonly #take: (token: string) => Promise<string>;
  #isBusy = false;

  /** `take` tries to get in with what was typed; resolves with why that failed, or nothing. */
  constructor(parts: SignInParts, take: (token: string) => Promise<string>) {
    this.#parts = parts;
    this.#take = take;
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    parts.cancel.addEventListener('click', () => {
      parts.dialog.close();
    });
    parts.dialog.addEventListener('close', () => {
      parts.token.value = '';
      parts.error.textContent = '';
    });
  }

  /** Asks; `code` of the gateway's refusal, where there was one. */
  ask(code = ''): void {
    const { dialog, why, token } = this.#parts;
    why.textContent = REASONS[code] ?? 'With a key or token you may do what it has the rights for.';
    if (!dialog.open) dialog.showModal();
    token.focus();
  }

  async #submit(): Promise<void> {
    const { dialog, token, error, submit } = this.#parts;
    if (this.#isBusy) return;
    this.#isBusy = true;
    submit.setAttribute('aria-busy', 'true');
    error.textContent = '';
    try {
      const failure = await this.#take(token.value);
      error.textContent = failure;
      token.setAttribute('aria-invalid', String(failure !== ''));
      if (failure === '') dialog.close();
      else token.select();
    } finally {
      this.#isBusy = false;
      submit.removeAttribute('aria-busy');
    }
  }
}
