import type { BrowserContext, Page } from 'playwright-core';
import type { ClientOptions, FlipgateClient, Gap, StateChange, Welcome } from '../../src/client/index.js';
import { waitUntil } from './wait-until.js';

/** What a page notes of its client. */
interface Heard {
  /** Of `counted` events. */
  readonly ids: string[];
  /** The data of all others. */
  readonly data: unknown[];
  readonly states: StateChange[];
  readonly gaps: Gap[];
  readonly welcomes: Welcome[];
}

/** What a page's script leaves where tests find it. */
export interface ClientWindow {
  readonly heard: Heard;
  readonly client: FlipgateClient;
}

/** How a page uses the SDK. */
export interface ClientPageParts {
  readonly url: string;
  /** Where it loads the SDK from; default: the gateway. */
  readonly script?: string;
  readonly options?: ClientOptions;
}

/** The text of a page that connects. */
export function clientHtml({ url, script = `${url}/client.js`, options = {} }: ClientPageParts): string {
  return `<!doctype html><title>client</title><script type="module">
    import { FlipgateClient } from ${JSON.stringify(script)};
    const heard = { ids: [], data: [], states: [], gaps: [], welcomes: [] };
    const client = new FlipgateClient(${JSON.stringify(url)}, ${JSON.stringify(options)});
    Object.assign(globalThis, { heard, client });
    client.on('*', ({ type, id, data }) => {
      if (type === 'counted') heard.ids.push(id);
      else heard.data.push(data);
    });
    client.onState((change) => heard.states.push(change));
    client.onGap((gap) => heard.gaps.push(gap));
    client.onWelcome((welcome) => heard.welcomes.push(welcome));
  </script>`;
}

/** A tab with a client of the SDK. */
export class ClientPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens a page of the gateway's own origin, as behind a proxy that serves an application and the gateway on one host. */
  static async beside(context: BrowserContext, parts: ClientPageParts): Promise<ClientPage> {
    const page = await context.newPage();
    const at = `${parts.url}/app`;
    await page.route(at, (route) => route.fulfill({ contentType: 'text/html', body: clientHtml(parts) }));
    await page.goto(at);
    return new ClientPage(page);
  }

  /** Opens a page that somebody serves; its text is {@link clientHtml}. */
  static async at(context: BrowserContext, address: string): Promise<ClientPage> {
    const page = await context.newPage();
    await page.goto(address);
    return new ClientPage(page);
  }

  heard(): Promise<Heard> {
    return this.page.evaluate(() => (globalThis as unknown as ClientWindow).heard);
  }

  async state(): Promise<StateChange | undefined> {
    return (await this.heard()).states.at(-1);
  }

  /** Waits for a state, over that transport where one is named. */
  async is(state: string, transport?: string, timeoutMs?: number): Promise<StateChange> {
    let change: StateChange | undefined;
    await waitUntil(
      async () => {
        change = await this.state();
        return change?.state === state && (transport === undefined || change.transport === transport);
      },
      `a page that is ${state} ${transport ?? ''}`,
      timeoutMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; ${JSON.stringify(change)}`);
    });
    return change as StateChange;
  }

  /** Waits until the `counted` event with this id came. */
  async has(id: string | undefined): Promise<void> {
    await waitUntil(async () => (await this.heard()).ids.includes(id ?? ''), `the event ${String(id)}`).catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}; ${JSON.stringify((await this.heard()).states.slice(-6))}`);
      },
    );
  }

  /** Waits until so many other events came. */
  async hasData(count: number): Promise<readonly unknown[]> {
    await waitUntil(async () => (await this.heard()).data.length >= count, `${String(count)} values`);
    return (await this.heard()).data;
  }

  /** Has the page's client change its rooms; resolves with those it has then. */
  change(what: 'join' | 'leave', room: string): Promise<readonly string[]> {
    return this.page.evaluate(
      ([what, room]) =>
        (globalThis as unknown as ClientWindow).client[what as 'join' | 'leave'](String(room)),
      [what, room],
    );
  }
}
