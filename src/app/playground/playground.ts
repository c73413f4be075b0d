/** The playground's page: it draws a view and passes what its reader does to the commands it was given. */
import type { TemplateResult } from 'lit';
import { html, LitElement } from 'lit';
import { adoptTokens } from '../../elements/index.ts';
import { answerSection, askSection, numbersSection } from './section-ask.ts';
import { dataSection, sourceSection } from './section-data.ts';
import {
  eventSection,
  modelSection,
  parameterSection,
  statusSection,
  treeSection,
} from './section-program.ts';
import { nextTheme, storedTheme } from './theme.ts';
import type { PlaygroundCommands, PlaygroundView } from './view.ts';
import { emptyView } from './view.ts';

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
  }

  override createRenderRoot(): HTMLElement {
    return this;
  }

  override render(): TemplateResult {
    const { view, commands } = this;
    return html`
      ${this.#header()}
      <main class="page">
        <div class="notices">
          ${view.notices.map(
            ({ id, level, notice }) =>
              html`<vivarium-notice
                .notice=${notice}
                level=${level}
                dismissible
                @notice-dismiss=${() => commands?.dismissNotice(id)}
              ></vivarium-notice>`,
          )}
        </div>
        <div class="columns">
          <div class="column">
            ${askSection(view, commands)} ${answerSection(view)} ${numbersSection(view, commands)}
            ${dataSection(view, commands)} ${sourceSection(view, commands)}
          </div>
          <div class="column">
            ${treeSection(view, commands)} ${parameterSection(view, commands)} ${modelSection(view, commands)}
            ${statusSection(view)} ${eventSection(view)}
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
