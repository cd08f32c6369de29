/** What compiled code calls where Node has no syntax of its own for it: decorators as TypeScript had them first, and `using`. */
type Decorator = (target: unknown, key?: unknown, descriptor?: unknown) => unknown;

export function decorate(
  decorators: readonly Decorator[],
  target: object,
  key?: PropertyKey,
  descriptor?: PropertyDescriptor | null,
): unknown {
  const isMember = key !== undefined;
  let current: unknown = isMember && descriptor === null ? Object.getOwnPropertyDescriptor(target, key) : isMember ? descriptor : target;
  for (const decorator of decorators.toReversed()) {
    current = (isMember ? decorator(target, key, current) : decorator(current)) ?? current;
  }
  if (isMember && current !== undefined) Object.defineProperty(target, key, current as PropertyDescriptor);
  return current;
}

export function decorateParam(index: number, decorator: (target: unknown, key: unknown, index: number) => void): Decorator {
  return (target, key) => decorator(target, key, index);
}

const disposeKey: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for('Symbol.dispose');
const asyncDisposeKey: symbol = (Symbol as { asyncDispose?: symbol }).asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** One block with `using` in it: `u` and `a` take what is used, `e` what the block threw, `d` disposes, last first. */
export function usingCtx() {
  const empty = {};
  const stack: { readonly value: unknown; readonly dispose: (() => unknown) | undefined; readonly isAsync: boolean }[] = [];
  const use = (value: unknown, isAsync: boolean): unknown => {
    if (value === null || value === undefined) {
      if (isAsync) stack.push({ value, dispose: undefined, isAsync });
      return value;
    }
    const holder = value as Record<symbol, unknown>;
    const dispose = (isAsync ? holder[asyncDisposeKey] : undefined) ?? holder[disposeKey];
    if (typeof dispose !== 'function') throw new TypeError('`using` needs a value that can be disposed');
    stack.push({ value, dispose: dispose as () => unknown, isAsync });
    return value;
  };
  return {
    e: empty as unknown,
    u: (value: unknown) => use(value, false),
    a: (value: unknown) => use(value, true),
    d(): unknown {
      let error = this.e;
      const failed = (next: unknown): void => {
        error = error === empty ? next : suppressed(next, error);
      };
      const after = (): unknown => {
        for (let top = stack.pop(); top; top = stack.pop()) {
          try {
            const result = top.dispose?.call(top.value);
            if (top.isAsync) return Promise.resolve(result).then(after, (thrown: unknown) => (failed(thrown), after()));
          } catch (thrown) {
            failed(thrown);
          }
        }
        if (error !== empty) throw error;
        return undefined;
      };
      return after();
    },
  };
}

function suppressed(error: unknown, before: unknown): Error {
  return Object.assign(new Error('an error was thrown while another was on its way', { cause: error }), { error, suppressed: before });
}
