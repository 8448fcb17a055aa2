import winston from 'winston';

/** What the rest of flipgate logs to: a message, and facts beside it as fields. */
export interface Logger {
  error(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  debug(message: string, fields?: object): void;
}

/** Levels that `LOG_LEVEL` takes, most important first. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** A level of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The process's logger: one JSON object a line on stderr (stdout stays free for what commands print).
 * `level` is the least important level that is written; default in the configuration: `info`. What is not written costs
 * nothing.
 */
export function createLogger(level: LogLevel): Logger {
  const logger = winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.json({ replacer: (_name, value: unknown) => plain(value) }),
    ),
    transports: [new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
  const write = (one: LogLevel): Logger[LogLevel] =>
    LOG_LEVELS.indexOf(one) > LOG_LEVELS.indexOf(level)
      ? nothing
      : (message, fields = {}) => {
          // Fields may be called as winston's own are.
          logger.log({ ...fields, level: one, message });
        };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/**
 * What is known of an error, in words. Its other properties are left out: errors of Redis carry what was asked for, be it a
 * password.
 */
function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack } = value;
  const { code } = value as { code?: unknown };
  const cause = value.cause instanceof Error ? { cause: plain(value.cause) } : {};
  return { name, message, ...(typeof code === 'string' ? { code } : {}), ...cause, stack };
}

function nothing(): void {}
