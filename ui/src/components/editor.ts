/**
 * The text editor, with the differences to what was there shown in place. It lives in a shadow root: there CodeMirror uses constructed style sheets, where in the page itself it would
 * add <style> elements, which the content security policy refuses.
 */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { jsonFault } from "../domain/json-fault";
import { toml } from "./toml";

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "var(--t12)" },
  "&.cm-focused": { outline: "none" },
  // Over the gutters, which would cover an outline.
  "&.cm-focused::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    border: "2px solid var(--accent)",
    borderRadius: "inherit",
    pointerEvents: "none",
    zIndex: "300",
  },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "var(--l13)", fontVariantLigatures: "none" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--text-3)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--raised)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selected)",
  },
  ".cm-changedLine, &.cm-merge-b .cm-changedLine": { backgroundColor: "var(--diff-add)" },
  "&.cm-merge-b .cm-changedText": { background: "none", textDecoration: "underline" },
  ".cm-deletedChunk": { backgroundColor: "var(--diff-del)", paddingLeft: "6px" },
  ".cm-deletedChunk .cm-deletedText": { background: "none", textDecoration: "none" },
  ".cm-changedLineGutter, &.cm-merge-b .cm-changedLineGutter": { backgroundColor: "var(--f-ok)" },
  ".cm-deletedLineGutter": { backgroundColor: "var(--f-err)" },
  ".cm-tooltip": { backgroundColor: "var(--pop)", border: "1px solid var(--border)", color: "var(--text)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--f-err)" },
});

const ink = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--text-2)" },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: "var(--text-3)" },
  { tag: [tags.bool, tags.null], color: "var(--info)" },
  { tag: tags.comment, color: "var(--text-3)" },
  { tag: tags.heading, fontWeight: "600" },
]);

export type Language = "json" | "toml" | "text";

const LANGUAGES: Record<Language, () => Extension> = {
  json: () => [json(), linter(jsonMark, { delay: 200 })],
  toml: () => toml,
  text: () => [],
};

function jsonMark(view: EditorView): Diagnostic[] {
  const { doc } = view.state;
  const fault = jsonFault(doc.toString());
  if (!fault) return [];
  const to = Math.min(fault.at + 1, doc.length);
  return [{ from: Math.min(fault.at, to), to, severity: "error", message: fault.message }];
}

/** A place in the text, from 1. */
export interface Mark {
  line: number;
  column: number;
  message: string;
}

export interface EditorDocument {
  text: string;
  /** What differences are shown against. */
  original: string;
  language: Language;
  label: string;
}

export interface Editor {
  text(): string;
  focus(): void;
  mark(problems: readonly Mark[]): void;
  goTo(line: number, column: number): void;
  destroy(): void;
}

export function openEditor(
  host: HTMLElement,
  doc: EditorDocument,
  on: { change: (text: string) => void; send: () => void },
): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const parent = document.createElement("div");
  parent.style.height = "100%";
  root.replaceChildren(parent);
  const send = { key: "Mod-Enter", run: () => (on.send(), true) };
  const view = new EditorView({
    root,
    parent,
    state: EditorState.create({
      doc: doc.text,
      extensions: [
        keymap.of([send, indentWithTab, ...defaultKeymap, ...historyKeymap]),
        history(),
        lineNumbers(),
        foldGutter(),
        drawSelection(),
        highlightActiveLine(),
        indentOnInput(),
        bracketMatching(),
        LANGUAGES[doc.language](),
        lintGutter(),
        unifiedMergeView({ original: doc.original, mergeControls: false, syntaxHighlightDeletions: false }),
        syntaxHighlighting(ink),
        look,
        EditorView.lineWrapping,
        // Focusable as it is; said so, for whoever looks for a way to scroll by keys.
        EditorView.contentAttributes.of({ "aria-label": doc.label, tabindex: "0" }),
        EditorView.updateListener.of((u) => u.docChanged && on.change(u.state.doc.toString())),
      ],
    }),
  });

  const offset = (line: number, column: number) => {
    const at = view.state.doc.line(Math.min(view.state.doc.lines, Math.max(1, line)));
    return Math.min(at.to, at.from + Math.max(0, column - 1));
  };
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    mark(problems) {
      const found = problems.map((p): Diagnostic => {
        const from = offset(p.line, p.column);
        const to = view.state.doc.lineAt(from).to;
        return { from, to: Math.max(from, to), severity: "error", message: p.message };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    goTo(line, column) {
      const anchor = offset(line, column);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
