// Creating, opening, closing, and what opens an archive.
using System;
using System.IO;
using System.Linq;
using System.Text;
using Mailkeep;
using static Tests;

static class Keys
{
    [Test]
    static void NothingIsOnDiskBeforeTheCommit()
    {
        string folder = NewPath("new");
        using (var made = Archive.Create(folder, "anna"))
        {
            Is(made.Id.Length, 32);
            Is(Throws<MailkeepException>(() => made.Commit().Dispose()).Code, "misuse", "its keys were not asked for");
        }
        True(!Directory.Exists(folder), "a folder");
        string refused = NewPath("refused");
        using (var made = Archive.Create(refused, "anna"))
        {
            Throws<MailkeepException>(() => made.Commit().Dispose());
            True(made.RecoveryKey.Length > 0, "a key");
            made.Commit().Dispose();
        }
        True(Directory.Exists(refused), "committed after its key was asked for");
        using (var made = Archive.Create(folder, "anna", new CreateOptions { WithoutKeyFile = true, Passphrase = "correct horse battery" }))
        {
            string id = made.Id, recovery = made.RecoveryKey;
            Is(made.KeyFile, "");
            using (var archive = made.Commit())
            {
                Is(archive.Info().Id, id);
                Is(Archive.IdOf(folder), id);
                var again = Throws<MailkeepException>(() => made.Commit());
                True(again.Code == "misuse" && again.Message.Contains("used up"), again.Message);
            }
            using (Archive.Open(folder, Key.Recovery(recovery))) { }
            using (Archive.Open(folder, Key.Passphrase("correct horse battery"))) { }
        }
        Is(Throws<MailkeepException>(() => Archive.Create(folder, "anna")).Code, "exists");
        Throws<ArgumentNullException>(() => Archive.Create(null, "anna"));
        Throws<ArgumentNullException>(() => Archive.Create(folder, null));
        Throws<EncoderFallbackException>(() => Archive.Create("\ud800", "anna"));
    }

    [Test]
    static void WrongKeysAndFoldersHaveTheirExceptions()
    {
        string folder, other;
        NewArchive(out folder).Dispose();
        NewArchive(out other).Dispose();
        long handles = Library.HandlesInUse;
        var wrong = Throws<WrongKeyException>(() => Archive.Open(folder, Key.ReadFile(other + ".key")));
        Is(wrong.Code, "bad_key", wrong.Message);
        True(wrong.Json.Contains(wrong.Message), wrong.Json);
        Is(Throws<WrongKeyException>(() => Archive.Open(folder, Key.Recovery("x"))).Code, "bad_key");
        Is(Throws<WrongKeyException>(() => Archive.TestKey(folder, Key.Passphrase("no such passphrase"))).Code, "wrong_key");
        Is(Throws<MailkeepException>(() => Archive.Open(NewPath("missing"), Key.Passphrase("x"))).Code, "not_an_archive");
        Throws<ArgumentNullException>(() => Archive.Open(folder, null));
        Throws<ArgumentNullException>(() => Key.File(null));
        Throws<ArgumentOutOfRangeException>(() => Archive.Open(folder, Key.Passphrase("x"), new OpenOptions { Memory = -1 }));
        Is(Library.HandlesInUse, handles, "handles that failed calls left");
    }

    [Test]
    static void AnArchiveIsOpenOnce()
    {
        string folder;
        using (NewArchive(out folder))
        {
            var inUse = Throws<InUseException>(() => Reopen(folder));
            Is(inUse.Code, "in_use");
            True(inUse.IsRetryable, "it may be tried again");
            // Neither needs the archive.
            Is(Archive.TestKey(folder, Key.ReadFile(folder + ".key")).Kind.Length > 0, true);
            True(Archive.OpensWith(folder).Length > 10, "what opens it");
        }
        Reopen(folder).Dispose();
        True(Archive.LiesIn(folder, Path.Combine(folder, "x")) && !Archive.LiesIn(folder, folder + "x"), "inside and beside");
    }

    [Test]
    static void AnOpenReportsToItsLogAndOptions()
    {
        string folder;
        NewArchive(out folder).Dispose();
        // Something that does not belong there.
        File.WriteAllText(Path.Combine(folder, "note"), "not ours");
        int logged = 0;
        var options = new OpenOptions
        {
            Memory = 64 << 20,
            ContainerLimit = 16 << 20,
            WithoutIndex = true,
            Mapped = true,
            Log = (level, text) => logged++,
        };
        using (var archive = Archive.OpenAsync(folder, Key.ReadFile(folder + ".key"), options).Result)
        {
            var info = archive.Info();
            Is(info.Owner, "anna");
            True(info.Barred == null && info.Damage == null && info.Recovered == null, info.Json);
            Is(logged, info.Notices.Count);
            archive.Mark();
        }
    }

    [Test]
    static void AReaderSeesWhatAWriterCommittedAndChangesNothing()
    {
        string folder;
        NewArchive(out folder).Dispose();
        var key = Key.ReadFile(folder + ".key");
        var mail = System.Text.Encoding.ASCII.GetBytes("Subject: one\n\nText.\n");
        using (var writer = Archive.Open(folder, key))
        using (var reader = Archive.Open(folder, key, new OpenOptions { ReadOnly = true }))
        using (var archiving = writer.Session())
        using (var reading = reader.Session())
        {
            True(reader.Info().ReadOnly && !reader.Info().Lags && !writer.Info().ReadOnly, reader.Info().Json);
            var id = archiving.ImportOne(mail, "anna/inbox").Id;
            Is(Throws<NotFoundException>(() => reading.Raw(id)).Code, "no_such_message");
            reader.Refresh();
            Is(reading.Raw(id).Length, mail.Length);
            Is(Throws<MailkeepException>(() => reading.ImportOne(mail, "anna/inbox")).Code, "read_only");
            writer.Refresh();
        }
    }

    [Test]
    static void APromptGivesTheKeyAndItsExceptionsComeOut()
    {
        string folder, asked = null;
        NewArchive(out folder).Dispose();
        var key = Key.ReadFile(folder + ".key");
        using (Archive.Open(folder, Key.Prompt(needed => { asked = needed; Collect(); return key; }))) { }
        Is(asked, Archive.OpensWith(folder));
        var mine = new InvalidDataException("mine");
        Is(Throws<InvalidDataException>(() => Archive.Open(folder, Key.Prompt(needed => { throw mine; }))), mine);
        Throws<InvalidOperationException>(() => Archive.Open(folder, Key.Prompt(needed => null)));
        Throws<InvalidOperationException>(() => Archive.Open(folder, Key.Prompt(needed => Key.Prompt(again => key))));
        Throws<WrongKeyException>(() => Archive.Open(folder, Key.Prompt(needed => Key.Passphrase("no such passphrase"))));
    }

    [Test]
    static void PassphrasesAreAddedAndRemoved()
    {
        string folder = NewPath("keys"), recovery;
        using (var made = Archive.Create(folder, "anna"))
        {
            recovery = made.RecoveryKey;
            File.WriteAllText(folder + ".key", made.KeyFile);
            using (var archive = made.Commit())
            {
                True(!archive.KeyStatus().IsRecoveryConfirmed, "nobody entered it");
                Throws<WrongKeyException>(() => archive.ConfirmRecoveryKey(Key.Recovery("AAAA")));
                archive.ConfirmRecoveryKey(Key.Recovery(recovery));
                var before = archive.KeyStatus();
                True(before.IsRecoveryConfirmed && recovery.StartsWith(before.RecoveryIdentifier), before.Json);
                var slot = archive.AddPassphrase("grüne Wiese mit Löwenzahn");
                Is(slot.Id.Length, 8);
                True(slot.Made > new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), "a time");
                Is(archive.KeyStatus().Slots.Count, before.Slots.Count + 1);
                Is(Archive.TestKey(folder, Key.Passphrase("grüne Wiese mit Löwenzahn")).Id, slot.Id);
                archive.RemovePassphrase(slot.Id);
                Is(archive.KeyStatus().Slots.Count, before.Slots.Count);
                Throws<WrongKeyException>(() => Archive.TestKey(folder, Key.Passphrase("grüne Wiese mit Löwenzahn")));
                Throws<MailkeepException>(() => archive.RemovePassphrase("00000000"));
            }
        }
    }

    [Test]
    static void WhatWasDisposedThrowsObjectDisposed()
    {
        string folder;
        var archive = NewArchive(out folder);
        var session = archive.Session();
        var id = session.ImportOne(Mails.Mail(1), "anna/inbox").Id;
        var stream = session.OpenMail(id);
        var hits = session.SearchAll(new SearchRequest("*")).GetEnumerator();
        True(hits.MoveNext(), "a hit");
        var other = archive.Session();
        other.Dispose();
        other.Dispose();
        Throws<ObjectDisposedException>(() => other.Message(id));
        archive.Dispose();
        archive.Dispose();
        archive.Close();
        Throws<ObjectDisposedException>(() => archive.Info());
        Throws<ObjectDisposedException>(() => archive.Session());
        // Freed by the archive, not by us.
        var late = Throws<ObjectDisposedException>(() => session.Message(id));
        True(late.InnerException is MailkeepException, "it says what was closed");
        Throws<ObjectDisposedException>(() => session.Import(folder));
        Throws<ObjectDisposedException>(() => stream.Read(new byte[10], 0, 10));
        Throws<ObjectDisposedException>(() => { while (hits.MoveNext()) { } });
        stream.Dispose();
        Throws<ObjectDisposedException>(() => stream.Read(new byte[10], 0, 10));
        Throws<ObjectDisposedException>(() => stream.ReadByte());
        hits.Dispose();
        session.Dispose();
        Reopen(folder).Dispose();
    }

    [Test]
    static void AnArchiveIsNotClosedByItsOwnCallback()
    {
        string folder;
        using (var archive = NewArchive(out folder))
        using (var session = archive.Session())
        {
            var events = new ImportEvents { Receipt = receipt => archive.Dispose() };
            Throws<InvalidOperationException>(() => session.Import(Mails.MboxFile(0, 3), events: events));
            True(session.Stats().Messages > 0, "it is open");
        }
    }

    [Test]
    static void WhatIsForgottenIsClosedByTheCollector()
    {
        Collect();
        long handles = Library.HandlesInUse;
        string folder = Forget();
        Archive again = null;
        for (int i = 0; again == null; i++)
        {
            Collect();
            try { again = Reopen(folder); }
            catch (InUseException) { if (i > 100) throw; }
        }
        using (again)
        using (var session = again.Session())
            Is(session.Search(new SearchRequest("*")).Total, 3);
        Collect();
        True(Library.HandlesInUse <= handles + 2, $"{Library.HandlesInUse} handles are in use; there were {handles}");
    }

    private static string Forget()
    {
        string folder = null;
        // On another thread, whose stack is gone when it ended.
        var thread = new System.Threading.Thread(() =>
        {
            var session = NewArchive(out folder).Session();
            session.Import(Mails.MboxFile(0, 3));
            session.OpenMail(session.Messages().First().Id).ReadByte();
            session.SearchAll(new SearchRequest("*")).GetEnumerator().MoveNext();
        });
        thread.Start();
        thread.Join();
        return folder;
    }

    [Test]
    static void NothingIsLeftInUse()
    {
        Collect();
        long handles = Library.HandlesInUse;
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            session.Import(Mails.MboxFile(0, 50));
            Is(session.SearchAll(new SearchRequest("*") { Limit = 7 }).Count(), 50);
            foreach (var message in session.Messages())
                using (var stream = session.OpenMail(message.Id)) stream.ReadByte();
            // Left in the middle.
            foreach (var hit in session.SearchAll(new SearchRequest("*") { Limit = 7 })) break;
        }
        Is(Library.HandlesInUse, handles);
    }
}
