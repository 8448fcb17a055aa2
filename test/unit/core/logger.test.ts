import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createLogger, LOG_LEVELS } from '../../../src/core/logger.js';

let written: Record<string, unknown>[];

/** Winston's console writes to it by this name. */
const stderr =
  (console as unknown as { _stderr: { write(text: string): boolean } | undefined })._stderr ?? process.stderr;

beforeEach(() => {
  written = [];
  jest.spyOn(stderr, 'write').mockImplementation((text: unknown) => {
    written.push(JSON.parse(String(text)) as Record<string, unknown>);
    return true;
  });
  jest.spyOn(console, 'error').mockImplementation((text: unknown) => {
    written.push(JSON.parse(String(text)) as Record<string, unknown>);
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('createLogger', () => {
  test('writes its level and what is more important, as JSON', () => {
    for (const [index, level] of LOG_LEVELS.entries()) {
      written = [];
      const logger = createLogger(level);
      for (const one of LOG_LEVELS) logger[one](`a line`, { is: one });
      expect(written.map((line) => line['level'])).toEqual(LOG_LEVELS.slice(0, index + 1));
      expect(written[0]).toEqual({
        level: 'error',
        message: 'a line',
        is: 'error',
        timestamp: expect.any(String),
      });
    }
  });

  test('is not confused by fields that are called as its own', () => {
    createLogger('info').info('a line', { level: 'odd', message: 'another' });
    expect(written).toEqual([expect.objectContaining({ level: 'info', message: 'a line' })]);
  });

  test('tells of errors what they say, where, and why, and nothing that hangs on to them', () => {
    const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH', host: 'secret-host' });
    const error = Object.assign(new Error('WRONGPASS', { cause }), {
      command: { name: 'auth', args: ['secret-password'] },
    });
    createLogger('info').error('Redis refuses', { error, nested: { error } });
    const told = {
      name: 'Error',
      message: 'WRONGPASS',
      stack: expect.stringContaining('logger.test'),
      cause: expect.objectContaining({ message: 'no route', code: 'EHOSTUNREACH' }),
    };
    expect(written).toEqual([expect.objectContaining({ error: told, nested: { error: told } })]);
    expect(JSON.stringify(written)).not.toContain('secret');
  });
});
