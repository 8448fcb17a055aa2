/** Understands the bytes of a wire as they come, however they are cut. */
export interface RawReader {
  feed(bytes: Buffer): void;
}
