/**
 * A parameter's name is the name of the field that holds it, which nobody knows while the field is being initialised.
 * Modules made in this turn of the event loop wait here; the first question for a name, or the end of the turn, gives names.
 */

interface Named {
  nameParameters(): void;
}

const waiting = new Set<Named>();

/** Called by the constructor of every module. */
export function nameLater(module: Named): void {
  if (waiting.size === 0) {
    queueMicrotask(() => {
      resolveNames();
      waiting.clear();
    });
  }
  waiting.add(module);
}

/** Names what can be named by now. */
export function resolveNames(): void {
  for (const module of waiting) module.nameParameters();
}
