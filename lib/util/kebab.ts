/** `camelCase` → `kebab-case`: `devStart` → `dev-start`, `parseURLs` → `parse-urls`, `a1b` stays. */
export function kebab(key: string): string {
  // Expressions of Unicode are made when they are first used, which takes longer than all names together.
  if (/^[a-z0-9]+$/.test(key)) return key;
  if (/^[a-z0-9]+(?:[A-Z][a-z0-9]+)*$/.test(key)) return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return key
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1-$2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll}{2})/gu, '$1-$2')
    .replaceAll(/[_\s]+/g, '-')
    .toLowerCase();
}
