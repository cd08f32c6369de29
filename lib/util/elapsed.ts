/** Milliseconds of a clock that nobody sets; `performance.now()` as a global loads seven modules of Node's first. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
