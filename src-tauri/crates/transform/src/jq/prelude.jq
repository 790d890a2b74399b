# What jq has and the library has not, and calls into the library with arguments that it can bear.

def leaf_paths: paths(scalars);
def toarray: if isarray then . else [.] end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);

def csv_field:
  if isstring then "\"" + (split("\"") | join("\"\"")) + "\""
  elif isnumber or isboolean then tostring
  elif . == null then ""
  else error("a CSV row holds no \(type)") end;
def @csv: if isarray then map(csv_field) | join(",") else error("a CSV row is an array") end;
def tsv_field:
  if isstring then split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n") | split("\r") | join("\\r")
  elif isnumber or isboolean then tostring
  elif . == null then ""
  else error("a TSV row holds no \(type)") end;
def @tsv: if isarray then map(tsv_field) | join("\t") else error("a TSV row is an array") end;

# The library multiplies and adds without looking; year 9999 is the end of its calendar.
def in_calendar:
  if isnumber and (. > 253402300799 or . < -377705116799) then error("the time is outside the years -9999 to 9999")
  elif isarray and (.[1] | isnumber and (. < 0 or . > 11)) then error("the month is outside 0 to 11") end;
def short_format($f):
  if ($f | isstring) and ($f | utf8bytelength) > 256 then error("the time format is longer than 256 bytes") else $f end;
def gmtime: in_calendar | unbounded_gmtime;
def mktime: in_calendar | unbounded_mktime;
def strftime($f): in_calendar | unbounded_strftime(short_format($f));
def strptime($f): unbounded_strptime(short_format($f));
def todateiso8601: in_calendar | unbounded_todateiso8601;
def todate: todateiso8601;
def date: todate;
