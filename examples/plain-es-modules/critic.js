import { Module, Parameter } from './node_modules/vivarium/dist/plain/vivarium.js';

/** Says whether a text keeps to its length, in words. */
export class Critic extends Module {
  static version = '1.0.0';
  maxWords = new Parameter({ type: 'number', value: 10, constraints: { min: 1 } });

  async forward({ text }) {
    const words = text.split(/\s+/).length;
    return { version: Critic.version, isFine: words <= this.maxWords.value };
  }
}
