/**
 * Where outcomes of steps are kept: bytes by key.
 *
 * A cache is never trusted and never waited for longer than its user likes: what it returns is verified
 * against the digest that it was asked for, whatever it throws is a miss, and a write that fails costs no
 * more than that. Keys are made of lower-case letters, digits, `-` and one `/`.
 */
export interface Cache {
  /** In words: "the cache", "the cache of ci.example.org". */
  readonly name: string;
  read(key: string): Promise<Uint8Array | undefined>;
  /** Twice the same is once. */
  write(key: string, bytes: Uint8Array): Promise<void>;
  /** What was read was not what was written: it is to be forgotten, where that can be. */
  remove?(key: string): Promise<void>;
  /** Keep within bounds; called at the end of a run that wrote. */
  trim?(): Promise<void>;
}

export interface CacheInfo {
  readonly folder: string;
  readonly entries: number;
  readonly sizeBytes: number;
}
