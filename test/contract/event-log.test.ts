import { afterEach } from '@jest/globals';
import { systemClock } from '../../src/core/clock.js';
import { MemoryLog } from '../../src/core/log/memory-log.js';
import { OpenedLogs } from '../support/opened-logs.js';
import { eventLogContract } from './event-log.js';

const redisLogs = new OpenedLogs();
afterEach(() => redisLogs.closeAll());

eventLogContract('memory', ({ maxEvents }) => new MemoryLog(systemClock, { maxEvents, maxBytes: 1e9 }));
eventLogContract('redis', ({ maxEvents }) => redisLogs.open({ maxEvents }).log);
