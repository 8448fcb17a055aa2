import path from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { ROOT } from './launched-gateway.js';
import { waitUntil } from './wait-until.js';

/** An event's row as the list got it. */
export interface ShownEvent {
  readonly id: string;
  readonly type: string;
  /** All text of the row. */
  readonly text: string;
}

/** How long a page may take to get where a test wants it, ms. */
const PATIENCE_MS = 15_000;

/** Where pictures go that are kept for people to look at. */
const ARTIFACTS = path.resolve(ROOT, process.env['TEST_ARTIFACTS'] ?? 'test-artifacts');

/** The operators' page in a tab of its own, with a note of everything that went wrong in it. */
export class ConsolePage {
  readonly page: Page;
  #troubles: string[] = [];

  private constructor(page: Page, host: string) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.#troubles.push(`error: ${error.message}`));
    // The browser reports here what the Content-Security-Policy forbids, and every answer of 400 and above.
    page.on('console', (message) => {
      // A stream that the gateway ends has no last chunk, which Chromium mentions before it comes back (PROTOCOL, "How connections end").
      if (message.text().includes('ERR_INCOMPLETE_CHUNKED_ENCODING')) return;
      if (message.type() === 'error' || message.type() === 'warning') {
        this.#troubles.push(`${message.type()}: ${message.text()}`);
      }
    });
    const note = (url: string): void => {
      if (new URL(url).host !== host) this.#troubles.push(`asked another host: ${url}`);
    };
    page.on('request', (request) => {
      note(request.url());
    });
    page.on('websocket', (socket) => {
      note(socket.url());
    });
  }

  /** Opens the page of the gateway at `url`. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<ConsolePage> {
    return await ConsolePage.#load(await browser.newPage(options), url);
  }

  /** Opens the page with what a browser has already, as its cookies. */
  static async openIn(context: BrowserContext, url: string): Promise<ConsolePage> {
    return await ConsolePage.#load(await context.newPage(), url);
  }

  static async #load(page: Page, url: string): Promise<ConsolePage> {
    const opened = new ConsolePage(page, new URL(url).host);
    await page.addInitScript(recordRows);
    await page.goto(`${url}/`);
    return opened;
  }

  /** Errors and warnings, what the policy forbade, requests to other hosts; in order. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  /** Takes troubles off the list that a test brought about on purpose. */
  forgive(troubles: readonly string[]): void {
    this.#troubles = this.#troubles.filter((trouble) => !troubles.includes(trouble));
  }

  at(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Waits until the element says `text`. */
  async says(testId: string, text: string): Promise<void> {
    await this.at(testId)
      .and(this.page.getByText(text, { exact: true }))
      .waitFor({ state: 'attached' });
  }

  /** Waits until the stream is live over the transport, by the name people see. */
  async isLiveOver(transport: 'SSE' | 'Socket.IO'): Promise<void> {
    await this.says('transport', transport);
    await this.says('state', 'live');
  }

  /** The rows of a kind (`event`, `gap`, `notice`) that are in the list now. */
  rows(kind: string, type?: string): Locator {
    const ofType = type === undefined ? '' : `[data-type="${type}"]`;
    return this.at('events').locator(`li[data-kind="${kind}"]${ofType}`);
  }

  /** Every event the list has ever shown, oldest first; an event that was drawn twice is here twice. */
  async shown(type: string): Promise<ShownEvent[]> {
    const all = await this.page.evaluate(() => (globalThis as unknown as Recording).shownEvents);
    return all.filter((event) => event.type === type);
  }

  /** Waits until the list has shown the event. */
  async hasShown(type: string, id: string): Promise<void> {
    try {
      await waitUntil(async () => (await this.shown(type)).some((event) => event.id === id), `${type} ${id}`);
    } catch (error) {
      throw new Error(`${String(error)}; ${await this.#describe()}`, { cause: error });
    }
  }

  /** What the page is up to, for the message of a test that failed. */
  async #describe(): Promise<string> {
    const texts = await Promise.all(
      ['profile', 'transport', 'state', 'state-detail'].map((part) => this.at(part).textContent()),
    );
    const shown = await this.page.evaluate(() => (globalThis as unknown as Recording).shownEvents);
    const rows = await this.at('events').locator('li').allInnerTexts();
    const draws = await this.page.evaluate(
      () =>
        new Promise((resolve) => {
          requestAnimationFrame(() => resolve(true));
          setTimeout(() => resolve(false), 1000);
        }),
    );
    return [
      `the page says ${texts.join(', ')}`,
      draws ? 'it draws' : 'it draws nothing for a second',
      `has shown ${shown.length} events, the last ${shown.at(-1)?.id}`,
      `its newest rows are ${rows.slice(0, 5).join(' | ').replaceAll('\n', ' ')}`,
      `troubles: ${this.#troubles.join(' | ')}`,
    ].join('; ');
  }

  /** Keeps a picture of the page, for people to look at. */
  async picture(name: string, fullPage = true): Promise<void> {
    await this.page.screenshot({ path: path.join(ARTIFACTS, `console-${name}.png`), fullPage });
  }

  /** How many CSS pixels the page is wider than its window. */
  async overflow(): Promise<number> {
    return this.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
  }

  async close(): Promise<void> {
    // A request that is being altered is the page's no more.
    await this.page.unrouteAll({ behavior: 'ignoreErrors' });
    await this.page.close();
  }
}

interface Recording {
  shownEvents: ShownEvent[];
}

/** Runs in the page, before its own code: notes each row that enters the list, which keeps only the newest. */
function recordRows(): void {
  const shown: ShownEvent[] = [];
  (globalThis as unknown as Recording).shownEvents = shown;
  const observer = new MutationObserver((records) => {
    for (const { addedNodes } of records) {
      // The list has its newest row first.
      for (const node of Array.from(addedNodes).toReversed()) {
        if (!(node instanceof HTMLLIElement) || node.dataset.kind !== 'event') continue;
        shown.push({
          id: node.dataset.id ?? '',
          type: node.dataset.type ?? '',
          text: node.textContent ?? '',
        });
      }
    }
  });
  document.addEventListener('readystatechange', () => {
    const list = document.querySelector('[data-testid="events"]');
    if (list !== null) observer.observe(list, { childList: true });
  });
}
