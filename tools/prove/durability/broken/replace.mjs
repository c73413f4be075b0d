// A good store with some methods replaced by bad ones.

/** @param {any} inner @param {Record<string, unknown>} bad */
export function replaceIn(inner, bad) {
  return new Proxy(inner, {
    get(target, property) {
      const member = Reflect.get(property in bad ? bad : target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
