/** placeholder while the runtime is wired */
import type { PlaygroundCommands, PlaygroundView } from './view.ts';
import { TableControl } from './table-control.ts';
import { ViewState } from './view-state.ts';

export class PlaygroundSession implements PlaygroundCommands {
  readonly #state: ViewState;
  readonly #table: TableControl;
  constructor(listener: (view: PlaygroundView) => void) {
    this.#state = new ViewState(listener);
    this.#table = new TableControl(this.#state, () => undefined);
  }
  async open(): Promise<void> {
    await this.#table.loadExample();
    this.#state.update({
      isReady: true,
      tree: [
        {
          id: 's',
          label: 'supervisor-1',
          kind: 'supervisor',
          status: 'running',
          restartsLeft: 2,
          detail: 'one for one',
          children: [
            {
              id: 'w',
              label: 'worker-1',
              kind: 'worker',
              status: 'running',
              children: [
                {
                  id: 'm',
                  label: 'ask-table',
                  kind: 'module',
                  status: 'restarting',
                  restarts: 1,
                  mailbox: 0,
                },
              ],
            },
          ],
        },
      ],
      parameters: [
        {
          name: 'sampleRows',
          type: 'number',
          value: 5,
          constraints: ['min 1', 'max 50'],
          description: 'Rows the model sees',
          history: [{ atMs: 1, value: 4, cause: 'set' }],
        },
        {
          name: 'temperature',
          type: 'number',
          value: 0,
          constraints: ['min 0', 'max 2'],
          history: [],
          refusal: { code: 'program/constraint-violated', message: 'at most 2' },
        },
      ],
      facts: [
        { name: 'Storage', value: 'IndexedDB, strict', level: 'ok', detail: 'Flush asked for' },
        { name: 'Used', value: '1 MB of 10 GB', level: 'ok', ratio: 0.1 },
        { name: 'Device', value: 'cpu', level: 'warning', detail: 'no WebGPU' },
      ],
      numbers: {
        labels: ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g'],
        matrix: [
          [1, -0.23, 0.65, 0.59],
          [-0.23, 1, -0.58, -0.47],
          [0.65, -0.58, 1, 0.87],
          [0.59, -0.47, 0.87, 1],
        ],
        device: 'wasm',
        rows: 342,
      },
      scatter: {
        x: 'flipper_length_mm',
        y: 'body_mass_g',
        group: 'species',
        points: this.#state.current.table.rows
          .filter((r) => r[4] !== null)
          .map((r) => ({ x: r[4] as number, y: r[5] as number, group: r[0] as string })),
      },
      outcome: {
        state: 'done',
        question: 'Which?',
        answer: 'Gentoo penguins are the heaviest: 5076 g on average, 1343 g more than Chinstrap.',
        source: 'Scripted model',
        code: 'groups = {}\nfor row in rows:\n    pass',
        stdout: 'Adelie 3700\n',
        result: '{"a": 1}',
        durationMs: 1234,
        attempts: [{ code: 'x', error: 'TypeError' }],
      },
      source: { text: 'class A {}\n', original: '', state: 'original' },
    });
  }
  askQuestion(): void {}
  stopRun(): void {}
  editQuestion(question: string): void {
    this.#state.update({ question });
  }
  loadFile(file: Blob & { readonly name?: string }): void {
    void this.#table.loadFile(file);
  }
  loadExample(): void {
    void this.#table.loadExample();
  }
  editCell(r: number, c: number, v: string | number | null): void {
    this.#table.editCell(r, c, v);
  }
  chooseAxes(): void {}
  setParameter(): void {}
  chooseModel(choice: PlaygroundView['choice']): void {
    this.#state.update({ choice });
  }
  testEndpoint(): void {}
  editSource(): void {}
  applySource(): void {}
  resetSource(): void {}
  killWorker(): void {}
  dismissNotice(): void {}
}
