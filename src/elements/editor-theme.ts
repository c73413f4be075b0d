/** CodeMirror in the words of the tokens: one theme for both colour schemes, since the tokens switch by themselves. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--vivarium-category-3)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--vivarium-accent)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--vivarium-category-1)' },
  { tag: [tags.comment], color: 'var(--vivarium-muted)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.className, tags.namespace], color: 'var(--vivarium-info)' },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName)],
    color: 'var(--vivarium-info)',
  },
  { tag: [tags.invalid], color: 'var(--vivarium-danger)' },
]);

const surface = EditorView.theme({
  '&': { color: 'var(--vivarium-text)', backgroundColor: 'var(--vivarium-surface)', height: '100%' },
  '&.cm-focused': { outline: '2px solid var(--vivarium-focus)', outlineOffset: '1px' },
  '.cm-scroller': {
    fontFamily: 'var(--vivarium-mono)',
    fontSize: 'var(--vivarium-text-s)',
    lineHeight: '1.6',
    overflow: 'auto',
  },
  '.cm-content': { padding: 'var(--vivarium-space-3) 0', caretColor: 'var(--vivarium-text)' },
  '.cm-cursor': { borderLeftColor: 'var(--vivarium-text)' },
  '.cm-gutters': {
    color: 'var(--vivarium-muted)',
    backgroundColor: 'var(--vivarium-inset)',
    borderRight: '1px solid var(--vivarium-line)',
  },
  '.cm-activeLine': { backgroundColor: 'color-mix(in oklab, var(--vivarium-inset) 70%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--vivarium-text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection':
    {
      backgroundColor: 'color-mix(in oklab, var(--vivarium-focus) 28%, transparent)',
    },
  '.cm-wrong-line': { backgroundColor: 'var(--vivarium-danger-soft)' },
});

/** Surface and syntax colours of the editor. */
export const editorTheme: Extension = [surface, syntaxHighlighting(colours)];
