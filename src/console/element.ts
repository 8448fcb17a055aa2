/**
 * The element of this page with that id, as the class it must be. Throws when the page has none: the page and its code
 * ship together, so that is a bug.
 */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}
