/** Names the elements to the browser. Importing a class defines nothing, so bundlers may drop what is not used. */
import { VivariumCodeEditor } from './vivarium-code-editor.ts';
import { VivariumCorrelationPlot } from './vivarium-correlation-plot.ts';
import { VivariumDataTable } from './vivarium-data-table.ts';
import { VivariumEventLog } from './vivarium-event-log.ts';
import { VivariumModelSettings } from './vivarium-model-settings.ts';
import { VivariumNotice } from './vivarium-notice.ts';
import { VivariumOutcome } from './vivarium-outcome.ts';
import { VivariumParameterHistory } from './vivarium-parameter-history.ts';
import { VivariumScatterPlot } from './vivarium-scatter-plot.ts';
import { VivariumStatus } from './vivarium-status.ts';
import { VivariumSupervisionTree } from './vivarium-supervision-tree.ts';

const elements = [
  VivariumCodeEditor,
  VivariumCorrelationPlot,
  VivariumDataTable,
  VivariumEventLog,
  VivariumModelSettings,
  VivariumNotice,
  VivariumOutcome,
  VivariumParameterHistory,
  VivariumScatterPlot,
  VivariumStatus,
  VivariumSupervisionTree,
];

/** Defines every element under its own `tag`. A name that is taken, by this or another copy, is left as it is. */
export function defineElements(registry: CustomElementRegistry = customElements): void {
  for (const element of elements) if (!registry.get(element.tag)) registry.define(element.tag, element);
}
