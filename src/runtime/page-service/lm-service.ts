/** The page's language model, asked from workers: the model and its key stay on the page. */
import { CodedError } from '../../base/index.ts';
import type { LanguageModel, LmRequest, LmStreamPart } from '../../lm/index.ts';
import type { PageService } from './page-service.ts';
import { unknownMethod } from './page-service.ts';

export const lmService = 'lm';

export interface LmServiceBody {
  readonly request: LmRequest;
  readonly timeoutMs?: number | undefined;
}

/** @param current the model of this moment; the page may exchange it between calls */
export function createLmService(current: () => LanguageModel | undefined): PageService {
  return async (call) => {
    const model = current();
    if (!model)
      throw new CodedError(
        'runtime/lm-missing',
        'the page has no language model; give the runtime one with setLm',
      );
    const { request, timeoutMs } = call.body as LmServiceBody;
    const options = { signal: call.signal, timeoutMs, span: call.span };
    if (call.method === 'lm-generate') return model.generate(request, options);
    if (call.method !== 'lm-stream') throw unknownMethod(lmService, call.method);
    for await (const part of model.stream(request, options)) {
      if (part.type === 'response-end') return part.response;
      if (!call.delta(part) || call.signal.aborted) break;
    }
    throw new CodedError('lm/response-invalid', `the stream of "${model.model}" ended without a response`);
  };
}

export type LmDelta = Exclude<LmStreamPart, { type: 'response-end' }>;
