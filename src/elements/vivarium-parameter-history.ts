/** The parameters of a program: value, constraints, who changed what when, and a form to change them. */
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { shownTime } from './shown-time.ts';
import { controls, VivariumElement } from './vivarium-element.ts';
import type { Notice } from './vivarium-notice.ts';

export interface ParameterChange {
  /** Wall-clock milliseconds since 1970. */
  readonly atMs: number;
  readonly value: unknown;
  /** What changed it: `set`, `restore`, an optimizer's name. */
  readonly cause: string;
}

export interface ParameterView {
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
  /** What the parameter is for, in one sentence. */
  readonly description?: string;
  /** Constraints in words, such as `min 1`. */
  readonly constraints: readonly string[];
  /** Oldest first. */
  readonly history: readonly ParameterChange[];
  /** Why the last change was refused. */
  readonly refusal?: Notice;
  readonly isSaving?: boolean;
}

/** Detail of `parameter-set`. */
export interface ParameterSetDetail {
  readonly name: string;
  readonly value: unknown;
}

/** The value a field's text stands for, by the parameter's type; text that cannot be read throws a plain sentence. */
export function parseParameterText(type: string, text: string): unknown {
  if (type === 'string') return text;
  if (type === 'boolean') return text === 'true';
  if (type === 'number') {
    const value = Number(text.trim());
    if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`“${text}” is not a number.`);
    return value;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error('This is not JSON: a list looks like [1, 2], a map like {"a": 1}.');
  }
}

const show = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? '–'));

/** `<vivarium-parameter-history>`: fires `parameter-set` with name and value. */
export class VivariumParameterHistory extends VivariumElement {
  static readonly tag: string = 'vivarium-parameter-history';
  static override properties: PropertyDeclarations = {
    parameters: { attribute: false },
    isDisabled: { type: Boolean, attribute: 'disabled' },
    unreadable: { state: true },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      li.parameter + li.parameter {
        margin-top: var(--vivarium-space-5);
      }
      form {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: var(--vivarium-space-1) var(--vivarium-space-2);
      }
      .head,
      .about,
      .refusal {
        grid-column: 1 / -1;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--vivarium-space-2);
        align-items: baseline;
      }
      input {
        font-variant-numeric: tabular-nums;
      }
      .refusal {
        color: var(--vivarium-danger);
        font-size: var(--vivarium-text-s);
      }
      details {
        margin-top: var(--vivarium-space-2);
        font-size: var(--vivarium-text-s);
      }
      summary {
        color: var(--vivarium-muted);
      }
      table {
        width: 100%;
        margin-top: var(--vivarium-space-1);
        border-collapse: collapse;
        font-variant-numeric: tabular-nums;
      }
      th,
      td {
        padding: var(--vivarium-space-1) var(--vivarium-space-2) var(--vivarium-space-1) 0;
        border-bottom: 1px solid var(--vivarium-line);
        text-align: left;
        overflow-wrap: anywhere;
      }
      th {
        color: var(--vivarium-muted);
        font-weight: 500;
      }
    `,
  ];

  declare parameters: readonly ParameterView[];
  /** Nothing can be set now. */
  declare isDisabled: boolean;
  /** Text that could not be read, by parameter name. */
  declare unreadable: Readonly<Record<string, string>>;

  constructor() {
    super();
    this.parameters = [];
    this.isDisabled = false;
    this.unreadable = {};
  }

  override render(): TemplateResult {
    if (this.parameters.length === 0) return html`<p class="muted">No parameters yet.</p>`;
    return html`<ul>
      ${this.parameters.map((parameter) => this.#parameter(parameter))}
    </ul>`;
  }

  #parameter(parameter: ParameterView): TemplateResult {
    const { name, type, description, constraints, isSaving } = parameter;
    const refusal = this.unreadable[name] ?? parameter.refusal?.message;
    const about = [description, constraints.join(', ')].filter(Boolean).join(' · ');
    return html`<li class="parameter" data-parameter=${name}>
      <form @submit=${(event: SubmitEvent) => this.#submit(event, parameter)}>
        <span class="head">
          <label for="field-${name}">${name}</label>
          <span class="muted small">${type}</span>
        </span>
        ${this.#field(parameter, refusal !== undefined)}
        <button type="submit" ?disabled=${this.isDisabled || (isSaving ?? false)}>
          ${isSaving ? 'Saving…' : 'Set'}
        </button>
        <p class="about muted small" id="about-${name}">${about}</p>
        <p class="refusal" role="alert" id="refusal-${name}">
          ${refusal ?? nothing}
          ${
            parameter.refusal && !this.unreadable[name]
              ? html`<br />${parameter.refusal.next ?? nothing}
                  <code>${parameter.refusal.code ?? nothing}</code>`
              : nothing
          }
        </p>
      </form>
      ${this.#history(parameter)}
    </li>`;
  }

  #field({ name, type, value }: ParameterView, isInvalid: boolean): TemplateResult {
    if (type === 'boolean')
      return html`<select id="field-${name}" name="value" .value=${String(value)}>
        <option value="true" ?selected=${value === true}>true</option>
        <option value="false" ?selected=${value !== true}>false</option>
      </select>`;
    return html`<input
      id="field-${name}"
      name="value"
      inputmode=${type === 'number' ? 'decimal' : 'text'}
      autocomplete="off"
      .value=${show(value)}
      aria-invalid=${isInvalid}
      aria-describedby="about-${name} refusal-${name}"
    />`;
  }

  #history({ name, history }: ParameterView): TemplateResult {
    if (history.length === 0) return html`<p class="muted small">Not changed yet.</p>`;
    const count = history.length === 1 ? '1 change' : `${history.length} changes`;
    return html`<details>
      <summary>${count}</summary>
      <table aria-label="History of ${name}">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Value</th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          ${history.toReversed().map(
            ({ atMs, value, cause }) =>
              html`<tr>
                <td>${shownTime(atMs)}</td>
                <td>${show(value)}</td>
                <td>${cause}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
  }

  #submit(event: SubmitEvent, { name, type }: ParameterView): void {
    event.preventDefault();
    if (this.isDisabled) return;
    const entry = new FormData(event.target as HTMLFormElement).get('value');
    const text = typeof entry === 'string' ? entry : '';
    try {
      const value = parseParameterText(type, text);
      const { [name]: _cleared, ...rest } = this.unreadable;
      this.unreadable = rest;
      this.announce<ParameterSetDetail>('parameter-set', { name, value });
    } catch (error) {
      this.unreadable = { ...this.unreadable, [name]: (error as Error).message };
    }
  }
}
