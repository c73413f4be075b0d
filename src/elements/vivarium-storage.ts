/** What is kept, how safely, and the way back: room, snapshots, any earlier time, one file. */
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { shownTime } from './shown-time.ts';
import { storageStyles } from './storage-styles.ts';
import { unknownStorage } from './storage-view.ts';
import type { StorageAct, StorageChange, StorageSnapshot, StorageView } from './storage-view.ts';
import { levelAdvice, shownBytes, toLocalInput, usageWords } from './storage-words.ts';
import { controls, VivariumElement } from './vivarium-element.ts';

/** `<vivarium-storage>`: shows a {@link StorageView}, and fires `storage-act` with a {@link StorageAct}. */
export class VivariumStorage extends VivariumElement {
  static readonly tag: string = 'vivarium-storage';
  static override properties: PropertyDeclarations = { view: { attribute: false } };
  static override styles: CSSResultGroup = [controls, storageStyles];

  declare view: StorageView;

  constructor() {
    super();
    this.view = unknownStorage;
  }

  override render(): TemplateResult {
    const { view } = this;
    return html`<div class="all">
      ${this.#room()} ${this.#preview()} ${this.#snapshots()} ${this.#times()} ${this.#files()}
      <p class="news" role="status">${view.isBusy ? 'Working…' : view.news}</p>
      <vivarium-notice .notice=${view.error}></vivarium-notice>
    </div>`;
  }

  override updated(changed: PropertyValues<this>): void {
    const before = changed.get('view');
    if (!before) return;
    const { preview } = this.view;
    if (preview && preview !== before.preview) this.#focus('#preview-title');
    // the buttons that had the focus are gone
    else if (before.preview && !preview) this.#focus('#snapshots-title');
  }

  #focus(selector: string): void {
    this.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }

  #act(detail: StorageAct): void {
    this.announce<StorageAct>('storage-act', detail);
  }

  #room(): TemplateResult {
    const { level, usageBytes, quotaBytes, isDurable, isPersisted, isBusy } = this.view;
    const advice = levelAdvice[level];
    const safety = isPersisted
      ? 'The browser promised not to evict it.'
      : 'The browser may evict it when space is short.';
    return html`<section aria-label="Room" data-level=${level}>
      ${
        usageBytes === undefined || !quotaBytes
          ? nothing
          : html`<meter
              min="0"
              max="1"
              high="0.8"
              .value=${usageBytes / quotaBytes}
              aria-label="Storage used"
            ></meter>`
      }
      <p>${usageWords(usageBytes, quotaBytes)} ${isDurable ? safety : 'Nothing outlives this page.'}</p>
      ${
        isDurable && !isPersisted
          ? html`<div>
              <button type="button" ?disabled=${isBusy} @click=${() => this.#act({ act: 'persist' })}>
                Ask to keep it
              </button>
            </div>`
          : nothing
      }
      <vivarium-notice
        level=${level === 'full' ? 'error' : 'warning'}
        .notice=${advice === undefined ? undefined : { message: advice }}
      ></vivarium-notice>
    </section>`;
  }

  #snapshots(): TemplateResult {
    const { snapshots, isBusy } = this.view;
    const take = (event: SubmitEvent): void => {
      event.preventDefault();
      const input = (event.target as HTMLFormElement).elements.namedItem('name') as HTMLInputElement;
      const name = input.value.trim();
      if (name === '' || isBusy) return;
      input.value = '';
      this.#act({ act: 'take', name });
    };
    return html`<section aria-labelledby="snapshots-title">
      <h3 id="snapshots-title" tabindex="-1">Snapshots</h3>
      <form @submit=${take}>
        <label for="name">Name of a new snapshot</label>
        <div class="row">
          <input id="name" name="name" required maxlength="200" autocomplete="off" />
          <button type="submit" ?disabled=${isBusy}>Take a snapshot</button>
        </div>
      </form>
      ${
        snapshots.length === 0
          ? html`<p class="muted small">None yet. One keeps every parameter and what the program learned.</p>`
          : html`<ul class="snapshots" aria-label="Snapshots" tabindex="0">
              ${repeat(
                snapshots,
                ({ name }) => name,
                (snapshot) => this.#snapshot(snapshot),
              )}
            </ul>`
      }
    </section>`;
  }

  #snapshot({ name, atMs, sizeBytes }: StorageSnapshot): TemplateResult {
    const { isBusy } = this.view;
    const button = (label: string, detail: StorageAct, kind = ''): TemplateResult =>
      html`<button
        class=${kind}
        type="button"
        ?disabled=${isBusy}
        aria-label="${label} ${name}"
        @click=${() => this.#act(detail)}
      >
        ${label}
      </button>`;
    return html`<li>
      <strong>${name}</strong>
      <span class="muted small">${shownTime(atMs)} · ${shownBytes(sizeBytes)}</span>
      <span class="row">
        ${button('Compare', { act: 'preview', source: name })} ${button('Export', { act: 'export', name })}
        ${button('Delete', { act: 'delete', name }, 'danger')}
      </span>
    </li>`;
  }

  #preview(): TemplateResult | typeof nothing {
    const { preview, isBusy } = this.view;
    if (!preview) return nothing;
    const { source, changes, total } = preview;
    const then = typeof source === 'string' ? `“${source}”` : shownTime(source);
    return html`<section class="preview" aria-labelledby="preview-title">
      <h3 id="preview-title" tabindex="-1">Go back to ${then}?</h3>
      ${
        total === 0
          ? html`<p>Nothing is different: there is nothing to restore.</p>`
          : html`<p>
                ${total === 1 ? 'One thing changes.' : `${total} things change.`} The program keeps running.
              </p>
              ${changeTable(changes)}`
      }
      ${total > changes.length ? html`<p class="small">${total - changes.length} more are not shown.</p>` : nothing}
      <div class="row">
        <button
          class="primary"
          type="button"
          ?disabled=${isBusy || total === 0}
          @click=${() => this.#act({ act: 'restore', source })}
        >
          Restore
        </button>
        <button type="button" @click=${() => this.#act({ act: 'cancel' })}>Cancel</button>
      </div>
    </section>`;
  }

  #times(): TemplateResult {
    const { earliestMs, isBusy } = this.view;
    if (earliestMs === undefined)
      return html`<p class="muted small">Earlier times are not kept here; snapshots are.</p>`;
    const show = (event: SubmitEvent): void => {
      event.preventDefault();
      const input = (event.target as HTMLFormElement).elements.namedItem('time') as HTMLInputElement;
      const source = new Date(input.value).getTime();
      if (!Number.isNaN(source)) this.#act({ act: 'preview', source });
    };
    return html`<section aria-labelledby="time-title">
      <h3 id="time-title">Any earlier time</h3>
      <form novalidate @submit=${show}>
        <label for="time">Date and time, from ${shownTime(earliestMs)} on</label>
        <div class="row">
          <input
            id="time"
            name="time"
            type="datetime-local"
            step="1"
            min=${toLocalInput(earliestMs)}
            required
          />
          <button type="submit" ?disabled=${isBusy}>Compare with now</button>
        </div>
      </form>
    </section>`;
  }

  #files(): TemplateResult {
    const { isBusy } = this.view;
    const pick = ({ target }: Event): void => {
      const input = target as HTMLInputElement;
      const file = input.files?.[0];
      if (file) this.#act({ act: 'import', file });
      // the same file may be picked again
      input.value = '';
    };
    return html`<section aria-labelledby="file-title">
      <h3 id="file-title">One file</h3>
      <p class="muted small">
        Parameters, their history and what the program learned. No key of a model, and no table.
      </p>
      <div class="row">
        <button type="button" ?disabled=${isBusy} @click=${() => this.#act({ act: 'export-now' })}>
          Export everything
        </button>
        <label class="button">
          Import a file
          <input class="hidden" type="file" accept=".vivarium" ?disabled=${isBusy} @change=${pick} />
        </label>
      </div>
    </section>`;
  }
}

function changeTable(changes: readonly StorageChange[]): TemplateResult {
  return html`<div class="changes" tabindex="0" role="group" aria-label="What changes">
    <table>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Now</th>
          <th scope="col">Then</th>
        </tr>
      </thead>
      <tbody>
        ${changes.map(
          ({ what, present, past }) =>
            html`<tr>
              <th scope="row">${what}</th>
              <td>${present}</td>
              <td>${past}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
