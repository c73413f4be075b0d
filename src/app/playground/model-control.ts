/** Which model answers. The key stays in memory unless its owner ticks the box. */
import type { EndpointTest, ModelChoice } from '../../elements/index.ts';
import { openAiCompatible, testEndpoint } from '../../lm/index.ts';
import type { EndpointReport, LanguageModel } from '../../lm/index.ts';
import type { Store } from '../../state/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { modelChoiceKey } from './kept-keys.ts';
import { nextStep, toNotice } from './next-step.ts';
import type { Services } from './services.ts';
import { createScriptedModel } from './scripted-model.ts';
import type { ViewState } from './view-state.ts';

/** Gives the runtime its model and tests endpoints. */
export class ModelControl {
  readonly #state: ViewState;
  readonly #services: Services;
  readonly #hub: Hub;
  /** Why the chosen model cannot be used; a question is refused with it. */
  #refusal: unknown;
  /** Counts choices and tests: what a test of an older choice says is not shown beside a newer one. */
  #round = 0;
  #isOwner = false;
  /** The latest choice that is not in the store. */
  #unkept: ModelChoice | undefined;

  constructor(state: ViewState, services: Services, hub: Hub) {
    this.#state = state;
    this.#services = services;
    this.#hub = hub;
  }

  /** Undefined when the model can be asked. */
  get refusal(): unknown {
    return this.#refusal;
  }

  /** Takes up the choice of an earlier page; one that cannot be read leaves a notice. */
  async restore(): Promise<void> {
    try {
      const entry = await this.#store.get<ModelChoice>(modelChoiceKey);
      if (entry) this.#state.update({ choice: entry.value });
    } catch (error) {
      this.#state.notify('model-choice', error, 'warning');
    }
    this.#use(this.#state.current.choice);
  }

  async choose(choice: ModelChoice): Promise<void> {
    this.#round += 1;
    this.#state.update({ choice, endpointTest: { state: 'untested' } });
    this.#use(choice);
    this.#unkept = choice;
    await this.#keep();
  }

  /** The program has started here, so the store is this tab's: what was chosen while it waited is kept now. */
  async noteStart(): Promise<void> {
    this.#isOwner = true;
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const choice = this.#unkept;
    if (!this.#isOwner || choice === undefined) return;
    this.#unkept = undefined;
    const kept = choice.isKeyRemembered ? choice : { ...choice, key: '' };
    try {
      await this.#store.commit([{ type: 'put', key: modelChoiceKey, value: kept }]);
    } catch (error) {
      this.#state.notify('model-choice', error, 'warning');
    }
  }

  async test(choice: ModelChoice): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    this.#state.update({ endpointTest: { state: 'running' } });
    const endpointTest = await this.#try(choice);
    if (round === this.#round) this.#state.update({ endpointTest });
  }

  async #try(choice: ModelChoice): Promise<EndpointTest> {
    try {
      const report = await testEndpoint(this.#create(choice));
      return report.error ? failure(report, report.error) : { state: 'passed', message: praise(report) };
    } catch (error) {
      return { state: 'failed', error: toNotice(error) };
    }
  }

  get #store(): Store {
    return this.#services.store;
  }

  #use(choice: ModelChoice): void {
    this.#refusal = undefined;
    try {
      this.#services.runtime.setLm(this.#create(choice));
    } catch (error) {
      // never silently the scripted model when another was chosen
      this.#services.runtime.setLm(undefined);
      this.#refusal = error;
    }
  }

  #create(choice: ModelChoice): LanguageModel {
    if (choice.kind === 'scripted') return createScriptedModel(this.#hub);
    return openAiCompatible({
      baseUrl: choice.address,
      model: choice.model,
      apiKey: choice.key,
      hub: this.#hub,
    });
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function praise({ answeredBy, latencyMs, streaming }: EndpointReport): string {
  const facts = [
    `${answeredBy ?? 'The endpoint'} answered`,
    latencyMs === null ? undefined : `in ${seconds(latencyMs)}`,
    streaming === 'ok' ? 'and it streams.' : 'It does not stream: answers come in one piece.',
  ];
  return facts.filter((fact) => fact !== undefined).join(' ');
}

function failure(report: EndpointReport, error: { readonly code: string; readonly message: string }) {
  const { reachable, cors, auth, modelKnown, answer, streaming } = report;
  const next = nextStep(error.code);
  const links = { reachable, cors, auth, modelKnown, answer, streaming };
  return {
    state: 'failed',
    error: { ...error, fields: links, ...(next === undefined ? {} : { next }) },
  } as const;
}
