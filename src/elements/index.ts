export { adoptControls, sharedControls } from './control-styles.ts';
export { defineElements } from './define.ts';
export type { TreeNode, TreeStatus } from './supervision-node.ts';
export { numberPattern, withCell } from './table.ts';
export type { Cell, Table, TableColumn } from './table.ts';
export { adoptTokens } from './tokens.ts';
export type { CodeProblem, EditorLanguage } from './vivarium-code-editor.ts';
export type { CellEditDetail } from './vivarium-data-table.ts';
export type { EndpointTest, ModelChoice } from './vivarium-model-settings.ts';
export type { Notice, NoticeLevel } from './vivarium-notice.ts';
export type { OutcomeAttempt, OutcomeView } from './vivarium-outcome.ts';
export type { ParameterChange, ParameterSetDetail, ParameterView } from './vivarium-parameter-history.ts';
export type { ScatterPoint } from './vivarium-scatter-plot.ts';
export type { StatusFact } from './vivarium-status.ts';
export { unknownStorage } from './storage-view.ts';
export type {
  StorageAct,
  StorageChange,
  StoragePreview,
  StorageSnapshot,
  StorageView,
} from './storage-view.ts';
