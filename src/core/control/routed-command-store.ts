import { Refusal } from '../errors.js';
import type { CommandSpec } from './command-queue.js';
import type {
  AskedCommand,
  CommandStore,
  CommandSummary,
  FoundCommand,
  TakenCommand,
} from './command-store.js';

/** Several stores as one: each command is kept where its spec says it is executed. */
export class RoutedCommandStore implements CommandStore {
  readonly #routes: Readonly<Record<CommandSpec['where'], CommandStore>>;

  constructor(routes: Readonly<Record<CommandSpec['where'], CommandStore>>) {
    this.#routes = routes;
  }

  get open(): number {
    return this.#stores.reduce((sum, { open }) => sum + open, 0);
  }

  recall(asked: AskedCommand): Promise<TakenCommand | Refusal | undefined> {
    return this.#routes[asked.spec.where].recall(asked);
  }

  take(asked: AskedCommand): Promise<TakenCommand | Refusal> {
    return this.#routes[asked.spec.where].take(asked);
  }

  /** Asks this process first: what it has, nobody else does. */
  async find(id: string): Promise<FoundCommand | Refusal> {
    const found = await this.#routes.local.find(id);
    return found instanceof Refusal ? this.#routes.worker.find(id) : found;
  }

  async recent(limit: number): Promise<readonly CommandSummary[] | Refusal> {
    const all: CommandSummary[] = [];
    for (const some of await Promise.all(this.#stores.map((store) => store.recent(limit)))) {
      if (some instanceof Refusal) return some;
      all.push(...some);
    }
    return all.sort((one, other) => other.at - one.at).slice(0, limit);
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
  }

  get #stores(): readonly CommandStore[] {
    return Object.values(this.#routes);
  }
}
