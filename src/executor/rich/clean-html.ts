/**
 * Writes a guest's HTML anew from what is known to lead nowhere: the frame's own rules do not stop hints for connections, nor a link that is clicked.
 * It makes nothing safe by itself: that is the frame's part. It is read as text, never as a document of the page: parsers of HTML can be made to
 * take a time that grows with the square of what they read. Every tag that comes out is one of these, has its attributes in quotation marks, and is
 * closed where it belongs: however a parser then understands it, it finds nothing else.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/u));

const html =
  words(`a abbr acronym address article aside b bdi bdo big blockquote br button caption center cite code col colgroup dd del details
  dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd label legend li main mark menu meter nav ol
  output p pre progress q rp rt ruby s samp section small span strike strong style sub summary sup table tbody td tfoot th thead time tr tt u ul
  var wbr`);
/** Nothing that changes attributes as time goes by: it could give a link its address back. */
const foreign =
  words(`circle clippath defs desc ellipse feblend fecolormatrix fecomponenttransfer fecomposite feconvolvematrix fediffuselighting
  fedisplacementmap fedistantlight fedropshadow feflood fefunca fefuncb fefuncg fefuncr fegaussianblur femerge femergenode femorphology feoffset
  fepointlight fespecularlighting fespotlight fetile feturbulence filter foreignobject g image line lineargradient marker mask metadata path pattern
  polygon polyline radialgradient rect stop svg switch symbol text textpath tspan use view math menclose merror mfenced mfrac mi mmultiscripts mn mo
  mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics`);
const empty = words('br col hr img input wbr');
/** Parsers begin these anew after each block that was closed round them. */
const formatting = words('a b big code em font i s small strike strong tt u');
/** What is in them is no text to be seen. */
const unseen = words('iframe noembed noframes noscript script template textarea title xmp');

/** Attributes with an address, wherever they stand. */
const addressed =
  words(`action archive attributionsrc background base cite classid codebase data dynsrc formaction formtarget href imagesrcset
  longdesc lowsrc manifest ping poster profile src srcdoc srcset target usemap xmlns`);
/** Bytes that stand in the text itself, as a picture. Anything but a picture would be a page of its own. */
const pictures: Readonly<Record<string, string>> = { img: 'src', image: 'href' };
/** Drawings that use another part of the same text; a link to it would lead to the page's own address. */
const references = words('use textpath lineargradient radialgradient pattern filter');

/** What a start tag ends, if it is the innermost one that is open. */
const ends: Readonly<Record<string, ReadonlySet<string>>> = {
  li: words('li p'),
  dt: words('dt dd p'),
  dd: words('dt dd p'),
  p: words('p'),
  td: words('td th p'),
  th: words('td th p'),
  tr: words('td th tr p'),
  tbody: words('td th tr thead tbody tfoot'),
  tfoot: words('td th tr thead tbody tfoot'),
};

/** Longer texts are shown in another form, in characters. */
const maxLength = 2 ** 21;
/** What is nested deeper is shown without its tags. */
const maxDepth = 128;
/** Further attributes of one tag are left out. */
const maxAttributes = 64;
/** Elements that a parser may have to make: each, and the formatting that is open round it. A table of 100,000 cells has fewer. */
const maxElements = 300_000;

const startTag = /<(\/?)([a-z][^\t\n\f\r />]*)/iuy;
const attribute =
  /[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)(?:[\t\n\f\r ]*=[\t\n\f\r ]*("[^"]*"|'[^']*'|[^\t\n\f\r >"'][^\t\n\f\r >]*|))?/uy;

const escapeMark: Readonly<Record<string, string>> = { '"': '&quot;', '<': '&lt;', '>': '&gt;' };
const quote = (value: string): string => value.replaceAll(/["<>]/gu, (mark) => escapeMark[mark] as string);

function isKept(tag: string, name: string, value: string): boolean {
  const localName = name.slice(name.indexOf(':') + 1);
  if (!/^[a-z][\w:.-]*$/u.test(name) || localName.startsWith('on')) return false;
  if (!addressed.has(localName) && !name.startsWith('xmlns')) return true;
  if (pictures[tag] === localName) return /^\s*data:image\//iu.test(value);
  return localName === 'href' && references.has(tag) && /^\s*#/u.test(value);
}

interface Tag {
  readonly name: string;
  readonly attributes: string;
  readonly isClosed: boolean;
}

/** One text, from its first character to its last: nothing is looked at twice. */
class Cleaner {
  readonly #text: string;
  #at = 0;
  #open: string[] = [];
  #openForeign = 0;
  #openFormatting = 0;
  #elements = 0;
  #written: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  clean(): string | undefined {
    while (this.#at < this.#text.length && this.#elements <= maxElements) this.#step();
    this.#closeTo(0);
    return this.#elements > maxElements ? undefined : this.#written.join('');
  }

  #step(): void {
    const text = this.#text;
    const found = text.indexOf('<', this.#at);
    const end = found === -1 ? text.length : found;
    this.#written.push(text.slice(this.#at, end).replaceAll('>', '&gt;'));
    this.#at = end;
    if (end === text.length) return;
    startTag.lastIndex = end;
    const match = startTag.exec(text);
    if (match) {
      this.#at = startTag.lastIndex;
      const name = (match[2] as string).toLowerCase();
      const tag = this.#readTag(name);
      if (match[1]) this.#endTag(name);
      else if (tag) this.#startTag(tag);
    } else if (text.startsWith('<!--', end)) this.#skipPast('-->', end + 2);
    else if (/[!?/]/u.test(text.charAt(end + 1))) this.#skipPast('>', end);
    else {
      this.#written.push('&lt;');
      this.#at = end + 1;
    }
  }

  #skipPast(mark: string, start: number): void {
    const found = this.#text.indexOf(mark, start);
    this.#at = found === -1 ? this.#text.length : found + mark.length;
  }

  /** `undefined`, and nothing is left, where the text ends inside. */
  #readTag(name: string): Tag | undefined {
    const seen = new Set<string>();
    let attributes = '';
    for (let next = this.#readAttribute(); next; next = this.#readAttribute()) {
      const [key, value] = next;
      if (seen.size >= maxAttributes || seen.has(key)) continue;
      seen.add(key);
      if (isKept(name, key, value ?? ''))
        attributes += ` ${key}${value === undefined ? '' : `="${quote(value)}"`}`;
    }
    const end = this.#text.indexOf('>', this.#at);
    const isClosed = this.#text.charAt(end - 1) === '/';
    this.#at = end === -1 ? this.#text.length : end + 1;
    return end === -1 ? undefined : { name, attributes, isClosed };
  }

  #readAttribute(): readonly [key: string, value: string | undefined] | undefined {
    attribute.lastIndex = this.#at;
    const match = attribute.exec(this.#text);
    if (!match) return undefined;
    this.#at = attribute.lastIndex;
    const [, key = '', raw] = match;
    const isOpen = raw === '' && /["']/u.test(this.#text.charAt(this.#at));
    // a mark that is not closed reaches to the end
    if (isOpen) this.#at = this.#text.length;
    const value = raw && /^["']/u.test(raw) ? raw.slice(1, -1) : raw;
    return [key.toLowerCase(), value];
  }

  #startTag(tag: Tag): void {
    const { name, attributes, isClosed } = tag;
    const isShut = isClosed && (foreign.has(name) || this.#openForeign > 0);
    if (unseen.has(name)) {
      if (!isShut) this.#skipElement(name);
    } else if (name === 'style') this.#style(attributes, isShut);
    else if (html.has(name) || foreign.has(name)) this.#element(tag, isShut);
  }

  #element({ name, attributes }: Tag, isShut: boolean): void {
    while (ends[name]?.has(this.#open.at(-1) ?? '')) this.#closeTo(this.#open.length - 1);
    this.#elements += 1 + this.#openFormatting;
    const isEmpty = empty.has(name);
    if (this.#open.length >= maxDepth && !isEmpty) return;
    this.#written.push(`<${name}${attributes}>`);
    if (isEmpty) return;
    this.#open.push(name);
    this.#count(name, 1);
    if (isShut) this.#closeTo(this.#open.length - 1);
  }

  #endTag(name: string): void {
    const index = this.#open.lastIndexOf(name);
    if (index !== -1) this.#closeTo(index);
  }

  #closeTo(depth: number): void {
    while (this.#open.length > depth) {
      const name = this.#open.pop() as string;
      this.#count(name, -1);
      this.#written.push(`</${name}>`);
    }
  }

  #count(name: string, by: number): void {
    if (name === 'svg' || name === 'math') this.#openForeign += by;
    if (formatting.has(name)) this.#openFormatting += by;
  }

  /** Its text means the same as markup and as none: there is no mark in it that begins any. */
  #style(attributes: string, isShut: boolean): void {
    if (isShut) return;
    const start = this.#at;
    const end = this.#skipElement('style');
    this.#written.push(`<style${attributes}>${this.#text.slice(start, end).replaceAll('<', '')}</style>`);
  }

  /** Past its end tag, or the end of everything. Returns where its text ends. */
  #skipElement(name: string): number {
    const endTag = new RegExp(`</${name}(?=[\\t\\n\\f\\r />])`, 'giu');
    endTag.lastIndex = this.#at;
    const end = endTag.exec(this.#text)?.index ?? this.#text.length;
    this.#skipPast('>', end);
    return end;
  }
}

/** `undefined` for what is too long, or would take too long to be shown. Takes a time that grows with the length of the text, and no faster. */
export function cleanHtml(text: string): string | undefined {
  return text.length > maxLength ? undefined : new Cleaner(text.replaceAll('\0', '')).clean();
}
