/** Enough of TOML to colour it: comments, headers, keys, strings; text between ''' is jq and stays ink. */
import { StreamLanguage } from "@codemirror/language";

interface State {
  /** The quotes that end the text being read. */
  within: string | null;
}

export const toml = StreamLanguage.define<State>({
  name: "toml",
  startState: () => ({ within: null }),
  token(stream, state) {
    if (state.within !== null) {
      if (stream.skipTo(state.within)) {
        stream.match(state.within);
        state.within = null;
      } else stream.skipToEnd();
      return "string";
    }
    if (stream.eatSpace()) return null;
    if (stream.sol() && stream.match(/^\s*\[+[^\]]*\]+/)) return "heading";
    if (stream.match(/^#.*/)) return "comment";
    for (const quotes of ["'''", '"""']) {
      if (!stream.match(quotes)) continue;
      state.within = quotes;
      return "string";
    }
    if (stream.match(/^(?:"(?:[^"\\]|\\.)*"|'[^']*')/)) return "string";
    if (stream.match(/^(?:true|false)\b/)) return "bool";
    if (stream.match(/^[\w.-]+(?=\s*=)/)) return "propertyName";
    if (stream.match(/^[-+]?\d[\w.:+-]*/)) return "number";
    stream.next();
    return null;
  },
});
