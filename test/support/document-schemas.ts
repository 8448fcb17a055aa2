import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

const OPTIONS = { allErrors: true, strict: true, strictTypes: false, strictRequired: false } as const;

/** What stands at the top of a document beside its schemas. */
const SECTIONS = ['openapi', 'asyncapi', 'info', 'defaultContentType', 'servers', 'tags', 'paths'];

/** Where something is in a document, as the keys that lead there. */
export type Place = readonly (string | number)[];

/** The schemas within a document, as a validator of the document's own draft reads them. */
export class DocumentSchemas {
  readonly #ajv: Ajv;
  readonly #found = new Map<string, ValidateFunction>();

  /** Compiles no schema yet; throws when the document holds something that can be none. */
  constructor(document: object) {
    this.#ajv = 'openapi' in document ? new Ajv2020(OPTIONS) : new Ajv(OPTIONS);
    this.#ajv.addVocabulary([...SECTIONS, 'channels', 'operations', 'components']);
    this.#ajv.addSchema(document, 'document');
  }

  /** What is wrong with a value by the schema at `place`, in words; none when nothing is. */
  faultsOf(value: unknown, place: Place): string[] {
    const validate = this.#at(place);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${String(message)} ${JSON.stringify(params)}`,
    );
  }

  #at(place: Place): ValidateFunction {
    const pointer = place.map((key) =>
      encodeURIComponent(String(key).replace(/~/g, '~0').replace(/\//g, '~1')),
    );
    const at = `document#/${pointer.join('/')}`;
    const known = this.#found.get(at) ?? this.#ajv.compile({ $ref: at });
    this.#found.set(at, known);
    return known;
  }
}
