import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import { Refusal } from '../../core/errors.js';
import { isDeeperThan, MAX_JSON_DEPTH } from '../../core/parse-json.js';

/** The name under which an event arrives that was not read; its one argument is the {@link Refusal} that says why. */
const UNREAD = 'unread';
/**
 * The head of a packet before its JSON text: type, attachments, namespace, and the id of its answer. Source: socket.io-protocol, "Packet
 * encoding".
 */
const HEAD = /^(\d)(?:\d+-)?(?:(\/[^,]*),?)?(\d*)/;
const TOO_DEEP = new Refusal(
  'invalid_data',
  `the data is nested deeper than ${String(MAX_JSON_DEPTH)} levels: send it flatter`,
);

/**
 * Makes the parser that Socket.IO is given. It reads packets as the stock one does, with bounds on what one connection makes
 * the gateway compute and hold: JSON nested deeper than {@link MAX_JSON_DEPTH} is not parsed, and the attachments of one packet have
 * `maxBytes` together. An event that is nested too deep arrives under the name `unread` with a Refusal as its argument; any other
 * packet beyond a bound ends its connection.
 */
export function packetParser(maxBytes: number): { Encoder: typeof Encoder; Decoder: typeof Decoder } {
  return {
    Encoder,
    Decoder: class extends Decoder {
      #attached = 0;

      override add(packet: unknown): void {
        if (typeof packet === 'string') {
          this.#attached = 0;
          const [head = '', type, nsp = '/', id = ''] = HEAD.exec(packet) ?? [];
          // A quote in the head would make strings of all that follows.
          if (isDeeperThan(packet.slice(head.length), MAX_JSON_DEPTH)) return this.#refuse(type, nsp, id);
        } else this.#attach(packet);
        super.add(packet);
      }

      #attach(packet: unknown): void {
        this.#attached += Buffer.isBuffer(packet) ? packet.length : 0;
        if (this.#attached > maxBytes) throw new Error('the attachments are too large');
      }

      #refuse(type: string | undefined, nsp: string, id: string): void {
        if (type !== String(PacketType.EVENT)) throw new Error('a packet is nested too deep');
        const data = [UNREAD, TOO_DEEP];
        const wanted = id === '' ? {} : { id: Number(id) };
        this.emitReserved('decoded', { type: PacketType.EVENT, nsp, data, ...wanted });
      }
    },
  };
}
