/** Keeps secrets out of what people, logs and errors see: servers echo keys in their messages. */

/** Takes the secrets out of a text. */
export type Redact = (text: string) => string;

/** Shorter values are no secrets, and taking them out would make every message unreadable. */
const minSecretChars = 4;

/** @param secrets values that must not appear in any text; those under 4 characters are ignored */
export function createRedactor(secrets: readonly string[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < minSecretChars) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
  }
  // longest first: a secret that contains another must go as a whole
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
}
