// Several stores are one archive.
using System;
using System.IO;
using System.Linq;
using Mailkeep;
using static Tests;

static class Stores
{
    [Test]
    static void StoresAreOneArchive()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            var first = session.ImportOne(Mails.Mail(0), "anna/in");
            Is(session.CreateStore("zweiter: größer"), 2);
            var second = session.ImportOne(Mails.Mail(1), "anna/in");
            Is(second.Id.Store, 2);
            Is(session.ImportOne(Mails.Mail(0), "anna/in").Id, first.Id, "the first store has it");
            Is(session.Search(new SearchRequest("*")).Total, 2);
            var stores = session.GetStores(true);
            Is(string.Join(" ", stores.Select(store => $"{store.Number}:{store.State}:{store.IsOpen}:{store.Stats.Messages}")),
                "1:Normal:True:1 2:Current:True:1");
            Is(stores[1].Name, "zweiter: größer");
            True(stores[1].Dir.EndsWith("2") && stores[1].ContentDir.EndsWith("content") && stores[1].IndexDir.EndsWith("index"), stores[1].Dir);
            True(stores[0].Id.Length > 30 && stores[0].Error == null && stores[0].ErrorCode == null, stores[0].Id);
            True(session.GetStores()[0].Stats == null, "no stats");
            Is(Throws<MailkeepException>(() => session.CreateStore("1")).Code, "store_exists");
            Throws<ArgumentNullException>(() => session.CreateStore(null));
            Throws<NotFoundException>(() => session.RenameStore(9, "x"));
            Throws<ArgumentOutOfRangeException>(() => session.RenameStore(-1, "x"));
            session.Delete(new[] { first.Id, second.Id }, "a test");
            Is(session.CompactStore(1, true).Erased.Messages, 1);
            Is(session.CompactStore(2).Erased.Messages, 1);
            Is(session.Compact().Erased.Messages, 1);
            Throws<NotFoundException>(() => session.CompactStore(9));
            using (var person = archive.Session(new User("u")))
                Throws<DeniedException>(() => person.GetStores());
        }
    }

    [Test]
    static void StatesKeepWhatTheyForbid()
    {
        using (var archive = NewArchive())
        using (var session = archive.Session())
        {
            var first = session.ImportOne(Mails.Mail(0), "anna/in");
            session.CreateStore("two", StoreState.Normal);
            session.SetStoreState(1, StoreState.WriteProtected);
            Is(Throws<MailkeepException>(() => session.Delete(new[] { first.Id }, "a test")).Code, "store_write_protected");
            Is(Throws<MailkeepException>(() => session.ImportOne(Mails.Mail(1), "anna/in")).Code, "no_current_store");
            session.SetStoreState(2, StoreState.Current);
            session.SetStoreState(1, StoreState.Disabled);
            Is(Throws<MailkeepException>(() => session.ImportOne(Mails.Mail(1), "anna/in")).Code, "store_not_open");
            Throws<NotFoundException>(() => session.Raw(first.Id));
            Is(session.GetStores()[0].State, StoreState.Disabled);
            True(!session.GetStores()[0].IsOpen && session.GetStores()[0].Error == null, "closed, as asked for");
            session.SetStoreState(1, StoreState.Current, new Follow(step => { }));
            Is(session.ImportOne(Mails.Mail(1), "anna/in").Id.Store, 1);
            Is(Throws<MailkeepException>(() => session.SetStoreState(1, StoreState.Unknown)).Code, "bad_argument");
            Is(session.StoreRule, "messages:5000000");
            session.StoreRule = "messages:2";
            Is(session.ImportOne(Mails.Mail(2), "anna/in").Id.Store, 3);
            session.StoreRule = "never";
            Is(session.StoreRule, "never");
            Is(Throws<MailkeepException>(() => session.StoreRule = "daily").Code, "misuse");
            Throws<ArgumentNullException>(() => session.StoreRule = null);
        }
    }

    [Test]
    static void StoresAreMovedDetachedAndAttached()
    {
        string folder;
        using (var archive = NewArchive(out folder))
        using (var session = archive.Session())
        {
            var first = session.ImportOne(Mails.Mail(0), "anna/in");
            string made = NewPath("store"), moved = NewPath("moved"), content = NewPath("content");
            Is(session.CreateStore("two", dirs: new StoreDirs { Dir = made, ContentDir = content }), 2);
            True(Directory.Exists(made) && Directory.Exists(content), "folders");
            var second = session.ImportOne(Mails.Mail(1), "anna/in");
            Is(Throws<MailkeepException>(() => session.SetStoreDirs(2, null)).Code, "misuse");
            session.SetStoreState(2, StoreState.Disabled);
            Directory.Move(made, moved);
            Is(Throws<MailkeepException>(() => session.SetStoreState(2, StoreState.Current)).Code, "store_not_open");
            var found = session.Search(new SearchRequest("*"));
            True(!found.Coverage.IsComplete && found.Coverage.UnreachableStores.Single() == "two" && found.Total == 1, "out of reach");
            var left = session.RetryOpenStores().Single();
            True(left.Store == "two" && left.Why.Length > 0 && left.Message.Contains("two"), left.Message);
            True(session.GetStores()[1].Error.Length > 0 && session.GetStores()[1].ErrorCode == left.Why, left.Why);
            session.SetStoreState(2, StoreState.Disabled);
            session.SetStoreDirs(2, new StoreDirs { Dir = moved, ContentDir = content });
            session.SetStoreState(2, StoreState.Current);
            SameBytes(session.Raw(second.Id), Mails.Mail(1));
            True(session.RetryOpenStores().Count == 0 && session.Search(new SearchRequest("*")).Coverage.IsComplete, "all are open");

            session.RenameStore(2, "second");
            session.DetachStore(2);
            Is(session.Search(new SearchRequest("*")).Total, 1);
            Is(Throws<MailkeepException>(() => session.DetachStore(1)).Code, "misuse");
            Is(Throws<MailkeepException>(() => session.AttachStore("x", new StoreDirs { Dir = Work })).Code, "not_a_store");
            Throws<ArgumentNullException>(() => session.AttachStore("x", null));
            Is(session.AttachStore("back", new StoreDirs { Dir = moved, ContentDir = content }, StoreState.WriteProtected), 2);
            SameBytes(session.Raw(second.Id), Mails.Mail(1));
            SameBytes(session.Raw(first.Id), Mails.Mail(0));
        }
    }
}
