/** Light, dark, or as the system says. The choice is a taste of this browser, not state of the program. */

type Theme = 'light' | 'dark';

const storageKey = 'vivarium-theme';

function isTheme(value: string | null): value is Theme {
  return value === 'light' || value === 'dark';
}

function apply(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

/** Applies the remembered choice, if there is one. A browser that refuses storage follows the system. */
export function storedTheme(): Theme | undefined {
  try {
    const theme = localStorage.getItem(storageKey);
    if (!isTheme(theme)) return undefined;
    apply(theme);
    return theme;
  } catch {
    return undefined;
  }
}

/** Switches to the other theme and remembers it. */
export function nextTheme(): Theme {
  const current = document.documentElement.dataset['theme'];
  const isDark = current ? current === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const theme = isDark ? 'light' : 'dark';
  apply(theme);
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // without storage the choice lasts as long as the page
  }
  return theme;
}
