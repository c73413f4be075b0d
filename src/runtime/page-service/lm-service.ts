/** The page's language model, asked from workers: the model and its key stay on the page. */
import { CodedError } from '../../base/index.ts';
import { checkRequest } from '../../lm/index.ts';
import type { LanguageModel, LmRequest, LmStreamPart } from '../../lm/index.ts';
import type { PageService } from './page-service.ts';
import { checkBody, memberChecks, unknownMethod } from './page-service.ts';

export const lmService = 'lm';

export interface LmServiceBody {
  readonly request: LmRequest;
  readonly timeoutMs?: number | undefined;
}

const methods = ['lm-generate', 'lm-stream'];

/** @param current the model of this moment; the page may exchange it between calls */
export function createLmService(current: () => LanguageModel | undefined): PageService {
  return async (call) => {
    const model = current();
    if (!model)
      throw new CodedError(
        'runtime/lm-missing',
        'the page has no language model; give the runtime one with setLm',
      );
    if (!methods.includes(call.method)) throw unknownMethod(lmService, call.method);
    checkBody(lmService, call.body, { timeoutMs: memberChecks.timeLimit });
    const { request, timeoutMs } = call.body as LmServiceBody;
    checkRequest(model.model, request);
    const options = { signal: call.signal, timeoutMs, span: call.span };
    if (call.method === 'lm-generate') return model.generate(request, options);
    for await (const part of model.stream(request, options)) {
      if (part.type === 'response-end') return part.response;
      if (!call.delta(part) || call.signal.aborted) break;
    }
    throw new CodedError('lm/response-invalid', `the stream of "${model.model}" ended without a response`);
  };
}

export type LmDelta = Exclude<LmStreamPart, { type: 'response-end' }>;
