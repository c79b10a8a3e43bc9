// Imports, their events, their cancellation, and what goes wrong in the functions that they call.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Mailkeep;
using static Tests;

static class Imports
{
    [Test]
    static void AMailHasAReceipt()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            var mail = Mails.Mail(7);
            var receipt = session.ImportOne(mail, "anna/Eingang ü");
            Is(receipt.Outcome, Outcome.Stored);
            Is(receipt.Source, "");
            Is(receipt.Digest, session.Record(receipt.Id).Digest);
            Is(receipt.DigestBytes().Length, 32);
            SameBytes(session.Raw(receipt.Id), mail);
            Is(session.ImportOne(mail, "anna/Eingang ü").Outcome, Outcome.Duplicate);
            var around = new byte[mail.Length + 20];
            mail.CopyTo(around, 10);
            var again = session.ImportOne(new ArraySegment<byte>(around, 10, mail.Length), "anna/Eingang ü");
            Is(again.Id, receipt.Id);
            Is(Throws<MailkeepException>(() => session.ImportOne(new byte[0], "anna")).Code, "not_a_mail");
            Is(Throws<MailkeepException>(() => session.ImportOne(mail, "")).Code, "misuse");
            Throws<ArgumentNullException>(() => session.ImportOne(null, "anna"));
            Throws<ArgumentNullException>(() => session.ImportOne(default(ArraySegment<byte>), "anna"));
            Throws<ArgumentNullException>(() => session.ImportOne(mail, null));
        }
    }

    [Test]
    static void ProgressAndEventsComeInOrder()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            string path = Mails.MboxFile(0, 300);
            var receipts = new List<Receipt>();
            var troubles = new List<Trouble>();
            long lost = 0, done = 0;
            bool isOrdered = true;
            var progress = new Follow(step =>
            {
                if (step.Unit == ProgressUnit.Bytes && step.Done > done) done = step.Done;
                isOrdered &= step.Done >= 0 && step.Activity.Length > 0;
            });
            var events = new ImportEvents
            {
                Receipt = receipts.Add,
                Trouble = troubles.Add,
                Lost = bytes => lost += bytes.Length,
            };
            Is(session.ImportTarget(path), "anna/" + Path.GetFileNameWithoutExtension(path));
            var plan = session.Plan(path, new ImportOptions { Into = "anna/in" });
            Is(plan.Folders.Single().Folder, "anna/in");
            Is(plan.Folders[0].Messages, 300);
            Is(plan.Source.Mails, 300);
            var report = session.Import(path, new ImportOptions { Into = "anna/in" }, progress, events);
            Is(report.Read, 300);
            Is(report.Stored, 300);
            Is(report.Folder, "anna/in");
            True(!report.IsStopped && report.Json.Contains("\"stored\":300"), report.Json);
            Is(receipts.Count, 300);
            True(receipts.Zip(receipts.Skip(1), (one, next) => one.Offset < next.Offset).All(holds => holds), "the order of the source");
            True(isOrdered && done > 0, "progress");
            Is(troubles.Count + lost, 0);
            Is(session.Import(path, new ImportOptions { Into = "anna/in" }).Duplicate, 300);

            var missing = new List<MissingMail>();
            Is(session.Check(path, new ImportOptions { Into = "anna/in" }).Present, 300);
            var check = session.Check(Mails.MboxFile(299, 302), events: new ImportEvents { Missing = missing.Add });
            Is(check.Present, 1);
            Is(check.Missing, 2);
            Is(missing.Count, 2);
            using (var stream = new MemoryStream(Mails.Mbox(0, 5))) Is(session.Check(stream, "x.mbox").Present, 5);

            // Something that is no mail.
            string odd = NewPath("odd.mbox");
            File.WriteAllBytes(odd, new byte[2000].Concat(Mails.Mbox(400, 402)).ToArray());
            session.Import(odd, new ImportOptions { Format = SourceFormat.Mbox }, events: events);
            True(troubles.Count > 0 && troubles.All(trouble => trouble.Message.Length > 5), "a trouble");
            Is(Throws<MailkeepException>(() => session.Import(NewPath("missing"))).Code, "source");
        }
    }

    [Test]
    static void AStreamIsImported()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            // One that gives a few bytes at a time.
            var report = session.Import(new Slow(Mails.Mbox(0, 20), 777), "inbox.mbox", new ImportOptions { Into = "anna/in" });
            Is(report.Stored, 20);
            var mine = new InvalidDataException("mine");
            Is(Throws<InvalidDataException>(() => session.Import(new Slow(Mails.Mbox(20, 40), 777) { Failure = mine })), mine);
            Throws<IOException>(() => session.Import(new Slow(Mails.Mbox(20, 40), 777) { Lies = true }));
            Throws<ArgumentNullException>(() => session.Import((Stream)null));
            Throws<ArgumentNullException>(() => session.Import(new MemoryStream(), null));
            var large = Mails.Large();
            var id = session.ImportOne(large, "anna/large").Id;
            SameBytes(session.Raw(id), large);
        }
    }

    [Test]
    static void WhatACallbackThrowsComesOutUnchanged()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            string path = Mails.MboxFile(0, 100);
            var mine = new InvalidDataException("mine");
            int receipts = 0;
            var events = new ImportEvents { Receipt = receipt => { if (++receipts == 10) throw mine; } };
            var thrown = Throws<InvalidDataException>(() => session.Import(path, new ImportOptions { CommitEach = true }, events: events));
            Is(thrown, mine);
            True(thrown.StackTrace.Contains("Imports"), "the place where it was thrown");
            Is(receipts, 10, "nothing is called after it");
            True(session.Stats().Messages >= 10, "what has a receipt stays");
            Is(Throws<InvalidDataException>(() => session.Import(path, progress: new Follow(step => { throw mine; }))), mine);
            Is(Throws<InvalidDataException>(() => session.Verify(progress: new Follow(step => { throw mine; }))), mine);
            // The errors of the library too, and those of calls inside.
            var events2 = new ImportEvents { Receipt = receipt => session.Message(new MessageId(99)) };
            Throws<NotFoundException>(() => session.Import(Mails.MboxFile(200, 210), events: events2));
            var events3 = new ImportEvents { Receipt = receipt => session.Message(receipt.Id) };
            Is(session.Import(path, events: events3).Read, 100, "an archive may be used during a call");
        }
    }

    [Test]
    static void ATokenEndsAnImport()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            string path = Mails.MboxFile(0, 3000);
            var source = new CancellationTokenSource();
            long receipts = 0;
            var events = new ImportEvents { Receipt = receipt => { if (++receipts == 50) source.Cancel(); } };
            var stopped = Throws<StoppedException>(() =>
                session.Import(new Endless(), "x.mbox", new ImportOptions { Into = "anna/in" }, events: events, token: source.Token));
            Is(stopped.CancellationToken, source.Token);
            var report = (ImportReport)stopped.Report;
            True(report.IsStopped && report.Stored >= 50, report.Json);
            Is(report.Stored, receipts, "receipts");
            Is(session.Stats().Messages, receipts, "what has a receipt stays");
            // At once, with nothing done.
            Throws<OperationCanceledException>(() => session.Import(path, token: source.Token));
            Throws<OperationCanceledException>(() => session.Search(new SearchRequest("*"), token: source.Token));

            // A task is cancelled, and has not failed. The import stands still until then.
            var other = new CancellationTokenSource();
            var began = new ManualResetEvent(false);
            var task = session.ImportAsync(path, progress: new Follow(step =>
            {
                began.Set();
                other.Token.WaitHandle.WaitOne(60000);
            }), token: other.Token);
            True(began.WaitOne(60000), "it began");
            other.Cancel();
            try { task.Wait(); }
            catch (AggregateException) { }
            Is(task.Status, TaskStatus.Canceled);
            // The archive is as before.
            Is(session.Import(path).Read, 3000);
            // A token that is cancelled later changes nothing.
            var never = new CancellationTokenSource();
            Is(session.ImportAsync(path, token: never.Token).Result.Duplicate, 3000);
            never.Cancel();
        }
    }

    [Test]
    static void ATokenEndsEveryLongCall()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            string path = Mails.MboxFile(0, 200);
            session.Import(path);
            int store = session.StoreIndexes()[0].Store;
            // Each is cancelled by its own first report.
            EndsAtOnce((progress, token) => session.Import(path, null, progress, null, token));
            EndsAtOnce((progress, token) => session.Plan(path, null, progress, null, token));
            EndsAtOnce((progress, token) => session.Check(path, null, progress, null, token));
            EndsAtOnce((progress, token) => session.Export(NewPath("export"), null, progress, token));
            EndsAtOnce((progress, token) => session.ExportMbox(new MemoryStream(), null, progress, token));
            EndsAtOnce((progress, token) => session.Verify(null, progress, token));
            EndsAtOnce((progress, token) => session.RebuildStoreIndex(store, progress, token));
            Is(session.Search("*").Total, 200, "the old index stays");
            var cancelled = new CancellationToken(true);
            Throws<OperationCanceledException>(() => session.Thread(session.Messages().First().Id, cancelled));
            Throws<OperationCanceledException>(() => session.Stats(cancelled));
            var source = new CancellationTokenSource();
            var hits = session.SearchAll(new SearchRequest("*") { Limit = 10 }, source.Token).GetEnumerator();
            True(hits.MoveNext(), "a hit");
            source.Cancel();
            Throws<StoppedException>(() => { while (hits.MoveNext()) { } });
        }
    }

    private static void EndsAtOnce(Action<IProgress<Progress>, CancellationToken> work)
    {
        var source = new CancellationTokenSource();
        var stopped = Throws<StoppedException>(() => work(new Follow(step => source.Cancel()), source.Token));
        Is(stopped.CancellationToken, source.Token);
    }

    [Test]
    static void CollectionsDuringCallbacksHarmNothing()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            bool stop = false;
            var garbage = new Thread(() =>
            {
                while (!Volatile.Read(ref stop))
                {
                    for (int i = 0; i < 1000; i++) new byte[1000].ToString();
                    GC.Collect(0);
                }
            });
            garbage.Start();
            int calls = 0;
            var progress = new Follow(step => { calls++; GC.Collect(); });
            var events = new ImportEvents { Receipt = receipt => { calls++; if (calls % 20 == 0) Collect(); } };
            for (int round = 0; round < 3; round++)
            {
                var stream = new Slow(Mails.Mbox(round * 200, round * 200 + 200), 5000) { OnRead = () => GC.Collect(0) };
                Is(session.Import(stream, "x.mbox", new ImportOptions { CommitEach = true }, progress, events).Stored, 200);
                Is(session.SearchAll(new SearchRequest("*") { Limit = 10 }).Count(), 200 * (round + 1));
                var mbox = new MemoryStream();
                session.ExportMbox(mbox, progress: progress);
                True(mbox.Length > 100000, "an mbox");
                Is(session.Verify(progress: progress).Findings.Count, 0);
            }
            Volatile.Write(ref stop, true);
            garbage.Join();
            True(calls > 600, "callbacks");
        }
    }

    // Handles that were just made are those that a collection moves.
    [Test]
    static void YoungHandlesSurviveCallbacks()
    {
        using (var archive = NewArchive())
        {
            using (var session = archive.Session()) session.Import(Mails.MboxFile(0, 20));
            Exception failure = null;
            var clock = Stopwatch.StartNew();
            ThreadStart work = () =>
            {
                try
                {
                    using (var session = archive.Session())
                        foreach (var message in session.MessagesPage(null, null, 5).Items)
                        {
                            var mail = new Wasteful();
                            session.CopyMail(message.Id, mail);
                            Is(mail.Length, message.Bytes);
                            session.Import(new MemoryStream(Mails.Mbox(0, 2)), "x.mbox", null, new Follow(step => Wasteful.Waste()),
                                new ImportEvents { Receipt = receipt => Wasteful.Waste() });
                        }
                }
                catch (Exception e) { Interlocked.CompareExchange(ref failure, e, null); }
            };
            while (clock.ElapsedMilliseconds < 3000)
            {
                var threads = Enumerable.Range(0, 4).Select(at => new Thread(work)).ToList();
                threads.ForEach(thread => thread.Start());
                while (threads.Any(thread => thread.IsAlive)) GC.Collect(0);
                threads.ForEach(thread => thread.Join());
            }
            if (failure != null) throw failure;
        }
    }

    /// <summary>A stream that makes garbage.</summary>
    sealed class Wasteful : MemoryStream
    {
        public static void Waste()
        {
            for (int i = 0; i < 50; i++) new byte[500].ToString();
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Waste();
            Thread.Yield();
            base.Write(buffer, offset, count);
        }
    }

    [Test]
    static void LostMailsAreEmptyAfterAWholeClose()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            Is(session.LostFiles().Count, 0);
            Is(session.LostMails(mail => { throw new InvalidDataException(); }).Mails, 0);
            Is(session.ImportLost(receipt => { }).Stored, 0);
            Throws<ArgumentNullException>(() => session.LostMails(null));
        }
    }

    /// <summary>An mbox without an end.</summary>
    sealed class Endless : Stream
    {
        private byte[] mails = new byte[0];
        private int at, next = 10000;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (at == mails.Length)
            {
                mails = Mails.Mbox(next, next += 10);
                at = 0;
            }
            count = Math.Min(count, mails.Length - at);
            Buffer.BlockCopy(mails, at, buffer, offset, count);
            at += count;
            return count;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>A stream that gives a few bytes at a time, and may fail.</summary>
    sealed class Slow : MemoryStream
    {
        private readonly int most;
        private int reads;

        public Slow(byte[] bytes, int most) : base(bytes) { this.most = most; }

        public Exception Failure;
        public bool Lies;
        public Action OnRead;

        public override int Read(byte[] buffer, int offset, int count)
        {
            OnRead?.Invoke();
            if (++reads == 3 && Failure != null) throw Failure;
            return reads == 3 && Lies ? count + 1 : base.Read(buffer, offset, Math.Min(count, most));
        }
    }
}
