// Many threads search and read while one imports: each answer must be consistent.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using Mailkeep;

static class Threads
{
    private const int Readers = 16;

    /// <summary>Receipts that came, and mails whose import began: what a search may find lies between.</summary>
    private static long received, begun;

    /// <summary>The number of the mail of each message that has a receipt.</summary>
    private static readonly Dictionary<MessageId, int> Numbers = new Dictionary<MessageId, int>();

    private static readonly List<MessageId> Ids = new List<MessageId>();

    private static volatile bool isOver;
    private static Exception failure;

    public static bool Run(int seconds)
    {
        var clock = Stopwatch.StartNew();
        long searches = 0, reads = 0, pages = 0;
        using (var archive = Tests.NewArchive())
        using (var session = archive.Session())
        {
            var threads = Enumerable.Range(0, Readers).Select(at => new Thread(() => Guard(() =>
            {
                var random = new Random(at);
                while (!isOver)
                {
                    Search(session);
                    Interlocked.Increment(ref searches);
                    Interlocked.Add(ref reads, Read(session, random));
                    if (at % 4 == 0) Interlocked.Add(ref pages, Pages(session));
                }
            }))).ToList();
            threads.Add(new Thread(() => Guard(() => Import(session, clock, seconds))));
            // Collections move and free whatever is not held.
            threads.Add(new Thread(() => Guard(() =>
            {
                while (!isOver)
                {
                    Tests.Collect();
                    Thread.Sleep(100);
                }
            })));
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            if (failure != null)
            {
                Console.Error.WriteLine("FAILED threads: " + failure);
                return false;
            }
            var last = session.Search(new SearchRequest("*"));
            for (int i = 0; last.Coverage.NotIndexed > 0 && i < 600; i++)
            {
                Thread.Sleep(100);
                last = session.Search(new SearchRequest("*"));
            }
            Tests.Is(last.Total, received, "the total at the end");
            Tests.True(session.Verify().IsClean, "verified at the end");
        }
        Tests.Collect();
        Console.WriteLine($"{Readers} readers, {clock.Elapsed.TotalSeconds:0} s: {received} mails imported, {searches} searches, " +
            $"{reads} mails read, {pages} pages; {Tests.Runtime}");
        return received > 0 && searches > 0 && reads > 0;
    }

    private static void Guard(Action work)
    {
        try { work(); }
        catch (Exception e) { Interlocked.CompareExchange(ref failure, e, null); }
        finally { if (failure != null) isOver = true; }
    }

    private static void Import(Session session, Stopwatch clock, int seconds)
    {
        try
        {
            for (int next = 0; clock.Elapsed.TotalSeconds < seconds && !isOver; next++)
            {
                // By turns one mail and an mbox of some.
                int first = next * 50, count = next % 2 == 0 ? 1 : 50;
                Interlocked.Add(ref begun, count);
                int number = first;
                Action<Receipt> receipt = got =>
                {
                    lock (Ids)
                    {
                        Numbers.Add(got.Id, number++);
                        Ids.Add(got.Id);
                    }
                    Interlocked.Increment(ref received);
                };
                if (count == 1) receipt(session.ImportOne(Mails.Mail(first), "anna/in"));
                else
                    session.Import(new MemoryStream(Mails.Mbox(first, first + count)), "x.mbox", new ImportOptions { Into = "anna/in" },
                        events: new ImportEvents { Receipt = receipt });
            }
        }
        finally { isOver = true; }
    }

    private static void Search(Session session)
    {
        long least = Interlocked.Read(ref received);
        var found = session.Search(new SearchRequest("*") { Limit = 5 });
        // What is archived and not indexed yet is counted apart.
        long total = found.Total + found.Coverage.NotIndexed;
        long most = Interlocked.Read(ref begun);
        Tests.True(least <= total && total <= most, $"a search found {total}; {least} receipts came before it, {most} mails had begun");
    }

    private static int Read(Session session, Random random)
    {
        for (int i = 0; i < 5; i++)
        {
            MessageId id;
            int number;
            lock (Ids)
            {
                if (Ids.Count == 0) return i;
                id = Ids[random.Next(Ids.Count)];
                number = Numbers[id];
            }
            var want = Mails.Mail(number);
            var got = new MemoryStream();
            using (var stream = session.OpenMail(id)) stream.CopyTo(got);
            // One from an mbox has lines without CR.
            bool isFromMbox = number / 50 % 2 == 1;
            if (isFromMbox) want = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(want).Replace("\r\n", "\n"));
            Tests.SameBytes(got.ToArray(), want, $"mail {number}");
        }
        return 5;
    }

    private static int Pages(Session session)
    {
        int pages = 0;
        long total = -1, hits = 0;
        foreach (var page in session.SearchPages(new SearchRequest("invoice") { Limit = 100 }))
        {
            if (total < 0) total = page.Total;
            Tests.Is(page.Total, total, "the total of a later page");
            hits += page.Hits.Count;
            pages++;
        }
        Tests.Is(hits, total, "hits of all pages");
        return pages;
    }
}
