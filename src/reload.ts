import { changesBetween, overriddenChanges } from './core/config/changes.js';
import { ConfigFaults } from './core/config/fault.js';
import type { LoadedConfig } from './core/config/load.js';
import { Refusal } from './core/errors.js';
import type { Logger } from './core/logger.js';
import type { Gateway } from './gateway.js';

const PROFILE = 'APP_PROFILE';
/** Variables of the API keys, which are read again. */
const KEYS: readonly string[] = ['API_KEYS', 'API_KEYS_FILE'];
/** Variables that a gateway does not use. */
const OF_OTHERS: readonly string[] = ['FLIPGATE_TOKEN'];

/** The parts a {@link Reload} changes. */
export type ReloadedGateway = Pick<Gateway, 'flip' | 'takeKeys' | 'profile'>;

/**
 * Takes over the configuration that is read at SIGHUP: the API keys, and the profile where its value in the files is another than
 * at the last time. Logs which variables changed, which of them count from now on, and which need a restart.
 */
export class Reload {
  readonly #gateway: ReloadedGateway;
  readonly #logger: Logger;
  /** The configuration the process was started with. */
  readonly #started: LoadedConfig;
  /** The configuration that was read last and had no faults. */
  #last: LoadedConfig;
  /** The profile that the files named when it was last taken over, as written. */
  #profile: unknown;
  #turn: Promise<void> = Promise.resolve();

  constructor(gateway: ReloadedGateway, started: LoadedConfig, logger: Logger) {
    this.#gateway = gateway;
    this.#logger = logger;
    this.#started = started;
    this.#last = started;
    this.#profile = profileIn(started);
  }

  /** Takes over what was read; one after the other. Faults change nothing, and are logged. */
  run(loaded: LoadedConfig | ConfigFaults): Promise<void> {
    this.#turn = this.#turn.then(() => this.#take(loaded));
    return this.#turn;
  }

  async #take(loaded: LoadedConfig | ConfigFaults): Promise<void> {
    const faults = loaded instanceof ConfigFaults ? loaded : this.#gateway.takeKeys(loaded.config);
    if (faults !== undefined || loaded instanceof ConfigFaults) {
      const text = faults?.toText() ?? '';
      this.#logger.error('the configuration is faulty, all goes on as before', { faults: text });
      return;
    }
    const before = this.#last;
    this.#last = loaded;
    const flipped = await this.#takeProfile(loaded);
    const changed = changesBetween(before, loaded);
    const live = this.#live(loaded);
    const applied = changed
      .map(({ variable }) => variable)
      .filter((name) => live.has(name) || (name === PROFILE && flipped));
    const needRestart = changesBetween(this.#started, loaded)
      .map(({ variable }) => variable)
      .filter((name) => name !== PROFILE && !live.has(name));
    const overridden = overriddenChanges(before, loaded);
    const facts = { changed, applied, needRestart, overridden };
    if (needRestart.length + overridden.length === 0) {
      this.#logger.info(
        `the configuration was read again${changed.length === 0 ? ': it is the same' : ''}`,
        facts,
      );
    } else {
      this.#logger.warn(`the configuration was read again: ${whatToDo(needRestart, overridden)}`, facts);
    }
    const known = new Set(before.notices.map(({ text }) => text));
    for (const { text, source } of loaded.notices) if (!known.has(text)) this.#logger.warn(text, { source });
  }

  /** Variables that count from now on. */
  #live({ config }: LoadedConfig): ReadonlySet<string> {
    const takesKeys = this.#started.config.authMode === 'token' && config.authMode === 'token';
    return new Set([...OF_OTHERS, ...(takesKeys ? KEYS : [])]);
  }

  /**
   * Flips to the profile that the files name, where they named another one before: a flip that was asked for otherwise is not
   * undone by a reload for something else. Resolves with whether it is served.
   */
  async #takeProfile(loaded: LoadedConfig): Promise<boolean> {
    const { profile } = loaded.config;
    const inFiles = profileIn(loaded);
    const served = this.#gateway.profile();
    if (inFiles === this.#profile) {
      const isOverridden = loaded.sources[PROFILE] === 'environment';
      if (inFiles === undefined || isOverridden || profile === served) return false;
      const text = `the files name the profile ${profile} as before, so ${served} stays, to which the gateway was flipped. To serve ${profile}: flipgate flip ${profile}`;
      this.#logger.info(text);
      return false;
    }
    if (loaded.sources[PROFILE] === 'environment') {
      this.#profile = inFiles;
      this.#logger.warn(
        `APP_PROFILE changed in the files, but the environment of this process sets it, too: ${served} stays. Remove it from the environment and restart, or use flipgate flip.`,
      );
      return false;
    }
    if (inFiles === undefined) {
      this.#profile = inFiles;
      this.#logger.warn(`no file names APP_PROFILE any more: ${served} stays`);
      return false;
    }
    const flipped = await this.#gateway.flip(profile, { by: 'SIGHUP', address: null, via: 'signal' });
    if (flipped instanceof Refusal) {
      const { code, message } = flipped;
      const text = 'the profile could not be flipped; SIGHUP tries it again';
      this.#logger.error(text, { profile, code, reason: message });
      return false;
    }
    this.#profile = inFiles;
    return true;
  }
}

/** As the files have it; in whatever case it is the same profile. */
function profileIn({ inFiles }: LoadedConfig): unknown {
  const written = inFiles[PROFILE];
  return typeof written === 'string' ? written.trim().toUpperCase() : written;
}

function whatToDo(needRestart: readonly string[], overridden: readonly string[]): string {
  const parts: string[] = [];
  if (needRestart.length > 0) parts.push(`restart this process for ${needRestart.join(', ')} to take effect`);
  if (overridden.length > 0) {
    parts.push(`the environment of this process overrides what files say of ${overridden.join(', ')}`);
  }
  return parts.join('; ');
}
