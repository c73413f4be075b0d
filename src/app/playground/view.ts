/** What the page shows, as plain data, and what its reader can ask for. */
import type {
  Cell,
  CodeProblem,
  EndpointTest,
  ModelChoice,
  Notice,
  NoticeLevel,
  OutcomeView,
  ParameterView,
  ScatterPoint,
  StatusFact,
  StorageAct,
  StorageView,
  Table,
  TreeNode,
} from '../../elements/index.ts';
import { unknownStorage } from '../../elements/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';

/** What a notice's button does. */
export type NoticeAction = 'work-on-copy';

export interface PageNotice {
  readonly id: string;
  readonly level: NoticeLevel;
  readonly notice: Notice;
  readonly action?: NoticeAction;
}

export interface NumbersView {
  readonly labels: readonly string[];
  readonly matrix: readonly (readonly number[])[];
  /** Which device computed it. */
  readonly device: string;
  readonly rows: number;
  readonly error?: Notice;
}

export interface ScatterView {
  readonly x: string;
  readonly y: string;
  readonly group: string | undefined;
  readonly points: readonly ScatterPoint[];
}

export interface SourceView {
  readonly text: string;
  readonly original: string;
  /** `down`: neither the edit nor the module before it started, so nothing serves. */
  readonly state: 'original' | 'edited' | 'applying' | 'applied' | 'failed' | 'down';
  readonly problem?: CodeProblem;
}

export interface PlaygroundView {
  /** Set when this tab works on a copy of its own. */
  readonly copyId?: string;
  /** The program takes questions. */
  readonly isReady: boolean;
  /** The program does not run and can be started. */
  readonly canStart: boolean;
  readonly notices: readonly PageNotice[];
  readonly table: Table;
  readonly tableName: string;
  readonly editedCells: ReadonlySet<string>;
  readonly tableError?: Notice;
  readonly isLoading: boolean;
  readonly question: string;
  readonly prepared: readonly string[];
  readonly outcome: OutcomeView;
  readonly numbers?: NumbersView;
  readonly scatter?: ScatterView;
  readonly tree: readonly TreeNode[];
  readonly parameters: readonly ParameterView[];
  readonly choice: ModelChoice;
  readonly endpointTest: EndpointTest;
  readonly facts: readonly StatusFact[];
  readonly storage: StorageView;
  readonly source: SourceView;
  readonly events: readonly StampedEvent[];
}

/** Everything a reader can do. Failures end up in the view, never in the caller. */
export interface PlaygroundCommands {
  startProgram(): Promise<void>;
  askQuestion(question: string): void;
  stopRun(): void;
  editQuestion(question: string): void;
  loadFile(file: Blob & { readonly name?: string }): void;
  loadExample(): void;
  editCell(row: number, column: number, value: Cell): void;
  chooseAxes(axes: { readonly x?: string; readonly y?: string }): void;
  setParameter(name: string, value: unknown): void;
  chooseModel(choice: ModelChoice): void;
  testEndpoint(choice: ModelChoice): void;
  editSource(text: string): void;
  applySource(): void;
  resetSource(): void;
  killWorker(way: 'close' | 'hang'): void;
  actOnStorage(act: StorageAct): void;
  dismissNotice(id: string): void;
  /** Copies the state that another tab owns and goes on with the copy. */
  workOnCopy(): void;
}

/** The page before anything has started. */
export const emptyView: PlaygroundView = {
  isReady: false,
  canStart: false,
  notices: [],
  table: { columns: [], rows: [] },
  tableName: '',
  editedCells: new Set(),
  isLoading: true,
  question: '',
  prepared: [],
  outcome: { state: 'idle' },
  tree: [],
  parameters: [],
  choice: { kind: 'scripted', address: '', model: '', key: '', isKeyRemembered: false },
  endpointTest: { state: 'untested' },
  facts: [],
  storage: unknownStorage,
  source: { text: '', original: '', state: 'original' },
  events: [],
};
