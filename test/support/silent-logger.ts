import type { Logger } from '../../src/core/logger.js';

/** A logger for tests that look at behaviour, not at what is logged. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} };
