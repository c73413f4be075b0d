/** The right of the page: the program as the runtime sees it. */
import type { TemplateResult } from 'lit';
import { html, nothing } from 'lit';
import type { ModelChoice, ParameterSetDetail, StorageAct } from '../../elements/index.ts';
import type { PlaygroundCommands, PlaygroundView } from './view.ts';

/** The supervision tree and the two ways to end its worker. */
export function treeSection(view: PlaygroundView, commands: PlaygroundCommands | undefined): TemplateResult {
  return html`<section class="panel" aria-labelledby="tree-title">
    <h2 id="tree-title">Supervision</h2>
    <vivarium-supervision-tree .nodes=${view.tree}></vivarium-supervision-tree>
    ${
      view.canStart
        ? html`<button class="primary" type="button" @click=${() => void commands?.startProgram()}>
            Start the program
          </button>`
        : nothing
    }
    <div class="kill" role="group" aria-labelledby="kill-title">
      <p id="kill-title"><strong>Kill this worker</strong></p>
      <p class="about">
        Both end it behind the runtime's back. Its supervisor notices, restarts the module, and the parameters
        are as they were.
      </p>
      <div class="actions">
        <button
          class="danger"
          type="button"
          ?disabled=${!view.isReady}
          @click=${() => commands?.killWorker('close')}
        >
          Close from inside
        </button>
        <button
          class="danger"
          type="button"
          ?disabled=${!view.isReady}
          @click=${() => commands?.killWorker('hang')}
        >
          Endless loop
        </button>
      </div>
    </div>
  </section>`;
}

/** Parameters with their history. */
export function parameterSection(
  view: PlaygroundView,
  commands: PlaygroundCommands | undefined,
): TemplateResult {
  return html`<section class="panel" aria-labelledby="parameters-title">
    <h2 id="parameters-title">Parameters</h2>
    <vivarium-parameter-history
      .parameters=${view.parameters}
      ?disabled=${view.source.state === 'applying'}
      @parameter-set=${({ detail }: CustomEvent<ParameterSetDetail>) =>
        commands?.setParameter(detail.name, detail.value)}
    ></vivarium-parameter-history>
  </section>`;
}

/** Which model answers. */
export function modelSection(view: PlaygroundView, commands: PlaygroundCommands | undefined): TemplateResult {
  return html`<section class="panel" aria-labelledby="model-title">
    <h2 id="model-title">Model</h2>
    <vivarium-model-settings
      .choice=${view.choice}
      .test=${view.endpointTest}
      @model-change=${({ detail }: CustomEvent<ModelChoice>) => commands?.chooseModel(detail)}
      @endpoint-test=${({ detail }: CustomEvent<ModelChoice>) => commands?.testEndpoint(detail)}
    ></vivarium-model-settings>
  </section>`;
}

/** What is kept, and the way back. */
export function storageSection(
  view: PlaygroundView,
  commands: PlaygroundCommands | undefined,
): TemplateResult {
  return html`<section class="panel" aria-labelledby="storage-title">
    <h2 id="storage-title">Storage</h2>
    <vivarium-storage
      .view=${view.storage}
      @storage-act=${({ detail }: CustomEvent<StorageAct>) => commands?.actOnStorage(detail)}
    ></vivarium-storage>
  </section>`;
}

/** What the page stands on. */
export function statusSection(view: PlaygroundView): TemplateResult {
  return html`<section class="panel" aria-labelledby="status-title">
    <h2 id="status-title">This page</h2>
    <vivarium-status .facts=${view.facts}></vivarium-status>
  </section>`;
}

/** The event stream. */
export function eventSection(view: PlaygroundView): TemplateResult {
  return html`<section class="panel" aria-labelledby="events-title">
    <h2 id="events-title">Events</h2>
    <p class="about">One typed stream: restarts, calls, model requests, sandbox runs.</p>
    <vivarium-event-log .events=${view.events}></vivarium-event-log>
  </section>`;
}
