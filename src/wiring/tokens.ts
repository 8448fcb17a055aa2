import type { Authenticator } from '../core/auth/authenticator.js';
import type { ConfigFaults } from '../core/config/fault.js';
import type { Base } from './base.js';
export const openTokens = (_base: Base): Promise<Authenticator | ConfigFaults> => Promise.reject(new Error("to come"));
