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
 * `level` is the least important level that is written; default in the configuration: `info`.
 */
export function createLogger(level: LogLevel): Logger {
  return winston.createLogger({
    level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.errors({ stack: true }),
      winston.format.json(),
    ),
    transports: [new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
}
