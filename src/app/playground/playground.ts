/** The playground's page: it draws a view and passes what its reader does to the commands it was given. */
import type { TemplateResult } from 'lit';
import { html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { adoptControls, adoptTokens } from '../../elements/index.ts';
import { answerSection, askSection, numbersSection } from './section-ask.ts';
import { dataSection, sourceSection } from './section-data.ts';
import {
  eventSection,
  modelSection,
  parameterSection,
  statusSection,
  storageSection,
  treeSection,
} from './section-program.ts';
import { nextTheme, storedTheme } from './theme.ts';
import type { NoticeAction, PageNotice, PlaygroundCommands, PlaygroundView } from './view.ts';
import { emptyView } from './view.ts';

const actionLabels: Readonly<Record<NoticeAction, string>> = { 'work-on-copy': 'Work on a separate copy' };

function pageNotice(
  { id, level, notice, action }: PageNotice,
  commands: PlaygroundCommands | undefined,
): TemplateResult {
  return html`<vivarium-notice
    .notice=${notice}
    level=${level}
    dismissible
    action=${action === undefined ? nothing : actionLabels[action]}
    @notice-dismiss=${() => commands?.dismissNotice(id)}
    @notice-action=${() => commands?.workOnCopy()}
  ></vivarium-notice>`;
}

/** Stands for as long as the page does: nobody should take a copy for the original. */
function copyBanner(copyId: string): TemplateResult {
  return html`<aside class="copy" aria-label="Separate copy">
    <p>
      <strong>This is a separate copy</strong> (<code>${copyId}</code>). It began with the state of the
      original; from then on neither changes the other. It stays under this address until this site's data is
      cleared.
      <a href="/">Open the original</a>
    </p>
  </aside>`;
}

/** `<vivarium-playground>`: drawn in the document itself, styled by `playground.css`. */
export class VivariumPlayground extends LitElement {
  static readonly tag: string = 'vivarium-playground';
  static override properties = {
    view: { attribute: false },
    commands: { attribute: false },
    theme: { state: true },
  };

  declare view: PlaygroundView;
  declare commands: PlaygroundCommands | undefined;
  declare theme: string | undefined;

  constructor() {
    super();
    this.view = emptyView;
    this.theme = storedTheme();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    adoptTokens(this.ownerDocument);
    adoptControls(this.ownerDocument);
  }

  override createRenderRoot(): HTMLElement {
    return this;
  }

  override render(): TemplateResult {
    const { view, commands } = this;
    return html`
      ${this.#header()}
      <main class="page">
        ${view.copyId === undefined ? nothing : copyBanner(view.copyId)}
        <div class="notices">
          ${repeat(
            view.notices,
            ({ id }) => id,
            (notice) => pageNotice(notice, commands),
          )}
        </div>
        <div class="columns">
          <div class="column">
            ${askSection(view, commands)} ${answerSection(view)} ${numbersSection(view, commands)}
            ${dataSection(view, commands)} ${sourceSection(view, commands)}
          </div>
          <div class="column">
            ${treeSection(view, commands)} ${parameterSection(view, commands)} ${modelSection(view, commands)}
            ${storageSection(view, commands)} ${statusSection(view)} ${eventSection(view)}
          </div>
        </div>
      </main>
      <footer class="page foot">
        <p>
          Everything runs in this page: the program in a worker, its state in IndexedDB, Python in a sandbox
          that can reach nothing. Penguins by Gorman, Williams and Fraser, CC0.
        </p>
      </footer>
    `;
  }

  #header(): TemplateResult {
    return html`<header class="top">
      <div class="page bar">
        <h1><img src="/icon.svg" alt="" width="28" height="28" />Vivarium</h1>
        <p class="tagline">Ask a table: a supervised program that writes, runs and explains Python.</p>
        <button class="quiet" @click=${this.#switchTheme} aria-label="Switch between light and dark">
          <span aria-hidden="true">◐</span><span class="wide">Theme</span>
        </button>
      </div>
    </header>`;
  }

  readonly #switchTheme = (): void => {
    this.theme = nextTheme();
  };
}
