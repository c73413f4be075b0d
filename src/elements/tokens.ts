/**
 * The one file of design tokens. Everything sits in `:where(:root)`, so a page that embeds an element overrides a token
 * with a plain `:root { --vivarium-accent: … }`. Both themes are said once, with `light-dark()`: the theme follows the
 * system until `data-theme` on the root element says otherwise.
 */
import type { CSSResult } from 'lit';
import { css } from 'lit';

/** Custom properties for type, space, shape and colour. Every text colour is at least 4.5:1 on both surfaces. */
export const tokens: CSSResult = css`
  :where(:root) {
    color-scheme: light dark;

    --vivarium-font: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
    --vivarium-mono:
      ui-monospace, 'SF Mono', 'Cascadia Code', 'JetBrains Mono', Menlo, 'DejaVu Sans Mono', monospace;
    --vivarium-text-xs: 0.75rem;
    --vivarium-text-s: 0.8125rem;
    --vivarium-text-m: 0.9375rem;
    --vivarium-text-l: 1.125rem;
    --vivarium-text-xl: 1.5rem;
    --vivarium-leading: 1.55;

    --vivarium-space-1: 0.25rem;
    --vivarium-space-2: 0.5rem;
    --vivarium-space-3: 0.75rem;
    --vivarium-space-4: 1rem;
    --vivarium-space-5: 1.5rem;
    --vivarium-space-6: 2rem;
    --vivarium-space-7: 3rem;

    --vivarium-radius-s: 6px;
    --vivarium-radius-m: 10px;
    --vivarium-radius-l: 14px;
    --vivarium-control: 2.5rem;

    --vivarium-ground: light-dark(#f6f7f4, #0f1210);
    --vivarium-surface: light-dark(#ffffff, #161a17);
    --vivarium-inset: light-dark(#f3f5f0, #1d221e);
    --vivarium-line: light-dark(#e0e4dc, #2a312c);
    --vivarium-line-strong: light-dark(#7d877b, #748076);
    --vivarium-text: light-dark(#171c18, #e9eeea);
    --vivarium-muted: light-dark(#556057, #a1ada3);

    --vivarium-accent: light-dark(#17684a, #74d3a6);
    --vivarium-accent-strong: light-dark(#0f5138, #93e2bd);
    --vivarium-on-accent: light-dark(#ffffff, #08150f);
    --vivarium-accent-soft: light-dark(#e4f1ea, #1b2f26);

    --vivarium-ok: light-dark(#17684a, #74d3a6);
    --vivarium-warn: light-dark(#855300, #eab95c);
    --vivarium-warn-soft: light-dark(#fdf3dd, #2e2614);
    --vivarium-danger: light-dark(#a82a20, #ff9d92);
    --vivarium-danger-soft: light-dark(#fdecea, #331a18);
    --vivarium-info: light-dark(#1d5a9e, #92bdf5);
    --vivarium-info-soft: light-dark(#e9f1fb, #182636);

    --vivarium-category-1: light-dark(#b4520f, #f2a265);
    --vivarium-category-2: light-dark(#0f766e, #5fd0c5);
    --vivarium-category-3: light-dark(#6d4bb3, #bba4f2);
    --vivarium-category-4: light-dark(#b0306f, #f193bf);
    --vivarium-category-5: light-dark(#1d5a9e, #92bdf5);
    --vivarium-category-6: light-dark(#66700f, #c9d26a);
    --vivarium-positive: light-dark(#1c6aa8, #6fb0ea);
    --vivarium-negative: light-dark(#b5541a, #ee9a5f);

    --vivarium-focus: light-dark(#0b5fff, #8fb7ff);
    --vivarium-shadow: 0 1px 2px light-dark(rgb(20 30 20 / 0.05), rgb(0 0 0 / 0.4));
    --vivarium-quick: 140ms;
  }

  :where(:root[data-theme='light']) {
    color-scheme: light;
  }
  :where(:root[data-theme='dark']) {
    color-scheme: dark;
  }
  @media (prefers-reduced-motion: reduce) {
    :where(:root) {
      --vivarium-quick: 0ms;
    }
  }
`;

const adopted = new WeakSet<Document>();

/** Gives the document the tokens, once. Every element does this for itself when it is connected. */
export function adoptTokens(target: Document = document): void {
  const sheet = tokens.styleSheet;
  if (!sheet || adopted.has(target)) return;
  adopted.add(target);
  target.adoptedStyleSheets = [sheet, ...target.adoptedStyleSheets];
}
