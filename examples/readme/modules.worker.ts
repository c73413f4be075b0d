// modules.worker.ts — what runs in the worker
import { ChainOfThought, Module, Parameter } from 'vivarium';
import { serve } from 'vivarium/worker';

class Answer extends Module<{ question: string }, { answer: string }> {
  static readonly version = '1.0.0';
  readonly maxWords = new Parameter({ type: 'number', value: 40, constraints: { min: 1, max: 500 } });
  readonly write = new ChainOfThought('question, max_words: int -> answer');

  override async forward({ question }: { question: string }) {
    const { answer } = await this.write.call({ question, max_words: this.maxWords.value });
    return { answer };
  }
}

export const { modules } = serve({ answer: Answer });
