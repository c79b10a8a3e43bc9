// Searches: what is asked for, and what is found.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Mailkeep
{
    /// <summary>By what the hits of a search are counted.</summary>
    public enum CountBy
    {
        /// <summary>The year: <c>2024</c>, or <c>no date</c>.</summary>
        Year,

        /// <summary>The month: <c>2024-03</c>, or <c>no date</c>.</summary>
        Month,

        /// <summary>The address of the first sender in lower case, else their name.</summary>
        From,

        /// <summary>The path of the folder.</summary>
        Folder,

        /// <summary>The media types of attachments, each once a message; <c>none</c> for a message without any.</summary>
        Type,
    }

    /// <summary>A search: what is searched for, and how much of the answer is wanted.</summary>
    public sealed class SearchRequest
    {
        /// <summary>All messages that meet a query, newest first. The language is that of docs/SEARCH.md.</summary>
        /// <param name="query">The query; <c>*</c> finds everything.</param>
        /// <exception cref="ArgumentNullException">The query is null.</exception>
        public SearchRequest(string query) { Query = query ?? throw new ArgumentNullException(nameof(query)); }

        private SearchRequest() { }

        /// <summary>All messages that meet a query, newest first.</summary>
        /// <param name="query">The query; <c>*</c> finds everything.</param>
        /// <exception cref="ArgumentNullException">The query is null.</exception>
        public static implicit operator SearchRequest(string query) => new SearchRequest(query);

        /// <summary>
        /// A search by criteria: the JSON object of docs/SEARCH.md, which has an order, a folder, dates and more.
        /// </summary>
        /// <param name="json">The object.</param>
        /// <exception cref="ArgumentNullException">The criteria are null.</exception>
        public static SearchRequest OfCriteria(string json) =>
            new SearchRequest { Criteria = json ?? throw new ArgumentNullException(nameof(json)) };

        /// <summary>The query; null if there are criteria.</summary>
        public string Query { get; private set; }

        /// <summary>The criteria as JSON; null if there is a query.</summary>
        public string Criteria { get; private set; }

        /// <summary>
        /// The most hits of an answer, or of a page where they are read page by page. Null: all of them, or pages of 100.
        /// </summary>
        public int? Limit { get; set; }

        /// <summary>The cursor of the page before; null for the first page. It is good for the same search and user.</summary>
        public string After { get; set; }

        /// <summary>The moment that relative dates count from; null is now.</summary>
        public DateTimeOffset? Now { get; set; }

        /// <summary>By what all hits are counted; null or empty for nothing.</summary>
        public IReadOnlyList<CountBy> CountBy { get; set; }

        /// <summary>Shows for each hit the place that has the most words of the query. This reads the mails.</summary>
        public bool Snippets { get; set; }

        /// <summary>Shows which words of each hit's subject the query asks for.</summary>
        public bool SubjectWords { get; set; }

        /// <summary>If nothing is found, reports what to try.</summary>
        public bool Suggestions { get; set; }

        /// <summary>
        /// Shows a mail that is archived in several folders once, and lists its other messages. The total still counts
        /// messages.
        /// </summary>
        public bool Once { get; set; }

        /// <summary>
        /// What is searched for in the versioned JSON form that can be kept, such as for a saved search.
        /// </summary>
        /// <exception cref="QueryException">The query or the criteria cannot be understood.</exception>
        public unsafe string ReadCriteria()
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var json = frame.String(ToJson(), out length);
                int status = Native.mk_criteria_read(out buffer, json, length, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        internal string ToJson()
        {
            var json = new StringBuilder();
            if (Query != null) Json.Write(json.Append("{\"query\":"), Query);
            // It is read there: a value that is no JSON must not end the object.
            else json.Append("{\"criteria\":").Append(IsJson(Criteria) ? Criteria : "null");
            if (Limit < 0) throw new ArgumentOutOfRangeException(nameof(Limit), Limit, "it is below 0");
            if (Limit.HasValue) json.Append(",\"limit\":").Append(Limit.Value.ToString(CultureInfo.InvariantCulture));
            if (After != null) Json.Write(json.Append(",\"after\":"), After);
            if (Now.HasValue) json.Append(",\"now\":").Append(Times.Milliseconds(Now.Value));
            if (CountBy != null && CountBy.Count > 0)
            {
                json.Append(",\"counts\":[");
                for (int i = 0; i < CountBy.Count; i++)
                    Json.Write(i == 0 ? json : json.Append(','), CountBy[i].ToString().ToLowerInvariant());
                json.Append(']');
            }
            if (Snippets) json.Append(",\"snippets\":true");
            if (SubjectWords) json.Append(",\"subject_words\":true");
            if (Suggestions) json.Append(",\"suggestions\":true");
            if (Once) json.Append(",\"once\":true");
            return json.Append('}').ToString();
        }

        private static bool IsJson(string text)
        {
            try
            {
                Json.Parse(text);
                return true;
            }
            catch (FormatException) { return false; }
        }
    }

    /// <summary>A piece of a text: offsets in its UTF-16 characters, as .NET counts them.</summary>
    public struct TextRange
    {
        internal TextRange(int start, int end)
        {
            Start = start;
            End = end;
        }

        /// <summary>Where it begins.</summary>
        public int Start { get; }

        /// <summary>Where it ends: the offset after its last character.</summary>
        public int End { get; }

        /// <summary>The library counts bytes of UTF-8.</summary>
        internal static IReadOnlyList<TextRange> OfBytes(string text, Json ranges)
        {
            if (ranges.Items.Count == 0) return new TextRange[0];
            var bytes = Text.Utf8.GetBytes(text);
            Func<long, int> chars = at => Text.Utf8.GetCharCount(bytes, 0, (int)Math.Min(at, bytes.Length));
            return ranges.List(range => new TextRange(chars(range[0].Long), chars(range[1].Long)));
        }
    }

    /// <summary>The place of a message that shows why it was found.</summary>
    public sealed class Snippet
    {
        internal Snippet(Json json)
        {
            Field = json["field"].String;
            Text = json["text"].String ?? "";
            Words = TextRange.OfBytes(Text, json["ranges"]);
        }

        /// <summary>The field, as the query language names it.</summary>
        public string Field { get; }

        /// <summary>A piece of its text.</summary>
        public string Text { get; }

        /// <summary>Where the words of the query are in it, in order.</summary>
        public IReadOnlyList<TextRange> Words { get; }
    }

    /// <summary>A message that a search found.</summary>
    public sealed class Hit : MessageInfo
    {
        private static readonly TextRange[] NoWords = new TextRange[0];
        private static readonly MessageInfo[] NoMessages = new MessageInfo[0];

        /// <summary>With the rest of the answer, if something was asked for that the row does not have.</summary>
        internal unsafe Hit(mk_message* row, string folder, Json page, int index) : base(row, folder)
        {
            var snippet = page?["snippets"][index];
            if (snippet != null && !snippet.IsNull) Snippet = new Snippet(snippet);
            SubjectWords = page == null ? NoWords : TextRange.OfBytes(Subject, page["subject_words"][index]);
            Also = page == null ? NoMessages : page["also"][index].List(also => new MessageInfo(also));
        }

        /// <summary>If snippets were asked for: the place with the most words of the query. Null if there is none.</summary>
        public Snippet Snippet { get; }

        /// <summary>If subject words were asked for: where the words of the query are in its subject.</summary>
        public IReadOnlyList<TextRange> SubjectWords { get; }

        /// <summary>If mails are shown once: the other messages with the same mail, newest first.</summary>
        public IReadOnlyList<MessageInfo> Also { get; }
    }

    /// <summary>What a search could not look at.</summary>
    public sealed class Coverage
    {
        internal Coverage(long notIndexed, long undecided, IReadOnlyList<string> unreachableStores)
        {
            NotIndexed = notIndexed;
            Undecided = undecided;
            UnreachableStores = unreachableStores;
        }

        /// <summary>Messages that the index does not have: not indexed yet, or in a part of it that is damaged.</summary>
        public long NotIndexed { get; }

        /// <summary>Messages for which text that could not be read would decide.</summary>
        public long Undecided { get; }

        /// <summary>Names of the stores that could not be opened: nothing in them was looked at.</summary>
        public IReadOnlyList<string> UnreachableStores { get; }

        /// <summary>Whether everything was looked at.</summary>
        public bool IsComplete => NotIndexed == 0 && Undecided == 0 && UnreachableStores.Count == 0;
    }

    /// <summary>How many messages have a value.</summary>
    public sealed class CountRow
    {
        internal CountRow(Json pair)
        {
            Value = pair[0].String;
            Messages = pair[1].Long;
        }

        /// <summary>The value, such as <c>2024</c>.</summary>
        public string Value { get; }

        /// <summary>The messages that have it, exactly.</summary>
        public long Messages { get; }
    }

    /// <summary>All hits of a search, counted.</summary>
    public sealed class Counts
    {
        internal Counts(Json json)
        {
            CountBy by;
            By = Enum.TryParse(json["by"].String, true, out by) ? by : CountBy.Year;
            Rows = json["rows"].List(row => new CountRow(row));
        }

        /// <summary>By what.</summary>
        public CountBy By { get; }

        /// <summary>The most frequent value first.</summary>
        public IReadOnlyList<CountRow> Rows { get; }
    }

    /// <summary>What to try if nothing was found.</summary>
    public sealed class Suggestions
    {
        internal Suggestions(Json json)
        {
            Clause = json["clause"].String;
            Completion = json["completion"].IsNull ? null : new CountRow(json["completion"]);
            Words = json["words"].Strings;
        }

        /// <summary>The clause that, together with those before it, no message meets; may be null.</summary>
        public string Clause { get; }

        /// <summary>That clause with its last word left open, and how many messages meet it; may be null.</summary>
        public CountRow Completion { get; }

        /// <summary>Words near those of the clause that some message has.</summary>
        public IReadOnlyList<string> Words { get; }
    }

    /// <summary>The answer to a search, or one page of it.</summary>
    public sealed class SearchResult
    {
        private static readonly Counts[] NoCounts = new Counts[0];
        private static readonly string[] NoNames = new string[0];

        internal unsafe SearchResult(PageHandle page)
        {
            var info = Pages.Info(page);
            // Most answers are rows and numbers.
            var json = info.more == 0 ? null : Json.Parse(Pages.JsonOf(page));
            Hits = Pages.Rows(page, (int)info.count, (row, folder, i) => new Hit(row, folder, json, i));
            Total = (long)info.total;
            Contents = (long)info.contents;
            Cursor = Text.OrNull(info.cursor);
            var unreachable = json == null ? NoNames : json["coverage"]["unreachable_stores"].Strings;
            Coverage = new Coverage((long)info.not_indexed, (long)info.undecided, unreachable);
            Counts = json == null ? NoCounts : json["counts"].List(counts => new Counts(counts));
            Suggestions = json == null || json["suggestions"].IsNull ? null : new Suggestions(json["suggestions"]);
            Notices = json == null ? NoNames : json["notices"].Strings;
        }

        /// <summary>The hits, in the order of the search.</summary>
        public IReadOnlyList<Hit> Hits { get; }

        /// <summary>How many messages meet the search, exactly.</summary>
        public long Total { get; }

        /// <summary>How many different mails these are: one that is archived in several folders counts once.</summary>
        public long Contents { get; }

        /// <summary>Where the next page begins: <see cref="SearchRequest.After"/>. Null if there is none.</summary>
        public string Cursor { get; }

        /// <summary>What could not be looked at.</summary>
        public Coverage Coverage { get; }

        /// <summary>One for each count that was asked for. Where hits are read page by page, on the first page.</summary>
        public IReadOnlyList<Counts> Counts { get; }

        /// <summary>If they were asked for and nothing was found: what to try. Else null.</summary>
        public Suggestions Suggestions { get; }

        /// <summary>What the author of the query should know, although it is not an error: English sentences.</summary>
        public IReadOnlyList<string> Notices { get; }
    }

    /// <summary>A clause of a query, as it was read.</summary>
    public sealed class ClauseReport
    {
        internal ClauseReport(Json json)
        {
            Clause = json["clause"].String;
            Messages = json["messages"].Long;
            Words = json["words"].List(word => new CountRow(word));
            AllWords = json["all_words"].Long;
        }

        /// <summary>The clause.</summary>
        public string Clause { get; }

        /// <summary>Messages that meet it alone.</summary>
        public long Messages { get; }

        /// <summary>Words that its wildcards match; the most frequent ones.</summary>
        public IReadOnlyList<CountRow> Words { get; }

        /// <summary>How many such words there are in all, as far as they are counted.</summary>
        public long AllWords { get; }
    }

    /// <summary>A clause of a query, evaluated for one message.</summary>
    public sealed class ClauseVerdict
    {
        internal ClauseVerdict(Json json)
        {
            Clause = json["clause"].String;
            IsMet = json["met"].BoolOrNull;
            Fields = json["fields"].Strings;
        }

        /// <summary>The clause.</summary>
        public string Clause { get; }

        /// <summary>Whether the message meets it; null if text that could not be read would decide.</summary>
        public bool? IsMet { get; }

        /// <summary>Fields that contain something that the clause names, wanted or excluded.</summary>
        public IReadOnlyList<string> Fields { get; }
    }

    /// <summary>A part that searches cannot look into.</summary>
    public sealed class NotSearchable
    {
        internal NotSearchable(Json json)
        {
            Message = MessageId.Parse(json["message"].String);
            Part = (int)json["part"].Long;
            Why = json["why"].String;
        }

        /// <summary>The message; the first one if several have the same mail.</summary>
        public MessageId Message { get; }

        /// <summary>The number of the part; 0 is the mail itself.</summary>
        public int Part { get; }

        /// <summary>Why: a few English words.</summary>
        public string Why { get; }
    }
}
