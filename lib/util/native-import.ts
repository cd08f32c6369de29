/**
 * Node's own `import()`. It stands in a file of its own, also once it is built: code that V8 had compiled before
 * cannot import.
 */
export const nativeImport = (specifier: string): Promise<object> => import(specifier) as Promise<object>;
