import { connectedKinds, describeKinds } from './client-kinds.js';
import type { Fields } from './fields.js';
import { describeFlip } from './flip-plan.js';
import { FlipProgress, type FlipProgressParts } from './flip-progress.js';
import { type FlipReportView, isAwaitingReturns, isUnderWay, readFlipReport } from './flip-report.js';
import { type GatewayApi, isRefused, RefusedError } from './gateway-api.js';
import { nodesOf } from './node-list.js';

/** The elements a flip is asked for with. */
export interface FlipCardParts {
  readonly form: HTMLFormElement;
  /** This node or all; shown where there are several. */
  readonly scope: HTMLElement;
  readonly allLabel: HTMLElement;
  readonly node: HTMLInputElement;
  readonly all: HTMLInputElement;
  /** Says why only all can be chosen. */
  readonly scopeNote: HTMLElement;
  /** The clients connected now, by kind. */
  readonly clients: HTMLElement;
  readonly open: HTMLButtonElement;
  readonly dialog: HTMLDialogElement;
  readonly question: HTMLElement;
  readonly consequences: HTMLElement;
  readonly cancel: HTMLButtonElement;
  readonly confirm: HTMLButtonElement;
  readonly progress: FlipProgressParts;
}

/** Between two questions about a flip that is under way, ms. */
const WATCH_MS = 400;
/** The same where there was no answer. */
const RETRY_MS = 2000;
/** So often it is asked whether the clients that were moved have come back. */
const MAX_RETURN_LOOKS = 30;
/** So many answers of other nodes, one after the other, and the node whose flip is watched counts as gone. */
const MAX_ELSEWHERE = 60;

/** Asks which profile to serve, makes sure, and shows how the clients move. */
export class FlipCard {
  readonly #parts: FlipCardParts;
  readonly #progress: FlipProgress;
  readonly #api: GatewayApi;
  readonly #flipped: () => void;
  #whyNot = '';
  #status: Fields | undefined;
  #isWatching = false;
  /** The node that the status is of. */
  #own: string | undefined;
  /** The node whose flips are watched; undefined: whichever answers. */
  #watched: string | undefined;
  #elsewhere = 0;
  #returnLooks = 0;
  #areSeveral = false;
  /** Which flip, and which state of it, the status told of last. */
  #seen: string | undefined;
  #wanted: { readonly profile: string; readonly all: boolean } | undefined;

  /** `flipped` hears that another profile is served now. */
  constructor(parts: FlipCardParts, api: GatewayApi, flipped: () => void) {
    this.#parts = parts;
    this.#api = api;
    this.#flipped = flipped;
    this.#progress = new FlipProgress(parts.progress);
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#ask();
    });
    parts.form.addEventListener('change', () => {
      this.#label();
    });
    parts.cancel.addEventListener('click', () => {
      parts.dialog.close();
    });
    parts.confirm.addEventListener('click', () => {
      parts.dialog.close();
      void this.#flip();
    });
  }

  /** `whyNot`: why the page may not flip, for people; empty when it may. */
  allow(whyNot: string): void {
    this.#whyNot = whyNot;
    for (const choice of this.#parts.form.querySelectorAll('input')) choice.disabled = whyNot !== '';
    this.#offerScope();
    if (whyNot !== '') this.#parts.dialog.close();
    this.#label();
  }

  /** Takes what is served, for a page that is told no more than that. */
  takeProfile(status: Fields): void {
    const profile = status.text('profile');
    const isOther = this.#status?.text('profile') !== profile;
    this.#status = status;
    const nodes = nodesOf(status).length;
    this.#parts.scope.hidden = nodes < 2;
    this.#parts.allLabel.textContent = `All ${String(nodes)} nodes`;
    if (isOther) this.#markServed(profile);
    this.#label();
  }

  /** Where `areSeveral` nodes answer in turns, nobody knows which one a flip of one would be of. */
  restrict(areSeveral: boolean): void {
    if (areSeveral === this.#areSeveral) return;
    this.#areSeveral = areSeveral;
    this.#parts.dialog.close();
    this.#offerScope();
    this.#label();
  }

  /** Takes what a status of the node `own` says; flips that others have asked for are shown, too. */
  take(status: Fields, own: string | undefined): void {
    this.takeProfile(status);
    this.#showClients(status);
    const flip = status.fields('flip');
    // A flip of all is best told by the node that was asked for it.
    const isToWatch = !this.#isWatching && flip.text('via') !== 'cluster';
    if (own !== this.#own || isToWatch) this.#watched = own;
    this.#own = own;
    const seen = `${String(flip.number('id'))} ${flip.text('state') ?? ''}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#watch();
  }

  #ask(): void {
    const { dialog, question, consequences, confirm } = this.#parts;
    if (this.#status === undefined) return;
    const { profile, all } = (this.#wanted = this.#wantedNow());
    question.textContent = all ? `Flip all nodes to ${profile}?` : `Flip to ${profile}?`;
    confirm.textContent = all ? `Flip all to ${profile}` : `Flip to ${profile}`;
    const sentences = describeFlip(this.#status, profile, all);
    consequences.replaceChildren(
      ...sentences.map((sentence) => {
        const item = document.createElement('li');
        item.textContent = sentence;
        return item;
      }),
    );
    dialog.showModal();
  }

  async #flip(): Promise<void> {
    const { open, progress } = this.#parts;
    if (this.#wanted === undefined) return;
    const { profile, all } = this.#wanted;
    progress.error.textContent = '';
    open.setAttribute('aria-busy', 'true');
    try {
      const report = readFlipReport(await this.#api.putProfile(profile, all));
      this.#watched = report.node;
      this.#draw(report);
      this.#flipped();
      this.#watch();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      progress.error.textContent = `${error.code}: ${error.message}`;
    } finally {
      open.removeAttribute('aria-busy');
    }
  }

  /** Asks how the flip goes on until it is over. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#elsewhere = 0;
    this.#returnLooks = 0;
    void this.#look();
  }

  async #look(): Promise<void> {
    const report = await this.#api.flipReport().then(readFlipReport, (error: unknown) => {
      // It would be refused again; a later status, or flip, has it look again.
      if (isRefused(error)) this.#isWatching = false;
    });
    if (!this.#isWatching) return;
    const isElsewhere = report !== undefined && this.#isOfAnother(report);
    this.#elsewhere = isElsewhere ? this.#elsewhere + 1 : 0;
    if (report !== undefined && !isElsewhere) this.#draw(report);
    const isOver =
      report !== undefined &&
      !isUnderWay(report.flip?.state) &&
      !isUnderWay(report.rollout?.state) &&
      !this.#isAwaiting(report);
    if (isElsewhere ? this.#elsewhere > MAX_ELSEWHERE : isOver) {
      this.#isWatching = false;
      return;
    }
    setTimeout(
      () => {
        void this.#look();
      },
      report === undefined ? RETRY_MS : WATCH_MS,
    );
  }

  /** Clients that were moved come back a moment after it is over; some never do. */
  #isAwaiting(report: FlipReportView): boolean {
    this.#returnLooks += 1;
    return isAwaitingReturns(report) && this.#returnLooks < MAX_RETURN_LOOKS;
  }

  #showClients(status: Fields): void {
    const { clients } = this.#parts;
    const kinds = connectedKinds(status);
    clients.hidden = kinds === undefined;
    if (kinds === undefined) return;
    const text = `Connected: ${describeKinds(kinds) || 'nobody'}`;
    if (clients.textContent !== text) clients.textContent = text;
  }

  #isOfAnother({ node }: FlipReportView): boolean {
    return this.#watched !== undefined && node !== undefined && node !== this.#watched;
  }

  #offerScope(): void {
    const { node, all, scopeNote } = this.#parts;
    node.disabled = this.#whyNot !== '' || this.#areSeveral;
    if (this.#areSeveral) all.checked = true;
    scopeNote.hidden = !this.#areSeveral;
  }

  #draw(report: FlipReportView): void {
    this.#progress.draw(report);
  }

  /** The profile that is served is the one that is chosen, until somebody chooses another. */
  #markServed(profile: string | undefined): void {
    for (const choice of this.#parts.form.querySelectorAll<HTMLInputElement>('input[name="profile"]')) {
      const isServed = choice.value === profile;
      choice.closest('label')?.toggleAttribute('data-served', isServed);
      choice.checked = isServed;
    }
  }

  #wantedNow(): { readonly profile: string; readonly all: boolean } {
    const data = new FormData(this.#parts.form);
    const profile = data.get('profile');
    return {
      profile: typeof profile === 'string' ? profile : '',
      all: !this.#parts.scope.hidden && data.get('scope') === 'all',
    };
  }

  #label(): void {
    const { profile, all } = this.#wantedNow();
    const { open } = this.#parts;
    // Other nodes may serve something else, so all of them can be flipped to what this one serves.
    open.title = this.#whyNot;
    open.disabled =
      this.#whyNot !== '' || profile === '' || (profile === this.#status?.text('profile') && !all);
    const wanted = open.disabled ? 'Choose another profile' : `Flip ${all ? 'all ' : ''}to ${profile}…`;
    const text = this.#whyNot === '' ? wanted : 'Flipping is not allowed';
    if (open.textContent !== text) open.textContent = text;
  }
}
