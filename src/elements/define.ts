/** Names the elements to the browser. Importing a class defines nothing, so bundlers may drop what is not used. */
import { VivariumDataTable } from './vivarium-data-table.ts';
import { VivariumEventLog } from './vivarium-event-log.ts';
import { VivariumModelSettings } from './vivarium-model-settings.ts';
import { VivariumNotice } from './vivarium-notice.ts';
import { VivariumOutcome } from './vivarium-outcome.ts';
import { VivariumParameterHistory } from './vivarium-parameter-history.ts';
import { VivariumStatus } from './vivarium-status.ts';
import { VivariumSupervisionTree } from './vivarium-supervision-tree.ts';

type ElementClass = CustomElementConstructor & { readonly tag: string };

const light: readonly ElementClass[] = [
  VivariumDataTable,
  VivariumEventLog,
  VivariumModelSettings,
  VivariumNotice,
  VivariumOutcome,
  VivariumParameterHistory,
  VivariumStatus,
  VivariumSupervisionTree,
];

/** The editor and the charts bring large packages, and storage is below them: a page shows before they are there. */
async function loadHeavy(): Promise<readonly ElementClass[]> {
  const [{ VivariumCodeEditor }, { VivariumCorrelationPlot }, { VivariumScatterPlot }, { VivariumStorage }] =
    await Promise.all([
      import('./vivarium-code-editor.ts'),
      import('./vivarium-correlation-plot.ts'),
      import('./vivarium-scatter-plot.ts'),
      import('./vivarium-storage.ts'),
    ]);
  return [VivariumCodeEditor, VivariumCorrelationPlot, VivariumScatterPlot, VivariumStorage];
}

function defineAll(registry: CustomElementRegistry, elements: readonly ElementClass[]): void {
  for (const element of elements) if (!registry.get(element.tag)) registry.define(element.tag, element);
}

/**
 * Defines every element under its own `tag`: most at once, editor, charts and storage when their code has arrived, which the
 * promise waits for. A name that is taken, by this or another copy, is left as it is.
 */
export async function defineElements(registry: CustomElementRegistry = customElements): Promise<void> {
  defineAll(registry, light);
  defineAll(registry, await loadHeavy());
}
