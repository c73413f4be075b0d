import { Module, Parameter, Predict } from 'vivarium';
import type { Run } from 'vivarium';

/** Answers a question and signs it. */
export class QA extends Module<{ question: string }, { answer: string }> {
  static readonly version = '1.0.0';

  answer = new Predict('question -> answer');
  signature = new Parameter({ type: 'string', value: 'QA' });

  override async forward({ question }: { question: string }, _run: Run): Promise<{ answer: string }> {
    const { answer } = await this.answer.call({ question });
    return { answer: `${answer} (${this.signature.value})` };
  }
}
