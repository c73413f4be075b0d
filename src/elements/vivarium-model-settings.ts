/** Which model answers: the scripted one, said plainly, or any endpoint that speaks the OpenAI protocol. */
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { controls, VivariumElement } from './vivarium-element.ts';
import type { Notice } from './vivarium-notice.ts';

export interface ModelChoice {
  readonly kind: 'scripted' | 'openai-compatible';
  /** Base address, such as `http://localhost:11434/v1`. */
  readonly address: string;
  readonly model: string;
  /** Stays in the page's memory unless `isKeyRemembered`. */
  readonly key: string;
  readonly isKeyRemembered: boolean;
}

/** What came of "test this endpoint". */
export type EndpointTest =
  | { readonly state: 'untested' | 'running' }
  | { readonly state: 'passed'; readonly message: string }
  | { readonly state: 'failed'; readonly error: Notice };

/** The choice on a first visit. */
export const scriptedChoice: ModelChoice = {
  kind: 'scripted',
  address: '',
  model: '',
  key: '',
  isKeyRemembered: false,
};

/** `<vivarium-model-settings>`: fires `model-change` and `endpoint-test`, both with the whole choice. */
export class VivariumModelSettings extends VivariumElement {
  static readonly tag: string = 'vivarium-model-settings';
  static override properties: PropertyDeclarations = {
    choice: { attribute: false },
    test: { attribute: false },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      form,
      .fields {
        display: grid;
        gap: var(--vivarium-space-4);
      }
      fieldset {
        display: grid;
        gap: var(--vivarium-space-3);
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        padding: 0;
        font-weight: 550;
      }
      .option {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0 var(--vivarium-space-3);
        align-items: start;
        font-weight: 400;
      }
      .option input {
        margin-top: 0.25rem;
      }
      .option strong {
        font-weight: 550;
      }
      .field {
        display: grid;
        gap: var(--vivarium-space-1);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: var(--vivarium-space-2);
        align-items: center;
      }
      .passed {
        color: var(--vivarium-ok);
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare choice: ModelChoice;
  declare test: EndpointTest;

  constructor() {
    super();
    this.choice = scriptedChoice;
    this.test = { state: 'untested' };
  }

  override render(): TemplateResult {
    const { choice } = this;
    return html`<form @submit=${this.#test} @change=${this.#changed}>
      <fieldset>
        <legend class="hidden">Model</legend>
        ${this.#option(
          'scripted',
          'Scripted model',
          'Not a language model: it replays code for the prepared questions. The numbers still come from your rows.',
        )}
        ${this.#option(
          'openai-compatible',
          'An endpoint of yours',
          'Anything that speaks the OpenAI protocol: Ollama, llama.cpp, vLLM, LM Studio or a hosted service.',
        )}
      </fieldset>
      ${choice.kind === 'openai-compatible' ? this.#endpoint(choice) : nothing}
    </form>`;
  }

  #option(kind: ModelChoice['kind'], name: string, about: string): TemplateResult {
    return html`<label class="option">
      <input type="radio" name="kind" value=${kind} .checked=${this.choice.kind === kind} />
      <span><strong>${name}</strong><br /><span class="muted small">${about}</span></span>
    </label>`;
  }

  #endpoint({ address, model, key, isKeyRemembered }: ModelChoice): TemplateResult {
    return html`<div class="fields">
      <div class="field">
        <label for="address">Address</label>
        <input
          id="address"
          name="address"
          type="url"
          required
          placeholder="http://localhost:11434/v1"
          autocomplete="off"
          spellcheck="false"
          .value=${address}
        />
      </div>
      <div class="field">
        <label for="model">Model</label>
        <input
          id="model"
          name="model"
          required
          placeholder="llama3.2"
          autocomplete="off"
          spellcheck="false"
          .value=${model}
        />
      </div>
      <div class="field">
        <label for="key">Key <span class="muted small">(if it needs one)</span></label>
        <input
          id="key"
          name="key"
          type="password"
          autocomplete="off"
          .value=${key}
          aria-describedby="key-about"
        />
        <p class="muted small" id="key-about">
          Kept in this page's memory only and sent to that address only, unless you tick the box.
        </p>
      </div>
      <label class="option">
        <input type="checkbox" name="isKeyRemembered" .checked=${isKeyRemembered} />
        <span>Remember the key in this browser's storage</span>
      </label>
      <div class="actions">
        <button type="submit" ?disabled=${this.test.state === 'running'}>
          ${this.test.state === 'running' ? 'Testing…' : 'Test this endpoint'}
        </button>
      </div>
      <div role="status">${this.#praise()}</div>
      <vivarium-notice
        data-part=${this.test.state === 'failed' ? 'test' : nothing}
        .notice=${this.test.state === 'failed' ? this.test.error : undefined}
      ></vivarium-notice>
    </div>`;
  }

  #praise(): TemplateResult | typeof nothing {
    const { test } = this;
    return test.state === 'passed' ? html`<p class="passed" data-part="test">✓ ${test.message}</p>` : nothing;
  }

  #read(): ModelChoice {
    const form = this.renderRoot.querySelector('form');
    const data = form ? new FormData(form) : new FormData();
    const text = (name: 'address' | 'model' | 'key'): string => {
      const entry = data.get(name);
      return typeof entry === 'string' ? entry.trim() : this.choice[name];
    };
    const kind = data.get('kind') === 'openai-compatible' ? 'openai-compatible' : 'scripted';
    const hasFields = data.has('address');
    return {
      kind,
      address: text('address'),
      model: text('model'),
      key: text('key'),
      isKeyRemembered: hasFields ? data.has('isKeyRemembered') : this.choice.isKeyRemembered,
    };
  }

  readonly #changed = (): void => {
    this.choice = this.#read();
    this.announce<ModelChoice>('model-change', this.choice);
  };

  readonly #test = (event: SubmitEvent): void => {
    event.preventDefault();
    this.choice = this.#read();
    this.announce<ModelChoice>('model-change', this.choice);
    this.announce<ModelChoice>('endpoint-test', this.choice);
  };
}
