/** `camelCase` → `kebab-case`: `devStart` → `dev-start`, `parseURLs` → `parse-urls`, `a1b` stays. */
export function kebab(key: string): string {
  return key
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1-$2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll}{2})/gu, '$1-$2')
    .replaceAll(/[_\s]+/g, '-')
    .toLowerCase();
}
