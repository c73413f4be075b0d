/** The table with its file, and the program's source. */
import type { TemplateResult } from 'lit';
import { html, nothing } from 'lit';
import type { CellEditDetail } from '../../elements/index.ts';
import type { PlaygroundCommands, PlaygroundView, SourceView } from './view.ts';

/** The rows, a file picker and a place to drop a file. */
export function dataSection(view: PlaygroundView, commands: PlaygroundCommands | undefined): TemplateResult {
  return html`<section
    class="panel drop"
    aria-labelledby="data-title"
    @dragover=${(event: DragEvent) => {
      event.preventDefault();
      markDrop(event, true);
    }}
    @dragleave=${(event: DragEvent) => markDrop(event, false)}
    @drop=${(event: DragEvent) => {
      event.preventDefault();
      markDrop(event, false);
      const file = event.dataTransfer?.files[0];
      if (file) commands?.loadFile(file);
    }}
  >
    <div class="head">
      <h2 id="data-title">Data</h2>
      <div class="actions">
        <label class="button">
          Load a CSV
          <input
            class="hidden"
            type="file"
            accept=".csv,.tsv,text/csv,text/plain"
            @change=${(event: Event) => pickFile(event.target as HTMLInputElement, commands)}
          />
        </label>
        <button type="button" class="quiet" @click=${() => commands?.loadExample()}>Penguins again</button>
      </div>
    </div>
    <p class="about">
      ${view.isLoading ? 'Reading…' : html`<strong>${view.tableName}</strong>`}
      ${view.editedCells.size > 0 ? `· ${cells(view.editedCells.size)} edited here` : nothing} · drop a CSV
      anywhere in this box; up to 20 MB and 200,000 rows
    </p>
    <vivarium-notice
      .notice=${view.tableError}
      action=${view.tableError?.code === 'app/example-unavailable' ? 'Try again' : nothing}
      @notice-action=${() => commands?.loadExample()}
    ></vivarium-notice>
    <vivarium-data-table
      editable
      label="Rows of ${view.tableName}"
      .table=${view.table}
      .editedCells=${view.editedCells}
      @cell-edit=${({ detail }: CustomEvent<CellEditDetail>) =>
        commands?.editCell(detail.row, detail.column, detail.value)}
    ></vivarium-data-table>
  </section>`;
}

const cells = (count: number): string => (count === 1 ? '1 cell' : `${count} cells`);

function markDrop(event: DragEvent, isOver: boolean): void {
  (event.currentTarget as HTMLElement).classList.toggle('over', isOver);
}

function pickFile(input: HTMLInputElement, commands: PlaygroundCommands | undefined): void {
  const file = input.files?.[0];
  if (file) commands?.loadFile(file);
  // the same file may be picked again after it was changed
  input.value = '';
}

const sourceWords: Readonly<Record<SourceView['state'], string>> = {
  original: 'As shipped.',
  edited: 'Edited, not yet applied.',
  applying: 'Applying…',
  applied: 'Your edit is running.',
  failed: 'Not applied. The module that was running keeps serving.',
  down: 'Not applied, and the module from before did not start again: nothing serves.',
};

/** The module's source and a way to change it while it runs. */
export function sourceSection(
  { source, isReady, outcome }: PlaygroundView,
  commands: PlaygroundCommands | undefined,
): TemplateResult {
  const isBusy = !isReady || outcome.state === 'running' || source.state === 'applying';
  return html`<section class="panel" aria-labelledby="source-title">
    <div class="head">
      <h2 id="source-title">The program</h2>
      <div class="actions">
        <span class="muted small" role="status" data-part="source-state">${sourceWords[source.state]}</span>
        <button type="button" class="quiet" ?disabled=${isBusy} @click=${() => commands?.resetSource()}>
          Reset to original
        </button>
        <button type="button" class="primary" ?disabled=${isBusy} @click=${() => commands?.applySource()}>
          Apply and rerun
        </button>
      </div>
    </div>
    <p class="about">
      <code>ask-table.ts</code>, the module that answers. It is yours to trust: an edited module runs in the
      worker with the program's rights, while the Python a model writes runs in the sandbox with none. Your
      edit is kept in this browser over a reload, until you reset it; apply it anew after one.
    </p>
    <vivarium-code-editor
      language="typescript"
      label="Source of ask-table.ts"
      .value=${source.text}
      .problem=${source.problem}
      @code-change=${({ detail }: CustomEvent<string>) => commands?.editSource(detail)}
    ></vivarium-code-editor>
  </section>`;
}
