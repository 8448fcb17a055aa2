import { Fields } from './fields.js';
import { type GatewayApi, RefusedError } from './gateway-api.js';
import { formatMoment, UNKNOWN } from './quantity.js';
import { type Cell, Rows } from './rows.js';

/** The elements of the card of denied principals. */
export interface DeniedCardParts {
  readonly form: HTMLFormElement;
  readonly principal: HTMLInputElement;
  readonly reason: HTMLInputElement;
  /** Its value is in s; empty: until lifted. */
  readonly duration: HTMLSelectElement;
  readonly submit: HTMLButtonElement;
  /** Says what was done. */
  readonly outcome: HTMLElement;
  /** Says why something was not done. */
  readonly error: HTMLElement;
  readonly body: HTMLElement;
  /** Shown while nobody is denied, or the list can't be read. */
  readonly none: HTMLElement;
  /** Says how many there are. */
  readonly note: HTMLElement;
}

/** Ends the sessions of a principal and denies it access; lists who is denied, and lifts denials. */
export class DeniedCard {
  readonly #parts: DeniedCardParts;
  readonly #api: Pick<GatewayApi, 'deny' | 'lift'>;
  readonly #rows: Rows;
  /** The list has changed. */
  readonly #changed: () => void;
  #isBusy = false;

  constructor(parts: DeniedCardParts, api: Pick<GatewayApi, 'deny' | 'lift'>, changed: () => void) {
    this.#parts = parts;
    this.#api = api;
    this.#rows = new Rows(parts.body);
    this.#changed = changed;
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#deny();
    });
    parts.body.addEventListener('click', ({ target }) => {
      if (target instanceof HTMLButtonElement) void this.#lift(target.value);
    });
  }

  /** Shows what `GET /api/admin/denied` said. */
  take(answer: Fields): void {
    const { none, note } = this.#parts;
    const listed = answer.value('denied');
    const denials = Array.isArray(listed) ? listed.map((denial) => new Fields(denial)) : [];
    const total = answer.number('total') ?? denials.length;
    none.hidden = denials.length > 0;
    none.textContent = 'Nobody is denied.';
    note.textContent =
      total > denials.length
        ? `the newest ${String(denials.length)} of ${String(total)}`
        : String(total || '');
    this.#rows.draw(denials.map(rowOf));
  }

  /** The list can't be read now; what was known stays. */
  fail(): void {
    this.#parts.none.hidden = false;
    this.#parts.none.textContent = 'The list can not be read now.';
  }

  async #deny(): Promise<void> {
    const { principal, reason, duration, form } = this.#parts;
    const id = principal.value.trim();
    const seconds = duration.value === '' ? undefined : Number(duration.value);
    await this.#run(async () => {
      const denial = await this.#api.deny(id, { reason: reason.value.trim() || undefined, seconds });
      form.reset();
      return `Sessions of ${denial.text('principal') ?? id} are ended, and it is denied.`;
    });
  }

  async #lift(id: string): Promise<void> {
    await this.#run(async () => {
      const answer = await this.#api.lift(id);
      return answer.flag('lifted') === false ? `${id} was not denied any more.` : `${id} may come back.`;
    });
  }

  /** Does one thing at a time; says what was done, or why not. */
  async #run(change: () => Promise<string>): Promise<void> {
    const { outcome, error, submit } = this.#parts;
    if (this.#isBusy) return;
    this.#isBusy = true;
    submit.setAttribute('aria-busy', 'true');
    outcome.textContent = '';
    error.textContent = '';
    try {
      outcome.textContent = await change();
    } catch (thrown) {
      if (!(thrown instanceof RefusedError)) throw thrown;
      error.textContent = describe(thrown);
    } finally {
      this.#isBusy = false;
      submit.removeAttribute('aria-busy');
      this.#changed();
    }
  }
}

function describe({ code, message }: RefusedError): string {
  if (code === 'own_principal') return 'This is you. Sign in with another key or token to deny it.';
  if (code === 'bad_request') return 'Write a principal as key:<id>, user:<name> or address:<ip>.';
  return `Not done: ${message}.`;
}

function rowOf(denial: Fields): Cell[] {
  const principal = denial.text('principal') ?? UNKNOWN;
  const reason = denial.text('reason') ?? '';
  const by = denial.text('by') ?? UNKNOWN;
  return [
    { text: principal, title: principal },
    { text: reason, className: 'reason' },
    { text: by, title: by, className: 'by', label: 'by' },
    { text: formatMoment(denial.number('at')), className: 'number', label: 'since' },
    {
      text: denial.value('until') === null ? 'it is lifted' : formatMoment(denial.number('until')),
      className: 'number',
      label: 'until',
    },
    { text: 'Lift', button: principal, title: `Lift the denial of ${principal}` },
  ];
}
