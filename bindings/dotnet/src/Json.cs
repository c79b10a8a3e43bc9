// A reader and a writer of JSON, as much as the library's own objects need. netstandard 2.0 has no reader of JSON without
// another package but DataContractJsonSerializer, which wants a class with attributes for each object, cannot read pairs
// such as ["a", 1], and draws another assembly.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Mailkeep
{
    /// <summary>A value of JSON. What is missing is null, 0, false or empty: later versions of the library add names.</summary>
    internal sealed class Json
    {
        /// <summary>The library's own objects have no more than ten levels.</summary>
        private const int MostLevels = 64;

        private static readonly Json Null = new Json(null);
        private static readonly Json[] NoItems = new Json[0];

        /// <summary>Null, a bool, text, a number (as it is written), an array or a dictionary.</summary>
        private readonly object value;

        private struct Number
        {
            internal string Digits;
        }

        private Json(object value) { this.value = value; }

        internal Json this[string name]
        {
            get
            {
                var fields = value as Dictionary<string, Json>;
                Json found;
                return fields != null && fields.TryGetValue(name, out found) ? found : Null;
            }
        }

        internal Json this[int index] => index < Items.Count ? Items[index] : Null;

        internal IReadOnlyList<Json> Items => value as IReadOnlyList<Json> ?? NoItems;

        internal bool IsNull => value == null;

        /// <summary>Text, or null.</summary>
        internal string String => value as string;

        internal bool Bool => value is bool && (bool)value;

        internal bool? BoolOrNull => value is bool ? (bool)value : (bool?)null;

        internal long Long => LongOrNull ?? 0;

        internal long? LongOrNull
        {
            get
            {
                long number;
                bool isNumber = value is Number
                    && long.TryParse(((Number)value).Digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
                return isNumber ? long.Parse(((Number)value).Digits, CultureInfo.InvariantCulture) : (long?)null;
            }
        }

        /// <summary>A time in RFC 3339, or null.</summary>
        internal DateTimeOffset? Time
        {
            get
            {
                DateTimeOffset time;
                const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
                return DateTimeOffset.TryParse(String, CultureInfo.InvariantCulture, utc, out time) ? time : (DateTimeOffset?)null;
            }
        }

        internal IReadOnlyList<T> List<T>(Func<Json, T> of)
        {
            var items = Items;
            var list = new T[items.Count];
            for (int i = 0; i < list.Length; i++) list[i] = of(items[i]);
            return list;
        }

        internal IReadOnlyList<string> Strings => List(item => item.String);

        /// <summary>Reads a text that is one value.</summary>
        internal static Json Parse(string text)
        {
            var reader = new Reader(text);
            var read = reader.Value(0);
            reader.End();
            return read;
        }

        /// <summary>Writes text as JSON.</summary>
        internal static void Write(StringBuilder to, string text)
        {
            to.Append('"');
            foreach (char c in text)
            {
                if (c == '"' || c == '\\') to.Append('\\').Append(c);
                else if (c < ' ') to.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                else to.Append(c);
            }
            to.Append('"');
        }

        private sealed class Reader
        {
            private readonly string text;
            private int at;

            internal Reader(string text) { this.text = text; }

            internal void End()
            {
                Space();
                if (at < text.Length) throw Wrong();
            }

            internal Json Value(int level)
            {
                if (level > MostLevels) throw Wrong();
                Space();
                switch (at < text.Length ? text[at] : '\0')
                {
                    case '{': return new Json(Fields(level));
                    case '[': return new Json(Array(level));
                    case '"': return new Json(String());
                    case 't': return Word("true", new Json(true));
                    case 'f': return Word("false", new Json(false));
                    case 'n': return Word("null", Null);
                    default: return new Json(Digits());
                }
            }

            private Dictionary<string, Json> Fields(int level)
            {
                var fields = new Dictionary<string, Json>(StringComparer.Ordinal);
                at++;
                if (Has('}')) return fields;
                do
                {
                    Space();
                    string name = String();
                    if (!Has(':')) throw Wrong();
                    fields[name] = Value(level + 1);
                }
                while (Has(','));
                return Has('}') ? fields : throw Wrong();
            }

            private Json[] Array(int level)
            {
                var items = new List<Json>();
                at++;
                if (Has(']')) return NoItems;
                do items.Add(Value(level + 1));
                while (Has(','));
                return Has(']') ? items.ToArray() : throw Wrong();
            }

            private string String()
            {
                if (at >= text.Length || text[at] != '"') throw Wrong();
                int from = ++at;
                while (at < text.Length && text[at] != '"' && text[at] != '\\') at++;
                // Most texts have nothing that is escaped.
                if (at < text.Length && text[at] == '"') return text.Substring(from, at++ - from);
                var made = new StringBuilder(text, from, at - from, 2 * (at - from) + 16);
                while (true)
                {
                    if (at >= text.Length) throw Wrong();
                    char c = text[at++];
                    if (c == '"') return made.ToString();
                    made.Append(c == '\\' ? Escaped() : c);
                }
            }

            private char Escaped()
            {
                char c = at < text.Length ? text[at++] : '\0';
                switch (c)
                {
                    case 'b': return '\b';
                    case 'f': return '\f';
                    case 'n': return '\n';
                    case 'r': return '\r';
                    case 't': return '\t';
                    case '"':
                    case '\\':
                    case '/': return c;
                    case 'u':
                        ushort unit;
                        bool isHex = at + 4 <= text.Length
                            && ushort.TryParse(text.Substring(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out unit);
                        if (!isHex) throw Wrong();
                        at += 4;
                        return (char)ushort.Parse(text.Substring(at - 4, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                    default: throw Wrong();
                }
            }

            private Number Digits()
            {
                int from = at;
                while (at < text.Length && "+-.0123456789eE".IndexOf(text[at]) >= 0) at++;
                return at > from ? new Number { Digits = text.Substring(from, at - from) } : throw Wrong();
            }

            private Json Word(string word, Json of)
            {
                if (string.CompareOrdinal(text, at, word, 0, word.Length) != 0) throw Wrong();
                at += word.Length;
                return of;
            }

            private bool Has(char c)
            {
                Space();
                bool has = at < text.Length && text[at] == c;
                if (has) at++;
                return has;
            }

            private void Space()
            {
                while (at < text.Length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) at++;
            }

            private FormatException Wrong() => new FormatException($"the text is not JSON at character {at}");
        }
    }
}
