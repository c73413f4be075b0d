import { Module, Parameter } from './node_modules/vivarium/dist/plain/vivarium.js';

/** The next version: it counts characters, and makes its limit out of what the version before had. */
export class Critic extends Module {
  static version = '1.1.0';

  static migrate(state, fromVersion) {
    const { maxWords, ...parameters } = state.parameters;
    if (fromVersion !== '1.0.0' || !maxWords) return state;
    const maxCharacters = { ...maxWords, value: maxWords.value * 6 };
    return { ...state, parameters: { ...parameters, maxCharacters } };
  }

  maxCharacters = new Parameter({ type: 'number', value: 60, constraints: { min: 1 } });

  async forward({ text }) {
    return { version: Critic.version, isFine: text.length <= this.maxCharacters.value };
  }
}
