// Exports, verification, repair, statistics, indexes.
using System;
using System.IO;
using System.Linq;
using System.Threading;
using Mailkeep;
using static Tests;

static class Maintenance
{
    [Test]
    static void ExportsWriteWhatWasArchived()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            for (int i = 0; i < 20; i++) session.ImportOne(Mails.Mail(i), "anna/in");
            session.ImportOne(Mails.Mail(100), "anna/out");
            string folder = NewPath("export");
            var report = session.Export(folder, new ExportOptions { Manifest = true });
            Is(report.Exported, 21);
            Is(report.Failed, 0);
            True(File.Exists(Path.Combine(folder, "SHA256SUMS")), "sums");
            var files = Directory.GetFiles(folder, "*.eml", SearchOption.AllDirectories);
            True(files.Any(file => File.ReadAllBytes(file).SequenceEqual(Mails.Mail(100))), "a mail");
            Is(session.Export(folder, new ExportOptions { Update = true, Manifest = true }).Present, 21);
            Is(session.ExportAsync(NewPath("export"), new ExportOptions { Format = ExportFormat.Maildir, Folder = "anna/out" }).Result.Exported, 1);
            Is(session.Export(NewPath("export"), new ExportOptions { Format = ExportFormat.Mbox, Query = "zahl7" }).Exported, 1);
            Throws<NotFoundException>(() => session.Export(NewPath("export"), new ExportOptions { Folder = "anna/none" }));
            Throws<QueryException>(() => session.Export(NewPath("export"), new ExportOptions { Query = "date:never" }));

            var mbox = new MemoryStream();
            Is(session.ExportMbox(mbox).Exported, 21);
            using (var other = NewArchive())
            using (var there = other.Session())
            {
                mbox.Position = 0;
                Is(there.Import(mbox, "x.mbox", new ImportOptions { Into = "anna/in" }).Stored, 21);
            }
            var source = new CancellationTokenSource();
            var stop = new Follow(step => source.Cancel());
            var stopped = Throws<StoppedException>(() => session.ExportMbox(new MemoryStream(), null, stop, source.Token));
            True(((ExportReport)stopped.Report).IsStopped, "the report");
        }
    }

    [Test]
    static void FoldersAreMadeRenamedMovedAndRemoved()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            session.ImportOne(Mails.Mail(0), "anna/a/b");
            Is(string.Join(" ", session.MakeFolder("anna/c/d", FolderOptions.DryRun).Made), "anna/c anna/c/d");
            var report = session.MakeFolder("anna/c/d");
            True(report.Made.Count == 2 && report.MovedFrom == null && report.Removed.Count == 0, report.Json);
            Is(Throws<MailkeepException>(() => session.MakeFolder("anna/c")).Code, "folder_exists");
            report = session.RenameFolder("anna/a", "e");
            True(report.MovedFrom == "anna/a" && report.MovedTo == "anna/e", report.Json);
            Is(string.Join(" ", session.MoveFolder("anna/e/b", "bob/x").Made), "bob");
            Is(Throws<MailkeepException>(() => session.RemoveFolder("bob")).Code, "folder_not_empty");
            Is(string.Join(" ", session.PruneFolders("anna/c").Removed), "anna/c anna/c/d");
            Is(string.Join(" ", session.PruneFolders().Removed), "anna/e");
            Is(string.Join(" ", session.RemoveFolder("anna").Removed), "anna");
            Is(string.Join(" ", session.Folders().Select(folder => folder.Path)), "bob bob/x");
            Throws<NotFoundException>(() => session.RenameFolder("anna", "ann"));
            Throws<ArgumentNullException>(() => session.RenameFolder("bob", null));
        }
    }

    [Test]
    static void DamageIsFoundAndLocated()
    {
        string folder;
        MessageId id;
        using (var archive = NewArchive(out folder))
        using (var session = archive.Session())
        {
            session.Import(Mails.MboxFile(0, 200));
            id = session.Search(new SearchRequest("zahl100")).Hits.Single().Id;
            int steps = 0;
            var report = session.Verify(progress: new Follow(step => steps++));
            True(report.IsClean && report.Messages == 200 && report.ContentBytes > 100000 && steps > 0, report.Json);
            True(session.VerifyAsync(new VerifyOptions { Depth = VerifyDepth.Structure }).Result.IsClean, "its structure");
            True(session.Verify(new VerifyOptions { Part = 2, Parts = 3 }).IsClean, "a part");
            Is(Throws<MailkeepException>(() => session.Verify(new VerifyOptions { Part = 4, Parts = 3 })).Code.Length > 0, true);
            Is(Throws<MailkeepException>(() => session.Verify(new VerifyOptions { Parts = 3 })).Code, "misuse");
            var structure = new VerifyOptions { Depth = VerifyDepth.Structure, Part = 1, Parts = 3 };
            Is(Throws<MailkeepException>(() => session.Verify(structure)).Code, "misuse");
            Throws<ArgumentOutOfRangeException>(() => session.Verify(new VerifyOptions { Part = -1 }));
            var plan = session.Repair(RepairOptions.DryRun);
            True(plan.Reason == null && !plan.NeedsAcceptance, plan.Json);
        }
        // A bit of the middle of the largest file: a container.
        string largest = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).OrderByDescending(file => new FileInfo(file).Length).First();
        var bytes = File.ReadAllBytes(largest);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(largest, bytes);
        using (var archive = Reopen(folder))
        using (var session = archive.Session())
        {
            var report = session.Verify();
            True(!report.IsClean && report.Findings[0].File.Length > 0, report.Json);
            var hit = report.Findings.SelectMany(finding => finding.Messages).First();
            var damage = Throws<DamageException>(() => session.Raw(hit));
            Is(damage.Code, "damage");
            True(damage.Damage != null && damage.Damage.Kind.Length > 0, damage.Json);
            Throws<DamageException>(() => session.OpenMail(hit));
            True(session.Verify(new VerifyOptions { Accept = true }).Accepted.Count > 0, "accepted");
            True(session.Verify().IsClean, "known");
            // A container with damaged mails is not removed.
            session.Delete(session.Messages().Select(message => message.Id).Take(1), "a test");
            var left = session.Compact();
            True(!left.IsDone && left.Left.Single().Path == largest && left.Left[0].Why.Length > 0, left.Json);
        }
    }

    [Test]
    static void WhatIsDeletedIsGoneAndComesBack()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            session.Import(Mails.MboxFile(0, 5), new ImportOptions { Into = "anna/in" });
            var ids = session.Messages("anna/in").Select(message => message.Id).ToArray();
            var one = new[] { ids[1] };
            Throws<MailkeepException>(() => session.Delete(one, " "));
            Throws<ArgumentNullException>(() => session.Delete(null, "a test"));
            Throws<NotFoundException>(() => session.Delete(new[] { ids[0], new MessageId(99) }, "a test"));
            Is(session.Delete(one, "a test", true).Deleted.Single(), ids[1]);
            Is(session.Deleted().Count(), 0);
            Is(session.Delete(one, "ein Grund: größer").Deleted.Single(), ids[1]);
            Is(session.Delete(one, "a test").AlreadyDeleted.Single(), ids[1]);
            Is(session.Messages("anna/in").Count(), 4);
            Is(Throws<NotFoundException>(() => session.Raw(ids[1])).Code, "deleted");
            var gone = session.Deleted().Single();
            True(gone.Id == ids[1] && gone.Folder == "anna/in" && gone.DeletedBy == "system" && gone.Reason == "ein Grund: größer", "who and why");
            True(gone.DeletedAt > DateTimeOffset.UtcNow.AddHours(-1), "when");
            var stats = session.Stats();
            True(stats.DeletedMessages == 1 && stats.UnreferencedContents == 1 && stats.UnreferencedBytes > 0, stats.Json);
            var back = session.Undelete(ids.Take(2), "a test");
            True(back.Undeleted.Single() == ids[1] && back.NotDeleted.Single() == ids[0], back.Json);
            True(session.Raw(ids[1]).Length > 0, "whole");
        }
    }

    [Test]
    static void WhatWasDeletedIsErased()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            session.Import(Mails.MboxFile(0, 5), new ImportOptions { Into = "anna/in" });
            var ids = session.Messages("anna/in").Select(message => message.Id).ToArray();
            session.Delete(ids.Take(1), "a test");
            var plan = session.Compact(true);
            True(plan.Erased.Messages == 1 && plan.Erased.Mails == 1 && plan.Erased.Bytes > 0 && plan.Erased.Needed == 0, plan.Json);
            Is(session.Deleted().Count(), 1);
            // Stopped by its first report, and continued.
            var source = new CancellationTokenSource();
            Throws<StoppedException>(() => session.Compact(false, new Follow(step => source.Cancel()), source.Token));
            Is(Throws<NotFoundException>(() => session.Undelete(ids.Take(1), "too late")).Code, "no_such_message");
            var done = session.CompactAsync().Result;
            True(done.IsDone && done.IsResumed && done.Containers == 1 && done.Records > 0 && done.LostFound == 0, done.Json);
            True(done.BytesBefore > 0 && done.BytesAfter > 0 && done.Left.Count == 0, done.Json);
            Is(session.Compact().IsResumed, false);
            Is(session.Messages("anna/in").Count(), 4);
            True(session.Verify().IsClean, "sound");
        }
    }

    [Test]
    static void ACopyOfAFrozenArchiveIsOneStateOfIt()
    {
        var archive = NewArchive();
        using (var session = archive.Session())
        {
            var receipt = session.ImportOne(Mails.Mail(0), "anna/in");
            using (var frozen = archive.Freeze(TimeSpan.FromHours(1)))
            {
                var late = System.Threading.Tasks.Task.Run(() => session.ImportOne(Mails.Mail(1), "anna/in"));
                var before = FilesOf(archive.Info().Folder);
                True(session.Raw(receipt.Id).SequenceEqual(Mails.Mail(0)), "read meanwhile");
                Is(Throws<MailkeepException>(() => archive.Freeze(TimeSpan.FromHours(1))).Code, "misuse");
                Is(FilesOf(archive.Info().Folder), before);
                True(!late.IsCompleted, "it waits");
                True(frozen.Thaw(), "held");
                var again = Throws<MailkeepException>(() => frozen.Thaw());
                True(again.Code == "misuse" && again.Message.Contains("used up"), again.Message);
                late.Wait();
            }
            using (var over = archive.Freeze(TimeSpan.Zero))
            {
                session.ImportOne(Mails.Mail(2), "anna/in");
                True(!over.Thaw(), "its time was over");
            }
            archive.Freeze(TimeSpan.MaxValue).Dispose();
            session.ImportOne(Mails.Mail(3), "anna/in");
            Throws<ArgumentOutOfRangeException>(() => archive.Freeze(TimeSpan.FromSeconds(-1)));
        }
        // Closing does not wait for it.
        var kept = archive.Freeze(TimeSpan.MaxValue);
        archive.Close();
        Throws<ObjectDisposedException>(() => kept.Thaw());
        kept.Dispose();
        Throws<ObjectDisposedException>(() => archive.Freeze(TimeSpan.Zero));
    }

    static string FilesOf(string folder) => string.Join("\n", Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .OrderBy(path => path).Select(path => path + " " + new FileInfo(path).Length));

    [Test]
    static void StatisticsAndIndexesAreReported()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            session.Import(Mails.MboxFile(0, 30), new ImportOptions { Into = "anna/in" });
            var stats = session.Stats();
            Is(stats.Messages, 30);
            Is(stats.Contents, 30);
            Is(stats.UserArchives.Single().Name, "anna");
            True(stats.OnDisk.Other > 0 && stats.Stores.Single().OnDisk.Records > 0, stats.Json);
            True(stats.LastArchived > DateTimeOffset.UtcNow.AddHours(-1), "a time");
            var index = session.StoreIndexes().Single();
            Is(index.Folder, "anna");
            Is(index.Messages, 30);
            session.RebuildStoreIndex(index.Store);
            session.SelectAllStoreIndexes();
            True(session.StoreIndexes(index.Store).Single().IsSelectedForRebuild, "marked");
            Is(session.RebuildSelectedStoreIndexes(), 1);
            Throws<NotFoundException>(() => session.StoreIndexes(99));
            session.SetIndexedTypes(new[] { "application/pdf" });
            Is(string.Join(" ", session.IndexedTypes()), "application/pdf");
            session.SetIndexedTypes(new string[0]);
            Is(session.IndexedTypes().Count, 0);
            Throws<ArgumentNullException>(() => session.SetIndexedTypes(new string[] { null }));
            Is(session.TypesNotRead().Count(type => type.Type == "application/octet-stream" && type.Contents == 30), 1);
            Is(session.NotSearchable().Count(), session.NotSearchablePage(null, 1000).Items.Count);
        }
    }
}
