import type { RequestHandler, Response } from 'express';
import type { Caller } from '../../core/auth/caller.js';
import type { AdminRight } from '../../core/auth/rights.js';
import { Refusal } from '../../core/errors.js';
import type { Callers } from './callers.js';
import { callerIn, setCaller } from './refusal-audit.js';
import { sendRefusal } from './reply.js';

/** Lets requests through of which it is known who makes them; {@link callerOf} tells the routes behind it. */
export function identify(callers: Callers): RequestHandler {
  return async (req, res, next) => {
    const caller = await callers.of(req);
    if (caller instanceof Refusal) return sendRefusal(res, caller);
    setCaller(res, caller);
    next();
  };
}

/** Refuses a caller that was denied while its body was read; behind {@link identify}. */
export function stillLetIn(callers: Callers): RequestHandler {
  return (_req, res, next) => {
    const refusal = callers.refusalNow(callerOf(res));
    if (refusal === undefined) next();
    else sendRefusal(res, refusal);
  };
}

/** Lets through who may administer any of these; behind {@link identify}. */
export function requires(...rights: readonly AdminRight[]): RequestHandler {
  return (_req, res, next) => {
    if (rights.some((right) => callerOf(res).rights.mayAdminister(right))) next();
    else sendRefusal(res, new Refusal('forbidden', `takes the right to administer: ${rights.join(' or ')}`));
  };
}

/** Who makes the request; behind {@link identify}. */
export function callerOf(res: Response): Caller {
  const caller = callerIn(res);
  if (caller === undefined) throw new Error('a route stands before the guard');
  return caller;
}
