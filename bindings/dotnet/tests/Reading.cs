// Lists, searches, and the bytes of mails.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Mailkeep;
using static Tests;

static class Reading
{
    private const int Count = 230;

    private static Archive Filled(out Session session)
    {
        var archive = NewArchive();
        session = archive.Session();
        session.Import(Mails.MboxFile(0, Count), new ImportOptions { Into = "anna/in" });
        session.ImportOne(Mails.Mail(5000), "bert/privat");
        return archive;
    }

    [Test]
    static void ASearchHasPagesAndAllHits()
    {
        Session session;
        using (Filled(out session))
        {
            var all = session.Search(new SearchRequest("invoice"));
            Is(all.Total, Count + 1);
            True(all.Coverage.IsComplete && all.Notices.Count == 0, "notices of a plain search");
            var ids = new List<MessageId>();
            var request = new SearchRequest("invoice") { Limit = 50 };
            do
            {
                var page = session.Search(request);
                Is(page.Total, Count + 1);
                ids.AddRange(page.Hits.Select(hit => hit.Id));
                request.After = page.Cursor;
            }
            while (request.After != null);
            Is(ids.Distinct().Count(), Count + 1);
            True(session.SearchAll(new SearchRequest("invoice")).Select(hit => hit.Id).SequenceEqual(ids), "the same hits, lazily");
            True(session.SearchPages(new SearchRequest("invoice") { Limit = 50 }).Select(page => page.Hits.Count)
                .SequenceEqual(new[] { 50, 50, 50, 50, 31 }), "pages");
            Is(session.SearchAll(new SearchRequest("invoice")).Take(3).Count(), 3);
            Is(session.SearchAll(new SearchRequest("nothinghasthis")).Count(), 0);
            Is(session.SearchAsync(new SearchRequest("zahl7")).Result.Total, 1);
        }
    }

    [Test]
    static void AHitIsAsItWasArchived()
    {
        Session session;
        using (Filled(out session))
        {
            var hit = session.Search(new SearchRequest("zahl42") { Snippets = true, SubjectWords = true }).Hits.Single();
            Is(hit.Subject, "Rechnung 42 für café 📮");
            Is(hit.Folder, "anna/in");
            Is(hit.FromName, "Anna Müller");
            Is(hit.FromAddress, "anna@example.org");
            Is(hit.ToAddress, "bert@example.com");
            Is(hit.Attachments, 1);
            Is(hit.Date, new DateTimeOffset(2020, 1, 6, 10, 0, 42, TimeSpan.Zero));
            Is(hit.DateOrigin, DateOrigin.Mail);
            True(Math.Abs((DateTimeOffset.UtcNow - hit.Archived).TotalMinutes) < 60, "a time of archiving");
            var word = hit.Snippet.Words.Single();
            Is(hit.Snippet.Text.Substring(word.Start, word.End - word.Start), "zahl42");
            var subject = session.Search(new SearchRequest("subject:café zahl42") { SubjectWords = true }).Hits.Single();
            Is(subject.Subject.Substring(subject.SubjectWords[0].Start, subject.SubjectWords[0].End - subject.SubjectWords[0].Start), "café");

            var message = session.Message(hit.Id);
            Is(message.Subject, hit.Subject);
            var record = session.Record(hit.Id);
            Is(record.Info.Id, hit.Id);
            Is(record.Info.Date, hit.Date);
            Is(record.Info.Archived, hit.Archived);
            Is(record.From.Single().Name, "Anna Müller");
            Is(record.HeaderMessageId.Trim('<', '>'), "42@example.org");
            True(record.Digest.Length == 64 && record.FromLine.StartsWith("From anna"), record.Json);
            Is(session.Thread(hit.Id).Single().Id, hit.Id);
            Throws<NotFoundException>(() => session.Record(new MessageId(1)));
        }
    }

    [Test]
    static void SearchesCountSuggestAndExplain()
    {
        Session session;
        using (Filled(out session))
        {
            session.ImportOne(Mails.Mail(5000), "bert/kopie");
            var found = session.Search(new SearchRequest("zahl5000") { CountBy = new[] { CountBy.Year, CountBy.Folder }, Once = true });
            Is(found.Total, 2);
            Is(found.Contents, 1);
            Is(found.Hits.Single().Also.Single().Subject, found.Hits[0].Subject);
            Is(found.Counts[0].By, CountBy.Year);
            Is(found.Counts[0].Rows.Single().Value, "2020");
            Is(found.Counts[1].Rows.Sum(row => row.Messages), 2);
            Is(session.SearchAll(new SearchRequest("zahl5000") { Once = true }).Single().Also.Count, 1);
            var nothing = session.Search(new SearchRequest("invoise") { Suggestions = true });
            True(nothing.Suggestions.Words.Contains("invoice"), "a word near it");
            var clauses = session.Explain(new SearchRequest("zahl4* invoice"));
            Is(clauses.Count, 2);
            True(clauses[0].Words.Count > 5 && clauses[0].AllWords > 5 && clauses[1].Messages == Count + 2, "clauses");
            var verdicts = session.Why(found.Hits[0].Id, new SearchRequest("zahl5000 -privat"));
            Is(verdicts[0].IsMet, true);
            True(verdicts[0].Fields.Count > 0, "fields");
            var criteria = new SearchRequest("from:anna \"say \\\"hi\\\"\"").ReadCriteria();
            Is(SearchRequest.OfCriteria(criteria).ReadCriteria(), criteria, "criteria that were kept");
            var bad = Throws<QueryException>(() => session.Search(new SearchRequest("from:anna date:never")));
            True(bad.Code == "query" && bad.Message.Length > 10, bad.Message);
            Throws<QueryException>(() => session.Search(SearchRequest.OfCriteria("{\"text\":\"x\"},\"limit\":0")));
            Throws<QueryException>(() => session.SearchAll(new SearchRequest("date:never")).Count());
            Throws<QueryException>(() => session.Search(new SearchRequest("*") { After = "no cursor" }));
            Throws<ArgumentNullException>(() => session.Search(null));
            Throws<ArgumentNullException>(() => session.SearchAll(null));
            Throws<ArgumentOutOfRangeException>(() => session.Search(new SearchRequest("*") { Limit = -1 }));
            Throws<EncoderFallbackException>(() => session.Search(new SearchRequest("\ud800")));
            Is(session.Search(new SearchRequest("after:1d") { Now = new DateTimeOffset(2020, 1, 6, 12, 0, 0, TimeSpan.Zero) }).Total > 0, true);
            Is(session.Undecided(new SearchRequest("xyz")).Count >= 0, true);
        }
    }

    [Test]
    static void ListsAreReadPageByPage()
    {
        Session session;
        using (Filled(out session))
        {
            var folders = session.Folders().ToDictionary(folder => folder.Path);
            Is(folders["anna/in"].Messages, Count);
            Is(folders["bert"].TotalMessages, 1);
            Is(string.Join(" ", session.FoldersIn().Select(folder => folder.Path)), "anna bert");
            Is(string.Join(" ", session.FoldersIn("bert").Select(folder => folder.Path)), "bert/privat");
            Is(session.FoldersPage(null, 2).Items.Count, 2);
            Is(session.Messages().Count(), Count + 1);
            Is(session.Messages("anna/in").Select(message => message.Id).Distinct().Count(), Count);
            var first = session.MessagesPage("anna/in", null, 200);
            Is(first.Items.Count, 200);
            var second = session.MessagesPage("anna/in", first.Cursor, 200);
            Is(second.Items.Count, Count - 200);
            Is(second.Cursor, null);
            Throws<NotFoundException>(() => session.Messages("anna/none").Count());
            Throws<ArgumentOutOfRangeException>(() => session.MessagesPage(null, null, -1));
        }
    }

    [Test]
    static void AUserSeesTheirFolders()
    {
        Session all;
        using (var archive = Filled(out all))
        using (var session = archive.Session(new User("bert", new FolderScope("bert"))))
        {
            Is(session.Search(new SearchRequest("*")).Total, 1);
            Is(session.Folders().First().Path, "bert");
            var foreign = all.Messages("anna/in").First().Id;
            Throws<NotFoundException>(() => session.Message(foreign));
            Throws<NotFoundException>(() => session.OpenMail(foreign));
            Throws<DeniedException>(() => session.ImportOne(Mails.Mail(1), "bert/in"));
            Throws<DeniedException>(() => session.Verify());
            using (var none = archive.Session(new User("eve \"x\"", new FolderScope("anna", false))))
                Is(none.Search(new SearchRequest("*")).Total, 0);
            Throws<ArgumentNullException>(() => new User("x", (FolderScope)null));
        }
    }

    [Test]
    static void PartsAndStreamsHaveTheBytes()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            var mail = Mails.Mail(9);
            var id = session.ImportOne(mail, "anna/in").Id;
            var view = session.Parts(id);
            True(view.Header.Any(field => field.Name == "Subject" && field.Value == "Rechnung 9 für café 📮"), view.Json);
            var part = view.Parts.Single(one => one.IsAttachment);
            Is(part.Name, "data9.bin");
            Is(part.Type, "application/octet-stream");
            Is(part.Size, Mails.Attachment(9).Length);
            True(view.Parts.Any(one => one.Text != null && one.Text.Contains("привет 日本語")), "a text");
            SameBytes(All(session.OpenPart(id, part.Number)), Mails.Attachment(9));
            SameBytes(All(session.OpenMail(id)), mail);
            SameBytes(Written(to => session.CopyMail(id, to)), mail);
            SameBytes(Written(to => session.CopyPart(id, part.Number, to)), Mails.Attachment(9));
            SameBytes(Written(to => session.CopyPart(id, part.Number, to, 100)), Mails.Attachment(9).Skip(100).ToArray());
            SameBytes(Written(to => session.CopyRange(id, 10, 30, to)), mail.Skip(10).Take(20).ToArray());
            string header = Encoding.UTF8.GetString(session.Header(id));
            True(header.StartsWith("From: Anna") && !header.Contains("\r\n\r\n"), header);
            var pieces = new Dictionary<int, List<byte>>();
            var leaves = view.Parts.Where(one => one.Kind == "leaf").Select(one => one.Number).ToList();
            session.ReadParts(id, leaves, (number, bytes) =>
            {
                if (!pieces.ContainsKey(number)) pieces[number] = new List<byte>();
                pieces[number].AddRange(bytes);
            });
            Is(pieces.Count, leaves.Count);
            SameBytes(pieces[part.Number].ToArray(), Mails.Attachment(9));

            Throws<NotFoundException>(() => session.OpenPart(id, 99));
            Throws<ArgumentOutOfRangeException>(() => session.OpenPart(id, -1));
            Throws<ArgumentOutOfRangeException>(() => session.CopyRange(id, -1, 5, new MemoryStream()));
            var mine = new InvalidDataException("mine");
            Is(Throws<InvalidDataException>(() => session.CopyMail(id, new Full(mine))), mine);
            Is(Throws<InvalidDataException>(() => session.ReadParts(id, leaves, (number, bytes) => { throw mine; })), mine);
            using (var stream = session.OpenMail(id))
            {
                True(stream.CanRead && !stream.CanWrite && !stream.CanSeek, "what it can");
                Throws<NotSupportedException>(() => stream.Length.ToString());
                Throws<NotSupportedException>(() => stream.WriteByte(1));
                Throws<ArgumentNullException>(() => stream.Read(null, 0, 1));
                Throws<ArgumentOutOfRangeException>(() => stream.Read(new byte[3], 2, 2));
                Is(stream.Read(new byte[3], 3, 0), 0);
                var buffer = new byte[5];
                Is(stream.ReadAsync(buffer, 1, 4).Result, 4);
                Is(buffer[1], (byte)'F');
            }
        }
    }

    [Test]
    static void ALargeMailIsReadWhileItIsPassedOn()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            var large = Mails.Large();
            var id = session.ImportOne(large, "anna/large").Id;
            SameBytes(All(session.OpenMail(id)), large);
            using (var stream = session.OpenMail(id)) stream.ReadByte();
            // Closing the archive ends it.
            var left = session.OpenMail(id);
            left.ReadByte();
            archive.Close();
            Throws<ObjectDisposedException>(() => All(left));
        }
    }

    private static byte[] All(Stream stream)
    {
        using (stream) return Written(to => stream.CopyTo(to, 1000));
    }

    private static byte[] Written(Action<Stream> write)
    {
        var to = new MemoryStream();
        write(to);
        return to.ToArray();
    }

    /// <summary>A stream that takes nothing.</summary>
    sealed class Full : MemoryStream
    {
        private readonly Exception failure;

        public Full(Exception failure) { this.failure = failure; }

        public override void Write(byte[] buffer, int offset, int count) { throw failure; }
    }
}
