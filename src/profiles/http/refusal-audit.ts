import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '../../core/audit.js';
import type { Caller } from '../../core/auth/caller.js';
import { Refusal } from '../../core/errors.js';
import type { ClientAddresses } from './client-address.js';

/** Code and message of a refusal, of a {@link Refusal} or of the error of an ack. */
type Said = Pick<Refusal, 'code' | 'message'>;

/** Audits refused requests: by HTTP, where `sendRefusal` does so for every answer, and by Socket.IO. */
export class RefusalAudit {
  readonly #audit: Audit;
  readonly #addresses: ClientAddresses;

  constructor(audit: Audit, addresses: ClientAddresses) {
    this.#audit = audit;
    this.#addresses = addresses;
  }

  /** A request was refused; `caller` is who made it, where that is known. */
  ofRequest(req: IncomingMessage, refusal: Said, caller?: Caller | Refusal): void {
    this.#audit.refused(refusal, () => ({
      address: this.#addresses.of(req),
      principal: caller instanceof Refusal ? undefined : caller?.id,
      asked: `${String(req.method)} ${pathOf(req)}`,
    }));
  }

  /** A request that a client emitted over Socket.IO was refused. */
  ofEvent(name: string, refusal: Said, { id }: Caller, address: string): void {
    this.#audit.refused(refusal, () => ({ address, principal: id, asked: `Socket.IO ${name}` }));
  }
}

/**
 * A response that can tell who is refused what. All of it is fields: Express gives its responses another prototype.
 */
export interface AuditedResponse extends ServerResponse {
  readonly refusals: RefusalAudit;
  /** The caller that is answered, once it is known. */
  caller: Caller | undefined;
}

/** The class of responses whose refusals these `refusals` audit, for `http.createServer`. */
export function responsesAuditedBy(refusals: RefusalAudit): typeof ServerResponse<IncomingMessage> {
  return class extends ServerResponse implements AuditedResponse {
    readonly refusals = refusals;
    caller: Caller | undefined = undefined;
  };
}

/** Notes on a response who is answered, where that was found out. */
export function setCaller(res: ServerResponse, caller: Caller | Refusal): void {
  if (!(caller instanceof Refusal)) (res as AuditedResponse).caller = caller;
}

/** Returns the caller that is answered; undefined where it is not known. */
export function callerIn(res: ServerResponse): Caller | undefined {
  return (res as Partial<AuditedResponse>).caller;
}

/** Audits a refusal that is answered, where the response is a listener's. */
export function auditRefusal(res: ServerResponse, refusal: Refusal): void {
  const { refusals, caller } = res as Partial<AuditedResponse>;
  refusals?.ofRequest(res.req, refusal, caller);
}

/** The path of a request, as it came: Express takes its mounts' paths from `url`. */
function pathOf(req: IncomingMessage & { readonly originalUrl?: string }): string {
  const [path = ''] = (req.originalUrl ?? req.url ?? '').split('?', 1);
  return path;
}
