/** A code editor for TypeScript and Python. Tab leaves it, as the keyboard's users need; Mod-[ and Mod-] indent. */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { python } from '@codemirror/lang-python';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { Compartment, EditorState, StateEffect, StateField } from '@codemirror/state';
import type { DecorationSet } from '@codemirror/view';
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { editorTheme } from './editor-theme.ts';
import { controls, VivariumElement } from './vivarium-element.ts';

export type EditorLanguage = 'typescript' | 'python';

/** Where the code is wrong. Line and column count from 1. */
export interface CodeProblem {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

const markLine = StateEffect.define<number | undefined>();
const wrongLine = Decoration.line({ class: 'cm-wrong-line' });

const wrongLines = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(markLine)) continue;
      const line = effect.value;
      const exists = line !== undefined && line >= 1 && line <= transaction.state.doc.lines;
      next = exists
        ? Decoration.set(wrongLine.range(transaction.state.doc.line(line).from))
        : Decoration.none;
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const languages: Readonly<Record<EditorLanguage, () => Extension>> = {
  typescript: () => javascript({ typescript: true }),
  python,
};

/** `<vivarium-code-editor>`: fires `code-change` with the text. */
export class VivariumCodeEditor extends VivariumElement {
  static readonly tag: string = 'vivarium-code-editor';
  static override properties: PropertyDeclarations = {
    value: { attribute: false },
    language: {},
    label: {},
    isReadonly: { type: Boolean, attribute: 'readonly' },
    problem: { attribute: false },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      .frame {
        overflow: hidden;
        border: 1px solid var(--vivarium-line);
        border-radius: var(--vivarium-radius-s);
      }
      .cm-editor {
        min-height: 12rem;
        max-height: var(--vivarium-editor-height, 32rem);
      }
      .problem {
        margin-top: var(--vivarium-space-2);
        color: var(--vivarium-danger);
        white-space: pre-wrap;
      }
    `,
  ];

  declare value: string;
  declare language: EditorLanguage;
  declare label: string;
  declare isReadonly: boolean;
  declare problem: CodeProblem | undefined;
  #view: EditorView | undefined;
  readonly #configuration: Compartment = new Compartment();

  constructor() {
    super();
    this.value = '';
    this.language = 'typescript';
    this.label = 'Code';
    this.isReadonly = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#view?.destroy();
    this.#view = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#open();
  }

  override firstUpdated(): void {
    this.#open();
  }

  override updated(changed: PropertyValues<this>): void {
    const view = this.#view;
    if (!view) return;
    if (changed.has('value') && this.value !== view.state.doc.toString())
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: this.value } });
    if (changed.has('language') || changed.has('isReadonly') || changed.has('label'))
      view.dispatch({ effects: this.#configuration.reconfigure(this.#settings()) });
    if (changed.has('problem')) this.#mark(view);
  }

  override render(): TemplateResult {
    const { problem } = this;
    return html`
      <div class="frame"></div>
      <div role="alert">
        ${problem ? html`<p class="problem">${place(problem)}${problem.message}</p>` : nothing}
      </div>
    `;
  }

  #open(): void {
    const parent = this.renderRoot.querySelector('.frame');
    if (!parent || this.#view) return;
    this.#view = new EditorView({
      parent,
      root: this.renderRoot as ShadowRoot,
      state: EditorState.create({
        doc: this.value,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          wrongLines,
          editorTheme,
          EditorView.updateListener.of((update) => {
            if (update.docChanged) this.#changed(update.state.doc.toString());
          }),
          this.#configuration.of(this.#settings()),
        ],
      }),
    });
    this.#mark(this.#view);
  }

  #settings(): Extension {
    return [
      languages[this.language](),
      EditorState.readOnly.of(this.isReadonly),
      EditorView.contentAttributes.of({ 'aria-label': this.label }),
    ];
  }

  #mark(view: EditorView): void {
    const line = this.problem?.line;
    view.dispatch({ effects: markLine.of(line) });
    if (line === undefined || line < 1 || line > view.state.doc.lines) return;
    view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.line(line).from, { y: 'center' }) });
  }

  #changed(text: string): void {
    if (text === this.value) return;
    this.value = text;
    this.announce<string>('code-change', text);
  }
}

function place({ line, column }: CodeProblem): TemplateResult | typeof nothing {
  if (line === undefined) return nothing;
  return html`<strong>Line ${line}${column === undefined ? '' : `, column ${column}`}: </strong>`;
}
